//! Which rows of a table are wanted: one bit per row.

use std::ops::Range;

use arrow::array::{Array, UInt64Array};
use datafusion::error::DataFusionError;

/// The address of a row of a file.
pub(super) const fn address(file: usize, row: usize) -> u64 {
    (file as u64) << 32 | row as u64
}

/// The file and the row of an address.
pub(super) const fn parts(address: u64) -> (usize, usize) {
    ((address >> 32) as usize, (address & 0xffff_ffff) as usize)
}

/// The wanted rows of one table.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    files: Vec<Vec<u64>>,
}

impl Marks {
    /// No rows of `files` files.
    pub(super) fn none(files: usize) -> Self {
        Self {
            files: vec![Vec::new(); files],
        }
    }

    /// Marks the rows that `addresses` name; null names none.
    pub(super) fn add(&mut self, addresses: &UInt64Array) -> Result<(), DataFusionError> {
        if addresses.null_count() == 0 {
            return addresses.values().iter().try_for_each(|at| self.set(*at));
        }
        addresses.iter().flatten().try_for_each(|at| self.set(at))
    }

    pub(super) fn set(&mut self, address: u64) -> Result<(), DataFusionError> {
        let (file, row) = parts(address);
        let known = self.files.len();
        let Some(bits) = self.files.get_mut(file) else {
            return Err(DataFusionError::Execution(format!(
                "address {address} is of file {file}, but the table has {known} files"
            )));
        };
        let word = row / 64;
        if word >= bits.len() {
            bits.resize(word + 1, 0);
        }
        bits[word] |= 1 << (row % 64);
        Ok(())
    }

    /// The bits of every file; the words after the last wanted row may be missing.
    pub(super) fn files(&self) -> &[Vec<u64>] {
        &self.files
    }

    /// How many rows are wanted.
    pub(super) fn count(&self) -> usize {
        self.files.iter().map(|bits| count(bits)).sum()
    }

    /// How many bytes the bits take.
    pub(super) fn bytes(&self) -> usize {
        self.files.iter().map(|bits| bits.capacity() * 8).sum()
    }
}

/// How many rows are wanted of those that `bits` stand for.
pub(super) fn count(bits: &[u64]) -> usize {
    bits.iter().map(|word| word.count_ones() as usize).sum()
}

/// The words that stand for `rows`, which start at a word; fewer where the last are not wanted.
pub(super) fn words<'a>(bits: &'a [u64], rows: &Range<usize>) -> &'a [u64] {
    let end = rows.end.div_ceil(64).min(bits.len());
    bits.get(rows.start / 64..end).unwrap_or_default()
}

/// The place of the last bit that is set.
pub(super) fn last_one(bits: &[u64]) -> Option<usize> {
    let at = bits.iter().rposition(|word| *word != 0)?;
    Some(at * 64 + 63 - bits[at].leading_zeros() as usize)
}

/// The places of the bits that are set, in order.
pub(super) fn ones(words: &[u64]) -> impl Iterator<Item = usize> {
    words.iter().enumerate().flat_map(|(at, word)| {
        let mut left = *word;
        std::iter::from_fn(move || {
            (left != 0).then(|| {
                let bit = left.trailing_zeros() as usize;
                left &= left - 1;
                at * 64 + bit
            })
        })
    })
}
