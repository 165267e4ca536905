//! The point-in-time join: for each spine row, the newest feature row that was visible at its time.

use arrow::array::{Array, ArrayRef, Int64Array, TimestampMicrosecondArray};

use crate::keys::KeyIndex;
use crate::row::{FeatureRows, RowId, first_null};
use crate::slots::Slots;
use crate::{Error, Rule};

/// Joins each spine row to the newest feature row that was visible at its time.
///
/// ```text
///   spine         features (ttl 2h)       result
///   user  t       user  event  clicks     user  t      clicks
///   7     10:00   7     09:30  3          7     10:00  3
///   7     13:00   7     10:01  4          7     13:00  null     10:01 is 2h59m old
///   null  10:00   8     09:00  5          null  10:00  null     no key, no match
/// ```
///
/// The lookup is built on the spine: per key, its distinct times in order, the *slots*. Feature
/// rows come in batches, in any order, and are never sorted. A row finds its key by hash and, by
/// binary search, the first slot at which it is visible; it takes the slot if it ranks above the
/// slot's candidate: by event time, then created time, then sequence, then arrival. In the end one
/// pass over each key carries the best candidate on to later slots, where the TTL is applied. Only
/// the winner needs that check, because every other visible row has an event time no later.
///
/// Costs: one hash lookup and one binary search a feature row. Memory is proportional to the spine.
#[derive(Debug)]
pub struct PointInTimeJoin {
    rule: Rule,
    keys: KeyIndex,
    slots: Slots,
    batches: u32,
}

/// The feature row of each spine row, in spine order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matches {
    rows: Vec<Option<RowId>>,
}

impl PointInTimeJoin {
    /// Prepares the slots of a spine. Every spine time must be there; keys may be null.
    pub fn new(
        spine_keys: &[ArrayRef],
        spine_times: &TimestampMicrosecondArray,
        rule: Rule,
    ) -> Result<Self, Error> {
        let rows = spine_times.len();
        if let Some(key) = spine_keys.iter().find(|key| key.len() != rows) {
            return Err(Error::Ragged {
                column: "key",
                expected: rows,
                found: key.len(),
            });
        }
        if let Some(row) = first_null(spine_times) {
            return Err(Error::NullSpineTime { row });
        }
        let mut keys = KeyIndex::new(spine_keys)?;
        let numbers = keys.intern(spine_keys, rows)?;
        let slots = Slots::new(&numbers, spine_times.values(), keys.len());
        Ok(Self {
            rule,
            keys,
            slots,
            batches: 0,
        })
    }

    /// Offers the next batch of feature rows.
    ///
    /// Returns the rows of it that are candidates now, ascending: the caller keeps the columns of
    /// these and forgets the others. A batch that is refused changes nothing.
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
        let rows = features.check(batch)?;
        let numbers = self.keys.find(keys, features.len())?;
        self.batches = batch.checked_add(1).ok_or(Error::TooMany)?;

        let mut touched = Vec::new();
        for (row, number) in (0..rows).zip(numbers) {
            let Some(number) = number else { continue };
            let at = row as usize;
            let event = event.value(at);
            let from = self.rule.visible_from(event, features.created(at));
            let Some((slot, time)) = self.slots.first_from(number, from) else {
                continue;
            };
            // Too old for its first slot is too old for every later one.
            if self.rule.is_expired(event, time) {
                continue;
            }
            let rank = features.rank(RowId { batch, row });
            if self.slots.candidate(slot).is_some_and(|best| *best > rank) {
                continue;
            }
            let replaced = self.slots.replace(slot, rank);
            if replaced.is_none_or(|replaced| replaced.row.batch != batch) {
                touched.push(slot);
            }
        }
        let mut candidates: Vec<u32> = touched
            .into_iter()
            .filter_map(|slot| self.slots.candidate(slot).map(|rank| rank.row.row))
            .collect();
        candidates.sort_unstable();
        Ok(candidates)
    }

    /// How many candidates there are: an upper bound of [`Self::live`] that costs nothing.
    pub const fn candidates(&self) -> usize {
        self.slots.occupied()
    }

    /// The candidates that can still win, ascending; everything else may be forgotten.
    pub fn live(&self) -> Vec<RowId> {
        let mut live: Vec<RowId> = self.slots.live().map(|rank| rank.row).collect();
        live.sort_unstable();
        live
    }

    /// The winners, once every feature row has been offered.
    pub fn finish(mut self) -> Matches {
        self.slots.carry_forward();
        let winner = |(time, rank): (i64, &crate::row::Rank)| {
            (!self.rule.is_expired(rank.event, time)).then_some(rank.row)
        };
        let rows = self.slots.rows().map(|row| row.and_then(winner)).collect();
        Matches { rows }
    }
}

impl Matches {
    /// One entry per spine row, in spine order; `None` where nothing matched.
    pub fn rows(&self) -> &[Option<RowId>] {
        &self.rows
    }

    /// How many spine rows found a feature row.
    pub fn matched(&self) -> usize {
        self.rows.iter().flatten().count()
    }
}

#[cfg(test)]
mod tests;
