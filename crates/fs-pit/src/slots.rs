//! The places where a feature row can win: per key of the spine, its distinct times in order.

use crate::row::Rank;

/// The slots of a spine, grouped by key, each with the best row that became visible in it.
///
/// ```text
///   spine                      slots
///   key  t                     key 0: 10:00  13:00
///   0    13:00                 key 1: 09:00
///   1    09:00
///   0    10:00
///   0    13:00                 row -> slot: 1, 2, 0, 1
/// ```
#[derive(Debug)]
pub(crate) struct Slots {
    /// Where the slots of each key start; one more entry for the end.
    starts: Vec<usize>,
    times: Vec<i64>,
    candidates: Vec<Option<Rank>>,
    /// How many slots have a candidate.
    occupied: usize,
    /// The slot of each spine row; none where its key has a null.
    slot_of_row: Vec<Option<usize>>,
}

impl Slots {
    /// The slots of spine rows with these keys, numbered below `key_count`, and times.
    pub(crate) fn new(keys: &[Option<u32>], times: &[i64], key_count: usize) -> Self {
        let mut order: Vec<(u32, i64, usize)> = keys
            .iter()
            .zip(times)
            .enumerate()
            .filter_map(|(row, (key, time))| key.map(|key| (key, *time, row)))
            .collect();
        order.sort_unstable();

        let mut starts = Vec::with_capacity(key_count + 1);
        let mut slot_times: Vec<i64> = Vec::new();
        let mut slot_of_row = vec![None; times.len()];
        let mut last = None;
        for (key, time, row) in order {
            if last != Some((key, time)) {
                // Every key was taken from a row, so this adds one start for each new key.
                while starts.len() <= key as usize {
                    starts.push(slot_times.len());
                }
                slot_times.push(time);
                last = Some((key, time));
            }
            slot_of_row[row] = Some(slot_times.len() - 1);
        }
        while starts.len() <= key_count {
            starts.push(slot_times.len());
        }
        Self {
            starts,
            candidates: vec![None; slot_times.len()],
            times: slot_times,
            occupied: 0,
            slot_of_row,
        }
    }

    /// The first slot of `key` at or after `from`, and its time.
    pub(crate) fn first_from(&self, key: u32, from: i64) -> Option<(usize, i64)> {
        let key = key as usize;
        let (start, end) = (self.starts[key], self.starts[key + 1]);
        let slot = start + self.times[start..end].partition_point(|time| *time < from);
        (slot < end).then(|| (slot, self.times[slot]))
    }

    /// Makes `rank` the candidate of `slot`; answers with what it replaced.
    pub(crate) fn replace(&mut self, slot: usize, rank: Rank) -> Option<Rank> {
        let replaced = self.candidates[slot].replace(rank);
        self.occupied += usize::from(replaced.is_none());
        replaced
    }

    pub(crate) fn candidate(&self, slot: usize) -> Option<&Rank> {
        self.candidates[slot].as_ref()
    }

    /// How many slots have a candidate.
    pub(crate) const fn occupied(&self) -> usize {
        self.occupied
    }

    /// The candidates that beat everything before them: only these can win anything.
    pub(crate) fn live(&self) -> impl Iterator<Item = &Rank> {
        self.starts.windows(2).flat_map(|range| {
            let mut best: Option<&Rank> = None;
            self.candidates[range[0]..range[1]]
                .iter()
                .flatten()
                .filter(move |candidate| {
                    let beats = best.is_none_or(|best| *candidate > best);
                    if beats {
                        best = Some(candidate);
                    }
                    beats
                })
        })
    }

    /// Carries the best candidate of each key on to its later slots.
    pub(crate) fn carry_forward(&mut self) {
        for range in self.starts.windows(2) {
            let mut best = None;
            for candidate in &mut self.candidates[range[0]..range[1]] {
                best = best.max(*candidate);
                *candidate = best;
            }
        }
    }

    /// The slot of each spine row, as its time and candidate, in spine order.
    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = Option<(i64, &Rank)>> {
        self.slot_of_row.iter().map(|slot| {
            let slot = (*slot)?;
            Some((self.times[slot], self.candidate(slot)?))
        })
    }
}
