//! The point-in-time join: for each spine row, the newest feature row that was visible at its time.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, TimestampMicrosecondArray};

use crate::keys::NO_KEY;
use crate::row::{Candidate, FeatureRows, RowId, RowIds};
use crate::spine_index::{NO_SLOT, SpineIndex};
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
/// The lookup is built on the spine: per key, its distinct times in order, the *slots* of a
/// [`SpineIndex`]. Feature rows come in batches, in any order, and are never sorted. A row finds its
/// key by hash and, by binary search, the first slot at which it is visible; it takes the slot if it
/// ranks above the slot's candidate: by event time, then created time, then sequence, then arrival.
/// In the end one pass over each key carries the best candidate on to later slots, where the TTL is
/// applied. Only the winner needs that check, because every other visible row has an event time no
/// later.
///
/// Costs: one hash lookup and one binary search a feature row. Memory is proportional to the spine.
/// Several joins can share an index, each see a part of the feature rows, and be [merged](Self::merge).
#[derive(Debug)]
pub struct PointInTimeJoin {
    rule: Rule,
    index: Arc<SpineIndex>,
    candidates: Vec<Candidate>,
    /// How many slots have a candidate.
    occupied: usize,
    batches: u32,
    scratch: Scratch,
}

/// What a batch needs while it is offered, kept for the next one.
#[derive(Debug, Default)]
struct Scratch {
    numbers: Vec<u32>,
    slots: Vec<u32>,
    touched: Vec<u32>,
}

/// The feature row of each spine row.
#[derive(Debug, Clone)]
pub struct Matches {
    index: Arc<SpineIndex>,
    /// The winner of each slot, packed; [`NO_ROW`] where nothing matched.
    winners: Vec<u64>,
}

/// No row has this number, because there are not that many batches.
const NO_ROW: u64 = u64::MAX;

impl PointInTimeJoin {
    /// Bytes that a join needs for each slot of its index.
    pub const BYTES_PER_SLOT: usize = size_of::<Candidate>();

    /// Prepares the slots of a spine. Every spine time must be there; keys may be null.
    pub fn new(
        spine_keys: &[ArrayRef],
        spine_times: &TimestampMicrosecondArray,
        rule: Rule,
    ) -> Result<Self, Error> {
        let index = SpineIndex::new(spine_keys, spine_times)?;
        Ok(Self::over(Arc::new(index), rule))
    }

    /// A join over an index that exists already.
    pub fn over(index: Arc<SpineIndex>, rule: Rule) -> Self {
        Self {
            rule,
            candidates: vec![Candidate::VACANT; index.slots()],
            index,
            occupied: 0,
            batches: 0,
            scratch: Scratch::default(),
        }
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
        let candidates = self.offer_batch(&features, batch)?;
        self.batches = batch.checked_add(1).ok_or(Error::TooMany)?;
        Ok(candidates)
    }

    /// The same for a batch with a number of the caller's choice, greater than any before.
    pub fn offer_batch(
        &mut self,
        features: &FeatureRows<'_>,
        batch: u32,
    ) -> Result<Vec<u32>, Error> {
        self.scratch.touched.clear();
        self.race::<true>(features, &RowIds::Batch(batch))?;
        let mut candidates: Vec<u32> = self
            .scratch
            .touched
            .iter()
            .filter_map(|slot| self.candidates[*slot as usize].id().map(|id| id.row))
            .collect();
        candidates.sort_unstable();
        Ok(candidates)
    }

    /// Offers rows that the caller can find again where `ids` says, so that nothing of them needs
    /// to be kept.
    pub fn offer_at(&mut self, features: &FeatureRows<'_>, ids: &RowIds<'_>) -> Result<(), Error> {
        self.race::<false>(features, ids)
    }

