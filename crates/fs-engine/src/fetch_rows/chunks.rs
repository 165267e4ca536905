//! The parts in which a table is read: runs of row groups of one file.
//!
//! A part is small enough that several readers share the work evenly, and starts with a whole word of
//! the [marks](super::marks), so that it can be read and counted on its own.

use std::ops::Range;

use super::marks::{Marks, count, words};
use super::payload::PIECE_ROWS;

/// A part that is not the last of its file has at least so many rows.
const CHUNK_ROWS: usize = 1 << 16;

/// A part of a file with at least one wanted row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) file: usize,
    pub(super) rows: Range<usize>,
    /// How many of the rows are wanted.
    pub(super) wanted: usize,
    /// The first piece of its payload, among those of the table.
    pub(super) first_piece: usize,
}

impl Chunk {
    pub(super) fn first_slot(&self) -> usize {
        self.first_piece * PIECE_ROWS
    }

    pub(super) fn pieces(&self) -> usize {
        self.wanted.div_ceil(PIECE_ROWS)
    }
}

/// Cuts the wanted rows of a table; `row_groups` has the rows of every row group of every file that has
/// wanted rows.
pub(super) fn cut(marks: &Marks, row_groups: &[Vec<usize>]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut first_piece = 0;
    for (file, (bits, row_groups)) in marks.files().iter().zip(row_groups).enumerate() {
        let mut start = 0;
        let mut end = 0;
        for (at, rows) in row_groups.iter().enumerate() {
            end += rows;
            let is_last = at + 1 == row_groups.len();
            let is_enough = end - start >= CHUNK_ROWS && end % 64 == 0;
            if !is_last && !is_enough {
                continue;
            }
            let rows = start..end;
            let wanted = count(words(bits, &rows));
            start = end;
            if wanted > 0 {
                let chunk = Chunk {
                    file,
                    rows,
                    wanted,
                    first_piece,
                };
                first_piece += chunk.pieces();
                chunks.push(chunk);
            }
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::super::directory::Directory;
    use super::super::marks::address;
    use super::*;

    #[test]
    fn a_file_is_cut_between_row_groups_where_a_word_ends_and_unwanted_parts_are_left_out() {
        let mut marks = Marks::none(3);
        let wanted = [(0, 0), (0, 70_000), (2, 5), (2, 140_000), (2, 199_999)];
        for (file, row) in wanted {
            marks.set(address(file, row)).unwrap();
        }
        let row_groups = [vec![65_536, 10_000], vec![], vec![65_537, 65_536, 68_927]];
        let chunks = cut(&marks, &row_groups);
        let cut: Vec<_> = chunks
            .iter()
            .map(|chunk| {
                (
                    chunk.file,
                    chunk.rows.clone(),
                    chunk.wanted,
                    chunk.first_piece,
                )
            })
            .collect();
        assert_eq!(
            cut,
            [
                (0, 0..65_536, 1, 0),
                (0, 65_536..75_536, 1, 1),
                (2, 0..200_000, 3, 2)
            ]
        );
        let directory = Directory::of_chunks(&marks, &chunks);
        let slots = wanted.map(|(file, row)| directory.slot(address(file, row)));
        assert_eq!(
            slots,
            [
                0,
                PIECE_ROWS,
                2 * PIECE_ROWS,
                2 * PIECE_ROWS + 1,
                2 * PIECE_ROWS + 2
            ]
        );
        let dense = Directory::dense(&marks);
        assert_eq!(
            wanted.map(|(file, row)| dense.slot(address(file, row))),
            [0, 1, 2, 3, 4]
        );
    }
}
