//! The point-in-time join: for each spine row, the newest feature row that was visible at its time.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, TimestampMicrosecondArray};

use crate::keys::NO_KEY;
use crate::row::{Candidate, FeatureRows, RowId, RowIds};
use crate::spine_index::{NO_SLOT, SpineIndex, narrow};
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
    /// For each key, where its last row went.
    cursors: Vec<Cursor>,
    /// How many slots have a candidate.
    occupied: usize,
    batches: u32,
    scratch: Scratch,
}

/// The slot that the rows of a key go to which become visible within a stretch of time, and the best
/// of them.
///
/// Histories are sorted by time for the most part, so the next row of a key nearly always goes to the
/// slot of the one before, or to the next one, without a search. All that a row is compared with then
/// lies in one line of the cache, and there are as many lines as keys, far fewer than slots.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Cursor {
    /// The first and the last instant of the stretch; a later first one is no stretch at all.
    low: i64,
    high: i64,
    /// What the slot has when the cursor leaves it.
    best: Candidate,
    slot: u32,
}

impl Cursor {
    const NOWHERE: Self = Self {
        low: i64::MAX,
        high: i64::MIN,
        best: Candidate::VACANT,
        slot: NO_SLOT,
    };

    const fn covers(&self, from: i64) -> bool {
        self.low <= from && from <= self.high
    }
}

/// What a batch needs while it is offered, kept for the next one.
#[derive(Debug, Default)]
struct Scratch {
    numbers: Vec<u32>,
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
    /// Bytes that a join needs for each row of a spine at most.
    pub const BYTES_PER_ROW: usize = size_of::<Candidate>() + size_of::<Cursor>();

    /// Bytes that a join over `index` needs.
    pub fn bytes_over(index: &SpineIndex) -> usize {
        index.slots() * size_of::<Candidate>() + index.key_count() * size_of::<Cursor>()
    }

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
            cursors: vec![Cursor::NOWHERE; index.key_count()],
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

    /// Lets every row race for its slot.
    ///
    /// With `LIST`, notes the slots that changed hands, and keeps [`Self::candidates`] up to date
    /// where the cursors alone would do until [`Self::settle`].
    fn race<const LIST: bool>(
        &mut self,
        features: &FeatureRows<'_>,
        ids: &RowIds<'_>,
    ) -> Result<(), Error> {
        features.check(ids)?;
        let Scratch { numbers, touched } = &mut self.scratch;
        numbers.clear();
        // All keys first: the processor then waits for many of them at once.
        self.index
            .keys()
            .find(features.keys, features.len(), numbers)?;
        let events = features.event.values();
        for (row, (number, event)) in numbers.iter().zip(events).enumerate() {
            if *number == NO_KEY {
                continue;
            }
            let from = self.rule.visible_from(*event, features.created(row));
            let cursor = &mut self.cursors[*number as usize];
            if !cursor.covers(from) {
                if let Some(left) = self.candidates.get_mut(cursor.slot as usize) {
                    *left = cursor.best;
                }
                *cursor = self.index.cursor(*number, from, cursor.slot);
                if let Some(found) = self.candidates.get(cursor.slot as usize) {
                    cursor.best = *found;
                }
            }
            // Too old for its first slot is too old for every later one.
            if cursor.slot == NO_SLOT
                || *event < cursor.best.event
                || self.rule.is_expired(*event, cursor.high)
            {
                continue;
            }
            let candidate = features.candidate(row, ids);
            if !candidate.beats(&cursor.best) {
                continue;
            }
            if LIST {
                let batch = |candidate: &Candidate| candidate.id().map(|id| id.batch);
                if batch(&cursor.best) != batch(&candidate) {
                    touched.push(cursor.slot);
                }
                self.occupied += usize::from(cursor.best.is_vacant());
                self.candidates[cursor.slot as usize] = candidate;
            }
            cursor.best = candidate;
        }
        Ok(())
    }

    /// Puts what the cursors have into the slots.
    fn settle(&mut self) {
        for cursor in &mut self.cursors {
            if let Some(left) = self.candidates.get_mut(cursor.slot as usize) {
                *left = cursor.best;
            }
            *cursor = Cursor::NOWHERE;
        }
    }

    /// Takes over what `other`, a join over the same index, has found.
    pub fn merge(&mut self, mut other: Self) {
        self.settle();
        other.settle();
        for (best, candidate) in self.candidates.iter_mut().zip(&other.candidates) {
            if candidate.beats(best) {
                self.occupied += usize::from(best.is_vacant());
                *best = *candidate;
            }
        }
    }

    /// How many candidates there are, of rows that were offered in batches: an upper bound of
    /// [`Self::live`] that costs nothing.
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
    pub fn finish(mut self) -> Matches {
        self.settle();
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

impl SpineIndex {
    /// The slot of the key numbered `key` for rows that become visible at `from`, and for which other
    /// instants it would be the same; `near` is a slot where to look first.
    fn cursor(&self, key: u32, from: i64, near: u32) -> Cursor {
        let slots = self.slots_of_key(key);
        let times = &self.times()[slots.clone()];
        let (start, end) = (slots.start, slots.end);
        // The next slot, or else wherever it is.
        let next = (near as usize).wrapping_add(1).wrapping_sub(start);
        let at = if near != NO_SLOT
            && next < times.len()
            && times[next - 1] < from
            && from <= times[next]
        {
            next
        } else {
            times.partition_point(|time| *time < from)
        };
        let before = at.checked_sub(1).map(|before| times[before]);
        // A time that another one follows is not the last there is.
        let low = before.map_or(i64::MIN, |before| before + 1);
        match times.get(at) {
            Some(time) => Cursor {
                low,
                high: *time,
                slot: narrow(start + at),
                ..Cursor::NOWHERE
            },
            None if start == end => Cursor::NOWHERE,
            None => Cursor {
                low,
                high: i64::MAX,
                ..Cursor::NOWHERE
            },
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
