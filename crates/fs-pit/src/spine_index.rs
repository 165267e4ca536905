//! The lookup that is built on a spine: per key, its distinct times in order, the *slots*.

use arrow::array::{Array, ArrayRef, TimestampMicrosecondArray};

use crate::Error;
use crate::keys::{KeyIndex, KeyLookup, NO_KEY};
use crate::row::first_null;

/// Stands for no slot.
pub(crate) const NO_SLOT: u32 = u32::MAX;
/// Of how many keys an index remembers a row each.
const FEW_KEYS: usize = 1024;

/// The keys and times of a spine, ready to be looked up: the places where a feature row can win.
///
/// ```text
///   spine                      slots
///   key  t                     key 0: 10:00  13:00
///   0    13:00                 key 1: 09:00
///   1    09:00
///   0    10:00
///   0    13:00                 row -> slot: 1, 2, 0, 1
/// ```
///
/// It never changes, so any number of joins over the same keys and times share one.
#[derive(Debug)]
pub struct SpineIndex {
    keys: KeyLookup,
    /// Where the slots of each key start; one more entry for the end.
    starts: Vec<u32>,
    times: Vec<i64>,
    /// The slot of each spine row; [`NO_SLOT`] where its key has a null.
    slot_of_row: Vec<u32>,
    /// A row of each key, by key number, when there are few keys.
    examples: Option<Vec<u32>>,
}

/// Takes a spine batch by batch.
#[derive(Debug)]
pub struct SpineIndexBuilder {
    keys: Option<KeyIndex>,
    numbers: Vec<u32>,
    times: Vec<i64>,
}

impl SpineIndexBuilder {
    /// Expects about `rows` rows.
    pub fn with_capacity(rows: usize) -> Self {
        Self {
            keys: None,
            numbers: Vec::with_capacity(rows),
            times: Vec::with_capacity(rows),
        }
    }

    /// Takes the next rows. Every time must be there; keys may be null.
    pub fn push(
        &mut self,
        keys: &[ArrayRef],
        times: &TimestampMicrosecondArray,
    ) -> Result<(), Error> {
        let rows = times.len();
        if let Some(key) = keys.iter().find(|key| key.len() != rows) {
            return Err(Error::Ragged {
                column: "key",
                expected: rows,
                found: key.len(),
            });
        }
        if let Some(row) = first_null(times) {
            let row = self.times.len() + row;
            return Err(Error::NullSpineTime { row });
        }
        if self.times.len() + rows >= NO_SLOT as usize {
            return Err(Error::TooMany);
        }
        let index = match &mut self.keys {
            Some(index) => index,
            none => none.insert(KeyIndex::new(keys)?),
        };
        index.intern(keys, rows, &mut self.numbers)?;
        self.times.extend_from_slice(times.values());
        Ok(())
    }

    /// The index over all rows.
    pub fn finish(self) -> SpineIndex {
        let keys = self.keys.unwrap_or_default();
        let numbers = self.numbers;
        let starts_of_rows = starts(&numbers, keys.len());
        let mut order = grouped(&numbers, &self.times, &starts_of_rows);
        let examples = (keys.len() <= FEW_KEYS).then(|| {
            let first = |range: &[u32]| order.get(range[0] as usize).map_or(0, |(_, row)| *row);
            starts_of_rows.windows(2).map(first).collect()
        });

        let mut slot_starts = Vec::with_capacity(starts_of_rows.len());
        let mut times: Vec<i64> = Vec::with_capacity(order.len());
        let mut slot_of_row = vec![NO_SLOT; numbers.len()];
        slot_starts.push(0);
        for range in starts_of_rows.windows(2) {
            let rows = &mut order[range[0] as usize..range[1] as usize];
            rows.sort_unstable();
            let first = times.len();
            for (time, row) in rows {
                if times.len() == first || times.last() != Some(time) {
                    times.push(*time);
                }
                slot_of_row[*row as usize] = narrow(times.len() - 1);
            }
            slot_starts.push(narrow(times.len()));
        }
        times.shrink_to_fit();
        SpineIndex {
            keys: keys.complete(),
            starts: slot_starts,
            times,
            slot_of_row,
            examples,
        }
    }
}

/// Where the rows of each key start when rows are grouped by key, and where the last ones end.
fn starts(numbers: &[u32], keys: usize) -> Vec<u32> {
    let mut starts = vec![0; keys + 1];
    for number in numbers.iter().filter(|number| **number != NO_KEY) {
        starts[*number as usize + 1] += 1;
    }
    let mut end = 0;
    for start in &mut starts {
        end += *start;
        *start = end;
    }
    starts
}

/// Time and row of every row that has a key, grouped by key.
fn grouped(numbers: &[u32], times: &[i64], starts: &[u32]) -> Vec<(i64, u32)> {
    let mut next = starts.to_vec();
    let mut order = vec![(0, 0); starts.last().map_or(0, |end| *end as usize)];
    for (row, (number, time)) in (0..).zip(numbers.iter().zip(times)) {
        if *number != NO_KEY {
            let at = &mut next[*number as usize];
            order[*at as usize] = (*time, row);
            *at += 1;
        }
    }
    order
}

/// A number of rows or slots, which the builder keeps below [`NO_SLOT`].
pub(crate) fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(NO_SLOT)
}

impl SpineIndex {
    /// The index of a spine that is in one piece.
    pub fn new(keys: &[ArrayRef], times: &TimestampMicrosecondArray) -> Result<Self, Error> {
        let mut builder = SpineIndexBuilder::with_capacity(times.len());
        builder.push(keys, times)?;
        Ok(builder.finish())
    }

    /// How many rows the spine has.
    pub const fn rows(&self) -> usize {
        self.slot_of_row.len()
    }

    /// How many places there are where a row can win.
    pub const fn slots(&self) -> usize {
        self.times.len()
    }

    /// A row of the spine for each of its keys, if there are few of them.
    pub fn examples(&self) -> Option<&[u32]> {
        self.examples.as_deref()
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> usize {
        self.keys.bytes()
            + size_of_val(self.starts.as_slice())
            + size_of_val(self.times.as_slice())
            + size_of_val(self.slot_of_row.as_slice())
    }

    /// About how many bytes the index of so many rows takes at most, while it is built.
    pub const fn estimated_bytes(rows: usize, key_bytes: usize) -> usize {
        // Numbers, times, order, slots, starts; and every key once in the arena and the table.
        rows * (4 + 8 + 16 + 8 + 4 + 4 + 28) + key_bytes
    }

    pub(crate) const fn keys(&self) -> &KeyLookup {
        &self.keys
    }

    pub(crate) fn times(&self) -> &[i64] {
        &self.times
    }

    /// How many keys there are.
    pub(crate) fn key_count(&self) -> usize {
        self.starts.len() - 1
    }

    /// The slots of the key numbered `key`.
    pub(crate) fn slots_of_key(&self, key: u32) -> std::ops::Range<usize> {
        let key = key as usize;
        self.starts[key] as usize..self.starts[key + 1] as usize
    }

    /// The slots of each key.
    pub(crate) fn slots_of_keys(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.starts
            .windows(2)
            .map(|range| range[0] as usize..range[1] as usize)
    }

    /// The slot of a spine row; `None` where its key has a null.
    pub(crate) fn slot_of_row(&self, row: usize) -> Option<usize> {
        let slot = self.slot_of_row[row];
        (slot != NO_SLOT).then_some(slot as usize)
    }
}

#[cfg(test)]
mod tests;
