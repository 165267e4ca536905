//! The lookup that is built on a spine: per key, its distinct times in order, the *slots*.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, TimestampMicrosecondArray};

use crate::Error;
use crate::keys::{KeyIndex, KeyLookup, NO_KEY};
use crate::row::first_null;

/// Stands for no slot.
pub(crate) const NO_SLOT: u32 = u32::MAX;
/// Fewer entries than these are not worth a thread of their own.
const FEW_ENTRIES: usize = 32_768;
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

    /// The index over all rows, made on all processors when there are many.
    pub fn finish(self) -> SpineIndex {
        let keys = self.keys.unwrap_or_default();
        let (numbers, times) = (self.numbers, self.times);
        let starts = starts(&numbers, keys.len());
        let parts = in_parallel(&starts, |keys| Part::new(keys, &starts, &numbers, &times));
        let examples = (keys.len() <= FEW_KEYS).then(|| {
            let rows = parts.iter().flat_map(|part| &part.examples);
            rows.copied().collect()
        });

        let mut slot_starts = Vec::with_capacity(starts.len());
        let mut slot_times: Vec<i64> =
            Vec::with_capacity(parts.iter().map(|p| p.times.len()).sum());
        let mut slot_of_row = vec![NO_SLOT; numbers.len()];
        slot_starts.push(0);
        for part in parts {
            let first = narrow(slot_times.len());
            slot_starts.extend(part.ends.iter().map(|end| first + end));
            for (row, slot) in part.rows.iter().zip(&part.slots) {
                slot_of_row[*row as usize] = first + slot;
            }
            slot_times.extend_from_slice(&part.times);
        }
        SpineIndex {
            keys: keys.complete(),
            starts: slot_starts,
            times: slot_times,
            slot_of_row,
            examples,
        }
    }
}

/// The slots of a range of keys, counted from the first of them.
struct Part {
    times: Vec<i64>,
    /// Where the slots of each key end.
    ends: Vec<u32>,
    /// The rows of the keys, and beside them the slot of each.
    rows: Vec<u32>,
    slots: Vec<u32>,
    /// A row of each key.
    examples: Vec<u32>,
}

impl Part {
    fn new(keys: Range<usize>, starts: &[u32], numbers: &[u32], row_times: &[i64]) -> Self {
        let first = starts[keys.start];
        let mut next: Vec<u32> = starts[keys.clone()].iter().map(|s| s - first).collect();
        let mut order = vec![(0, 0); (starts[keys.end] - first) as usize];
        for (row, (number, time)) in (0..).zip(numbers.iter().zip(row_times)) {
            if keys.contains(&(*number as usize)) {
                let at = &mut next[*number as usize - keys.start];
                order[*at as usize] = (*time, row);
                *at += 1;
            }
        }
        let mut part = Self {
            times: Vec::with_capacity(order.len()),
            ends: Vec::with_capacity(keys.len()),
            rows: Vec::with_capacity(order.len()),
            slots: Vec::with_capacity(order.len()),
            examples: Vec::new(),
        };
        let mut rest = order.as_mut_slice();
        for range in starts[keys.start..=keys.end].windows(2) {
            let (of_key, others) = rest.split_at_mut((range[1] - range[0]) as usize);
            rest = others;
            if starts.len() <= FEW_KEYS + 1 {
                part.examples
                    .push(of_key.first().map_or(0, |(_, row)| *row));
            }
            of_key.sort_unstable();
            let start = part.times.len();
            for (time, row) in of_key {
                if part.times.len() == start || part.times.last() != Some(time) {
                    part.times.push(*time);
                }
                part.rows.push(*row);
                part.slots.push(narrow(part.times.len() - 1));
            }
            part.ends.push(narrow(part.times.len()));
        }
        part
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

/// What `make` makes of ranges of keys, in their order: one range for each processor, with about as
/// many entries each. `starts` is where the entries of each key start, and where the last ones end.
pub(crate) fn in_parallel<T: Send>(
    starts: &[u32],
    make: impl Fn(Range<usize>) -> T + Sync,
) -> Vec<T> {
    let keys = starts.len() - 1;
    let entries = starts[keys] as usize;
    // Asking for the processors alone takes longer than indexing a small spine.
    let parts = match entries / FEW_ENTRIES {
        0 | 1 => 1,
        most => std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(most),
    };
    let bound = |part: usize| match part {
        0 => 0,
        part if part == parts => keys,
        part => starts.partition_point(|start| (*start as usize) < entries * part / parts),
    };
    let mut bounds: Vec<usize> = (0..=parts).map(bound).collect();
    bounds.dedup();
    std::thread::scope(|scope| {
        let mut ranges = bounds.windows(2).map(|bounds| bounds[0]..bounds[1]);
        // Without keys there is no range, and nothing to be made; this thread takes the first one.
        let Some(first) = ranges.next() else {
            return Vec::new();
        };
        let make = &make;
        let others: Vec<_> = ranges
            .map(|range| scope.spawn(move || make(range)))
            .collect();
        let mut parts = vec![make(first)];
        for other in others {
            match other.join() {
                Ok(part) => parts.push(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        parts
    })
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
    pub(crate) fn slots_of_key(&self, key: u32) -> Range<usize> {
        let key = key as usize;
        self.starts[key] as usize..self.starts[key + 1] as usize
    }

    /// Where the slots of each key start, and where the last ones end.
    pub(crate) fn starts(&self) -> &[u32] {
        &self.starts
    }

    /// The slots of each key.
    pub(crate) fn slots_of_keys(&self) -> impl Iterator<Item = Range<usize>> {
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
