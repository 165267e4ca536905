//! The point-in-time join: for each spine row, the newest feature row that was visible at its time.

use std::hint::black_box;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, TimestampMicrosecondArray};

use crate::row::{Candidate, FeatureRows, RowId, RowIds};
use crate::spine_index::{NO_SLOT, SpineIndex, in_parallel, narrow};
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
/// Several joins can share an index, each see a part of the feature rows, and
/// [finish together](Self::finish_together).
#[derive(Debug)]
pub struct PointInTimeJoin {
    rule: Rule,
    index: Arc<SpineIndex>,
    slots: Vec<Slot>,
    /// For each key, where its last row went.
    cursors: Vec<Cursor>,
    /// How many slots have a candidate.
    occupied: usize,
    batches: u32,
    scratch: Scratch,
}

/// A place where a row can win: a time of the index, and the best row for it so far.
#[derive(Debug, Clone, Copy)]
struct Slot {
    time: i64,
    best: Candidate,
}

impl Slot {
    const fn vacant(time: i64) -> Self {
        Self {
            time,
            best: Candidate::VACANT,
        }
    }
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
    /// The slot after the last one of the key.
    end: u32,
}

impl Cursor {
    const NOWHERE: Self = Self {
        low: i64::MAX,
        high: i64::MIN,
        best: Candidate::VACANT,
        slot: NO_SLOT,
        end: 0,
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

/// So many rows are prepared for at a time.
const BLOCK_ROWS: usize = 64;

/// No row has this number, because there are not that many batches.
const NO_ROW: u64 = u64::MAX;

impl PointInTimeJoin {
    /// Bytes that a join needs for each row of a spine at most.
    pub const BYTES_PER_ROW: usize = size_of::<Slot>() + size_of::<Cursor>();

    /// Bytes that a join over `index` needs.
    pub fn bytes_over(index: &SpineIndex) -> usize {
        index.slots() * size_of::<Slot>() + index.key_count() * size_of::<Cursor>()
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
            slots: index
                .times()
                .iter()
                .map(|time| Slot::vacant(*time))
                .collect(),
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
            .filter_map(|slot| self.slots[*slot as usize].best.id().map(|id| id.row))
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
    /// With `LIST`, notes the slots that changed hands, and keeps the slots up to date
    /// where the cursors alone would do until [`Self::settle`].
    fn race<const LIST: bool>(
        &mut self,
        features: &FeatureRows<'_>,
        ids: &RowIds<'_>,
    ) -> Result<(), Error> {
        features.check(ids)?;
        let numbers = &mut self.scratch.numbers;
        numbers.clear();
        self.index
            .keys()
            .find(features.keys, features.len(), numbers)?;
        for start in (0..features.len()).step_by(BLOCK_ROWS) {
            let rows = start..features.len().min(start + BLOCK_ROWS);
            self.touch(features, rows.clone());
            for row in rows {
                self.race_row::<LIST>(features, ids, row);
            }
        }
        Ok(())
    }

    /// Reads what the next rows will need, so that the processor waits for all of it at once, where
    /// each row would wait for its own.
    fn touch(&self, features: &FeatureRows<'_>, rows: Range<usize>) {
        let mut touched = 0;
        for number in &self.scratch.numbers[rows.clone()] {
            if let Some(cursor) = self.cursors.get(*number as usize) {
                touched ^= cursor.low;
            }
        }
        for row in rows {
            let number = self.scratch.numbers[row];
            if let Some(cursor) = self.cursors.get(number as usize)
                && !cursor.covers(self.visible_from(features, row))
                && let Some(slot) = self.slots.get(cursor.slot as usize + 1)
            {
                touched ^= slot.time;
            }
        }
        black_box(touched);
    }

    fn visible_from(&self, features: &FeatureRows<'_>, row: usize) -> i64 {
        let event = features.event.values()[row];
        self.rule.visible_from(event, features.created(row))
    }

    #[inline]
    fn race_row<const LIST: bool>(
        &mut self,
        features: &FeatureRows<'_>,
        ids: &RowIds<'_>,
        row: usize,
    ) {
        let number = self.scratch.numbers[row];
        let Some(cursor) = self.cursors.get_mut(number as usize) else {
            return;
        };
        let event = features.event.values()[row];
        let from = self.rule.visible_from(event, features.created(row));
        if !cursor.covers(from) {
            cursor.go(number, from, &mut self.slots, &self.index);
        }
        // Too old for its first slot is too old for every later one.
        if cursor.slot == NO_SLOT
            || event < cursor.best.event
            || self.rule.is_expired(event, cursor.high)
        {
            return;
        }
        let candidate = features.candidate(row, ids);
        if !candidate.beats(&cursor.best) {
            return;
        }
        if LIST {
            let batch = |candidate: &Candidate| candidate.id().map(|id| id.batch);
            if batch(&cursor.best) != batch(&candidate) {
                self.scratch.touched.push(cursor.slot);
            }
            self.occupied += usize::from(cursor.best.is_vacant());
            self.slots[cursor.slot as usize].best = candidate;
        }
        cursor.best = candidate;
    }

    /// Puts what the cursors have into the slots.
    fn settle(&mut self) {
        for cursor in &mut self.cursors {
            if let Some(left) = self.slots.get_mut(cursor.slot as usize) {
                left.best = cursor.best;
            }
            *cursor = Cursor::NOWHERE;
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
            for slot in &self.slots[slots] {
                if slot.best.beats(&best) {
                    best = slot.best;
                    live.extend(best.id());
                }
            }
        }
        live.sort_unstable();
        live
    }

    /// The winners, once every feature row has been offered.
    pub fn finish(self) -> Matches {
        let index = Arc::clone(&self.index);
        Self::finish_together(vec![self], index)
    }

    /// The winners of joins over `index` each of which saw a part of the feature rows.
    pub fn finish_together(mut joins: Vec<Self>, index: Arc<SpineIndex>) -> Matches {
        for join in &mut joins {
            join.settle();
        }
        let joins = &joins;
        let of_keys = |keys: Range<usize>| {
            let starts = &index.starts()[keys.start..=keys.end];
            let mut winners = Vec::with_capacity((starts[keys.len()] - starts[0]) as usize);
            for slots in starts.windows(2) {
                winners_of_key(joins, slots[0] as usize..slots[1] as usize, &mut winners);
            }
            winners
        };
        let winners = in_parallel(index.starts(), of_keys).concat();
        Matches { index, winners }
    }
}

/// Carries the best candidate of a key on from slot to slot.
fn winners_of_key(joins: &[PointInTimeJoin], slots: Range<usize>, winners: &mut Vec<u64>) {
    let mut best = Candidate::VACANT;
    for slot in slots {
        let mut fresh = false;
        for join in joins {
            let Slot { time, best: found } = &join.slots[slot];
            if found.beats(&best) {
                best = *found;
            }
            fresh = !join.rule.is_expired(best.event, *time);
        }
        let winner = best.id().filter(|_| fresh);
        winners.push(winner.map_or(NO_ROW, RowId::pack));
    }
}

impl Cursor {
    /// Goes to the slot of the key numbered `key` for rows that become visible at `from`, and leaves
    /// in the slot where it was what it found for it.
    fn go(&mut self, key: u32, from: i64, slots: &mut [Slot], index: &SpineIndex) {
        if let Some(left) = slots.get_mut(self.slot as usize) {
            left.best = self.best;
            // Nearly always it is the next one.
            let next = self.slot + 1;
            if next < self.end
                && self.high < from
                && let Some(slot) = slots.get(next as usize)
                && from <= slot.time
            {
                self.low = self.high + 1;
                self.high = slot.time;
                self.best = slot.best;
                self.slot = next;
                return;
            }
        }
        *self = Self::search(key, from, slots, index);
    }

    fn search(key: u32, from: i64, slots: &[Slot], index: &SpineIndex) -> Self {
        let of_key = index.slots_of_key(key);
        let times = &index.times()[of_key.clone()];
        let at = times.partition_point(|time| *time < from);
        // A time that is before another one is not the last there is.
        let low = at
            .checked_sub(1)
            .map_or(i64::MIN, |before| times[before] + 1);
        match slots[of_key.clone()].get(at) {
            Some(slot) => Self {
                low,
                high: slot.time,
                best: slot.best,
                slot: narrow(of_key.start + at),
                end: narrow(of_key.end),
            },
            None => Self {
                low,
                high: i64::MAX,
                ..Self::NOWHERE
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
