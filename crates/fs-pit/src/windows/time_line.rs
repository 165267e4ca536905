//! [`TimeLine`]: the time of each key, cut wherever a window of a spine row starts or ends.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::BooleanBufferBuilder;
use arrow::buffer::BooleanBuffer;
use fs_core::{Window, WindowLength};

use super::{WindowPlan, covers};
use crate::spine_index::{in_parallel, narrow};
use crate::{Error, SpineIndex};

/// The time line of each key of a spine, cut at every instant at which a window starts or ends.
///
/// ```text
///   key 7, slots 10:00 and 13:00, windows 1h and 4h
///
///     06:00   09:00 10:00   12:00 13:00
///   ────┼───────┼─────┼───────┼─────┼────>
///   dead    0      1      2      3    dead          interval 0 is (06:00, 09:00]
///           └─────────4h────────────┘
///                             └─1h──┘
/// ```
///
/// Of the events in one interval, either all count in a window or none does. So an interval needs
/// to keep no events, only partial aggregates of them, and memory follows the spine and not the
/// history. An interval that no window covers is *dead*: its events count nowhere.
///
/// It never changes, so all joins over the same spine and windows share one.
#[derive(Debug)]
pub struct TimeLine {
    index: Arc<SpineIndex>,
    plan: Arc<WindowPlan>,
    /// Where the cuts of each key start; one more entry for the end.
    starts: Vec<u32>,
    /// The cuts of each key, ascending; interval `i` ends with cut `i`, inclusive.
    cuts: Vec<i64>,
    dead: BooleanBuffer,
    /// Of the windows that have a start.
    lengths: Vec<i64>,
}

/// The time lines of a range of keys.
struct Part {
    cuts: Vec<i64>,
    dead: BooleanBufferBuilder,
    /// How many cuts each key has.
    counts: Vec<u32>,
}

impl TimeLine {
    /// Cuts the time lines of a spine for the windows of a plan.
    pub fn new(index: Arc<SpineIndex>, plan: Arc<WindowPlan>) -> Result<Self, Error> {
        let windows = plan.windows();
        let parts = in_parallel(index.starts(), |keys| Part::new(keys, &index, windows));
        let cuts: usize = parts.iter().map(|part| part.cuts.len()).sum();
        if cuts >= u32::MAX as usize {
            return Err(Error::TooMany);
        }
        let mut line = Self {
            starts: Vec::with_capacity(index.starts().len()),
            cuts: Vec::with_capacity(cuts),
            lengths: lengths(windows).collect(),
            dead: BooleanBuffer::new_unset(0),
            index,
            plan,
        };
        let mut dead = BooleanBufferBuilder::new(cuts);
        line.starts.push(0);
        let mut end = 0;
        for mut part in parts {
            for count in &part.counts {
                end += count;
                line.starts.push(end);
            }
            line.cuts.extend_from_slice(&part.cuts);
            dead.append_buffer(&part.dead.finish());
        }
        line.dead = dead.finish();
        Ok(line)
    }

    /// Bytes that a time line over `index` takes at most, while it is built.
    pub fn bytes_over(index: &SpineIndex, plan: &WindowPlan) -> usize {
        let cuts = index.slots() * (1 + lengths(plan.windows()).count());
        // Once for a range of keys, and once for all.
        cuts * 2 * (size_of::<i64>() + 1) + index.key_count() * 8
    }

    /// Bytes on the heap, those of the shared index apart.
    pub fn bytes(&self) -> usize {
        size_of_val(self.cuts.as_slice())
            + size_of_val(self.starts.as_slice())
            + self.dead.inner().len()
    }

    /// The lookup that it was cut from.
    pub const fn index(&self) -> &Arc<SpineIndex> {
        &self.index
    }

    /// What is kept in each interval, and what is made of it.
    pub const fn plan(&self) -> &Arc<WindowPlan> {
        &self.plan
    }

    /// The windows, ascending; a lifetime is the last.
    pub(super) fn windows(&self) -> &[Window] {
        self.plan.windows()
    }

    /// How many intervals there are.
    pub(super) const fn intervals(&self) -> usize {
        self.cuts.len()
    }

    /// The intervals of the key numbered `key`.
    pub(super) fn of_key(&self, key: u32) -> Range<u32> {
        let key = key as usize;
        self.starts[key]..self.starts[key + 1]
    }

    pub(super) fn cuts(&self) -> &[i64] {
        &self.cuts
    }

    /// The intervals that no window covers.
    pub(super) fn dead(&self) -> impl Iterator<Item = usize> {
        self.dead.set_indices()
    }

    /// How long the windows are that have a start, shortest first.
    pub(super) fn lengths(&self) -> &[i64] {
        &self.lengths
    }
}