    /// Lets every row race for its slot; with `LIST`, notes the slots that changed hands.
    ///
    /// One thing at a time for all rows, so that the processor waits for many rows at once where
    /// each would wait for memory alone.
    fn race<const LIST: bool>(
        &mut self,
        features: &FeatureRows<'_>,
        ids: &RowIds<'_>,
    ) -> Result<(), Error> {
        features.check(ids)?;
        let Scratch {
            numbers,
            slots,
            touched,
        } = &mut self.scratch;
        numbers.clear();
        self.index
            .keys()
            .find(features.keys, features.len(), numbers)?;
        let events = features.event.values();
        slots.clear();
        slots.extend(numbers.iter().enumerate().map(|(row, number)| {
            if *number == NO_KEY {
                return NO_SLOT;
            }
            let from = self.rule.visible_from(events[row], features.created(row));
            self.index.first_from(*number, from)
        }));
        for (row, slot) in slots.iter().enumerate() {
            if *slot == NO_SLOT {
                continue;
            }
            let best = &mut self.candidates[*slot as usize];
            // Too old for its first slot is too old for every later one.
            if events[row] < best.event
                || self
                    .rule
                    .is_expired(events[row], self.index.times()[*slot as usize])
            {
                continue;
            }
            let candidate = features.candidate(row, ids);
            if !candidate.beats(best) {
                continue;
            }
            if LIST {
                let batch = candidate.id().map(|id| id.batch);
                if best.id().map(|id| id.batch) != batch {
                    touched.push(*slot);
                }
            }
            self.occupied += usize::from(best.is_vacant());
            *best = candidate;
        }
        Ok(())
    }

    /// Takes over what `other`, a join over the same index, has found.
    pub fn merge(&mut self, other: &Self) {
        for (best, candidate) in self.candidates.iter_mut().zip(&other.candidates) {
            if candidate.beats(best) {
                self.occupied += usize::from(best.is_vacant());
                *best = *candidate;
            }
        }
    }

    /// How many candidates there are: an upper bound of [`Self::live`] that costs nothing.
    pub const fn candidates(&self) -> usize {
        self.occupied
    }

    /// The candidates that can still win, ascending; everything else may be forgotten.
    pub fn live(&self) -> Vec<RowId> {
        let mut live = Vec::new();
        for slots in self.index.slots_of_keys() {
            let mut best = Candidate::VACANT;
            for candidate in &self.candidates[slots] {
                if candidate.beats(&best) {
                    best = *candidate;
                    live.extend(candidate.id());
                }
            }
        }
        live.sort_unstable();
        live
    }

    /// The winners, once every feature row has been offered.
    pub fn finish(self) -> Matches {
        let mut winners = Vec::with_capacity(self.candidates.len());
        for slots in self.index.slots_of_keys() {
            let mut best = Candidate::VACANT;
            for slot in slots {
                if self.candidates[slot].beats(&best) {
                    best = self.candidates[slot];
                }
                let time = self.index.times()[slot];
                let winner = best
                    .id()
                    .filter(|_| !self.rule.is_expired(best.event, time));
                winners.push(winner.map_or(NO_ROW, RowId::pack));
            }
        }
        Matches {
            index: self.index,
            winners,
        }
    }
}

impl Matches {
    /// How many spine rows there are.
    pub fn len(&self) -> usize {
        self.index.rows()
    }

    /// Whether the spine has no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The feature row of spine row `row`; `None` where nothing matched.
    pub fn row(&self, row: usize) -> Option<RowId> {
        let winner = self.winners[self.index.slot_of_row(row)?];
        (winner != NO_ROW).then(|| RowId::unpack(winner))
    }

    /// One entry per spine row, in spine order; `None` where nothing matched.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Option<RowId>> {
        (0..self.len()).map(|row| self.row(row))
    }

    /// How many spine rows found a feature row.
    pub fn matched(&self) -> usize {
        self.rows().flatten().count()
    }

    /// Every feature row that won anywhere, ascending, once.
    pub fn winners(&self) -> Vec<RowId> {
        let won = self.winners.iter().filter(|winner| **winner != NO_ROW);
        let mut rows: Vec<RowId> = won.map(|winner| RowId::unpack(*winner)).collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// Bytes on the heap, those of the shared index apart.
    pub fn bytes(&self) -> usize {
        size_of_val(self.winners.as_slice())
    }
}

#[cfg(test)]
mod tests;
