//! From the address of a row to the place of its payload.
//!
//! The payload of a table lies in pieces of [`PIECE_ROWS`](super::payload::PIECE_ROWS) rows, in the order
//! of the addresses. A word of the [marks](super::marks) and the number of rows wanted before it tell the
//! place of a row: `slot = base + ones below its bit`, `piece = slot / PIECE_ROWS`.

use super::chunks::Chunk;
use super::marks::{Marks, parts};

/// No row.
pub(super) const NOTHING: usize = usize::MAX;

#[derive(Debug, Clone, Copy)]
struct Word {
    bits: u64,
    base: usize,
}

/// The places of all wanted rows of a table.
#[derive(Debug)]
pub(super) struct Directory {
    files: Vec<Vec<Word>>,
}

impl Directory {
    /// Places without gaps.
    pub(super) fn dense(marks: &Marks) -> Self {
        let mut base = 0;
        let files = marks.files().iter().map(|bits| words(bits, &mut base));
        Self {
            files: files.collect(),
        }
    }

    /// Places that start anew with every chunk of `chunks`, which hold all wanted rows in order.
    pub(super) fn of_chunks(marks: &Marks, chunks: &[Chunk]) -> Self {
        let mut directory = Self::dense(marks);
        for chunk in chunks {
            let words = &mut directory.files[chunk.file];
            let end = chunk.rows.end.div_ceil(64).min(words.len());
            let mut base = chunk.first_slot();
            for word in &mut words[chunk.rows.start / 64..end] {
                word.base = base;
                base += word.bits.count_ones() as usize;
            }
        }
        directory
    }

    /// The place of the payload of a row that was marked.
    pub(super) fn slot(&self, address: u64) -> usize {
        let (file, row) = parts(address);
        let word = self.files[file][row / 64];
        let below = word.bits & ((1 << (row % 64)) - 1);
        word.base + below.count_ones() as usize
    }

    /// How many bytes it takes.
    pub(super) fn bytes_for(marks: &Marks) -> usize {
        marks.bytes() * size_of::<Word>() / 8
    }
}

fn words(bits: &[u64], base: &mut usize) -> Vec<Word> {
    bits.iter()
        .map(|bits| {
            let word = Word {
                bits: *bits,
                base: *base,
            };
            *base += bits.count_ones() as usize;
            word
        })
        .collect()
}