/// How long the windows are that have a start.
fn lengths(windows: &[Window]) -> impl Iterator<Item = i64> {
    let lengths = windows.iter().filter_map(|window| window.length());
    lengths.map(WindowLength::as_micros)
}

impl Part {
    fn new(keys: Range<usize>, index: &SpineIndex, windows: &[Window]) -> Self {
        let mut part = Self {
            cuts: Vec::new(),
            dead: BooleanBufferBuilder::new(0),
            counts: Vec::with_capacity(keys.len()),
        };
        let mut scratch = Vec::new();
        for slots in index.starts()[keys.start..=keys.end].windows(2) {
            let times = &index.times()[slots[0] as usize..slots[1] as usize];
            part.push(times, windows, &mut scratch);
        }
        part
    }

    fn push(&mut self, times: &[i64], windows: &[Window], scratch: &mut Vec<i64>) {
        scratch.clear();
        for window in windows.iter().rev() {
            scratch.extend(times.iter().filter_map(|at| covers::start(*window, *at)));
        }
        scratch.extend_from_slice(times);
        #[expect(
            clippy::stable_sort_primitive,
            reason = "there is an ascending run for each window, which this sort makes use of"
        )]
        scratch.sort();
        scratch.dedup();
        self.counts.push(narrow(scratch.len()));
        self.cuts.extend_from_slice(scratch);

        let Some(longest) = windows.last() else {
            self.dead.append_n(scratch.len(), true);
            return;
        };
        let mut slots = times.iter().peekable();
        let mut before = None;
        for cut in scratch {
            while slots.next_if(|slot| **slot < *cut).is_some() {}
            // What the first slot at or after an interval does not cover, no later one does.
            let start = slots.peek().map(|slot| covers::start(*longest, **slot));
            let covered = start.is_some_and(|start| start.is_none() || start <= before);
            self.dead.append(!covered);
            before = Some(*cut);
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array, TimestampMicrosecondArray};

    use super::*;
    use crate::Rule;
    use crate::windows::fixture::{count_in, last};

    /// The intervals of each key as (end, whether it is dead).
    fn line(spine: &[(i64, i64)], windows: &[Window]) -> Vec<Vec<(i64, bool)>> {
        let keys: ArrayRef = Arc::new(spine.iter().map(|row| Some(row.0)).collect::<Int64Array>());
        let times: TimestampMicrosecondArray = spine.iter().map(|row| Some(row.1)).collect();
        let index = Arc::new(SpineIndex::new(&[keys], &times).unwrap());
        let plan = Arc::new(count_in(windows, Rule::default()));
        let line = TimeLine::new(Arc::clone(&index), Arc::clone(&plan)).unwrap();
        assert!(line.bytes() <= TimeLine::bytes_over(&index, &plan) + 64);
        let of_key = |key: usize| {
            let intervals = line.of_key(narrow(key));
            let dead: Vec<usize> = line.dead().collect();
            let interval = |at: usize| (line.cuts()[at], dead.contains(&at));
            intervals
                .map(|at| interval(at as usize))
                .collect::<Vec<_>>()
        };
        (0..index.key_count()).map(of_key).collect()
    }

    #[test]
    fn time_is_cut_where_windows_start_and_end() {
        let found = line(&[(7, 1000), (7, 1300)], &[last(100), last(400)]);
        let dead = true;
        let expected = [
            (600, dead),
            (900, !dead),
            (1000, !dead),
            (1200, !dead),
            (1300, !dead),
        ];
        assert_eq!(found, [expected]);
    }

    #[test]
    fn what_no_window_covers_is_dead() {
        let found = line(&[(7, 1000), (7, 1300), (8, 5)], &[last(100)]);
        let dead = true;
        let expected = [
            vec![(900, dead), (1000, !dead), (1200, dead), (1300, !dead)],
            vec![(-95, dead), (5, !dead)],
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_lifetime_covers_everything_since_the_beginning_of_time() {
        let found = line(&[(7, 1000), (7, 1300)], &[last(100), Window::Lifetime]);
        assert!(found[0].iter().all(|(_, dead)| !dead));
        let found = line(&[(7, i64::MIN + 5)], &[last(3), last(6)]);
        assert_eq!(found, [[(i64::MIN + 2, false), (i64::MIN + 5, false)]]);
    }

    #[test]
    fn windows_that_meet_share_their_cuts() {
        let spine: Vec<(i64, i64)> = (0..100).map(|day| (7, day)).collect();
        let found = line(&spine, &[last(1), last(7), last(30)]);
        assert_eq!(found[0].len(), 130);
    }
}
