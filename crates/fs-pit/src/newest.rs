//! The newest visible row of each key at one instant: what the online store holds.

use arrow::array::{ArrayRef, Int64Array, TimestampMicrosecondArray};
use fs_core::EventTime;

use crate::keys::{KeyIndex, NO_KEY};
use crate::row::{Candidate, FeatureRows, RowId, RowIds, RowRank};
use crate::{Error, Rule};

/// Finds the newest row of each key that is visible at an instant, whatever its age.
///
/// ```text
///   features                as of 10:00       the winners
///   user  event  clicks                       user  event  clicks
///   7     09:30  3                            7     09:30  3
///   7     10:01  4          not visible yet   8     01:00  5
///   8     01:00  5
///   null  09:00  6          no key
/// ```
///
/// Rows rank as in [`PointInTimeJoin`](crate::PointInTimeJoin), and become visible by the delay and
/// the created time of the same [`Rule`]. Its TTL is left out: a reader applies it to its own now.
/// Memory is proportional to the number of keys.
#[derive(Debug)]
pub struct NewestPerKey {
    as_of: i64,
    rule: Rule,
    /// Made with the first batch, which shows the types of the keys.
    keys: Option<KeyIndex>,
    best: Vec<Candidate>,
    numbers: Vec<u32>,
    found: usize,
    batches: u32,
}

impl NewestPerKey {
    /// Looks for the newest rows as of `as_of`, inclusive.
    pub const fn new(as_of: EventTime, rule: Rule) -> Self {
        Self {
            as_of: as_of.as_micros(),
            rule,
            keys: None,
            best: Vec::new(),
            numbers: Vec::new(),
            found: 0,
            batches: 0,
        }
    }

    /// Offers the next batch of feature rows, in any order.
    ///
    /// Returns the rows of it that are the newest of their key so far, ascending.
    pub fn offer(
        &mut self,
        keys: &[ArrayRef],
        event: &TimestampMicrosecondArray,
        created: Option<&TimestampMicrosecondArray>,
        sequence: Option<&Int64Array>,
    ) -> Result<Vec<u32>, Error> {
        let features = FeatureRows {
            keys,
            event,
            created,
            sequence,
        };
        let batch = self.batches;
        let ids = RowIds::Batch(batch);
        features.check(&ids)?;
        let index = match &mut self.keys {
            Some(index) => index,
            none => none.insert(KeyIndex::new(keys)?),
        };
        self.numbers.clear();
        index.intern(keys, features.len(), &mut self.numbers)?;
        self.best.resize(index.len(), Candidate::VACANT);
        self.batches = batch.checked_add(1).ok_or(Error::TooMany)?;

        let mut touched = Vec::new();
        for (row, number) in self.numbers.iter().enumerate() {
            if *number == NO_KEY {
                continue;
            }
            let from = self
                .rule
                .visible_from(event.value(row), features.created(row));
            if from > self.as_of {
                continue;
            }
            let candidate = features.candidate(row, &ids);
            let best = &mut self.best[*number as usize];
            if candidate.beats(best) {
                if best.id().is_none_or(|best| best.batch != batch) {
                    touched.push(*number);
                }
                self.found += usize::from(best.is_vacant());
                *best = candidate;
            }
        }
        let mut newest: Vec<u32> = touched
            .into_iter()
            .filter_map(|number| self.best[number as usize].id().map(|id| id.row))
            .collect();
        newest.sort_unstable();
        Ok(newest)
    }

    /// How many keys have a visible row so far: the length of [`Self::live`].
    pub const fn candidates(&self) -> usize {
        self.found
    }

    /// The ranks of the newest rows so far, one for each key that has one, in no particular order.
    pub fn ranks(&self) -> impl Iterator<Item = RowRank> {
        self.best.iter().filter_map(Candidate::order)
    }

    /// The rank of the newest row so far of each of `rows` keys; `None` where a part of the key is
    /// null, or no row of it is visible.
    ///
    /// ```text
    ///   offered                 keys        answer
    ///   user  event  sequence   user
    ///   7     09:30  1          8           none
    ///   7     09:10  2          7           09:30, 1
    /// ```
    pub fn find(&self, keys: &[ArrayRef], rows: usize) -> Result<Vec<Option<RowRank>>, Error> {
        let Some(index) = &self.keys else {
            return Ok(vec![None; rows]);
        };
        let mut numbers = Vec::new();
        index.find(keys, rows, &mut numbers)?;
        // The number of no key is beyond all others.
        let best = |number: &u32| self.best.get(*number as usize)?.order();
        Ok(numbers.iter().map(best).collect())
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> usize {
        let keys = self.keys.as_ref().map_or(0, KeyIndex::bytes);
        keys + self.best.capacity() * size_of::<Candidate>() + self.numbers.capacity() * 4
    }

    /// The newest row of each key so far, ascending.
    pub fn live(&self) -> Vec<RowId> {
        let mut rows: Vec<RowId> = self.best.iter().filter_map(Candidate::id).collect();
        rows.sort_unstable();
        rows
    }

    /// The newest row of each key, ascending, once every feature row has been offered.
    pub fn finish(self) -> Vec<RowId> {
        self.live()
    }
}

#[cfg(test)]
mod tests;
