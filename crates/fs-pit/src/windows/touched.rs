//! [`Touched`]: the intervals of a key that have events, and which of them each window covers.

use std::ops::Range;

use fs_core::Window;

use super::places::{Late, Places};
use super::time_line::TimeLine;
use crate::spine_index::narrow;

/// A partial of one of several joins, and the leaf that it is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) leaf: u32,
    pub(super) join: u32,
    pub(super) place: u32,
}

/// The intervals of one key that have events, numbered as *leaves* in the order of time; and for
/// each of its slots, which leaves its windows cover.
///
/// ```text
///   slots              10:00      13:00
///   leaves         0     1     2    3
///   ends                 2          4
///   begins, 1h           1          3
///   begins, 4h           0          1
/// ```
#[derive(Debug, Default)]
pub(super) struct Touched {
    /// Ascending by leaf.
    pub(super) sources: Vec<Source>,
    /// Those of late events, beside the slot, counted from the first of the key, from which on they
    /// count; ascending by slot.
    pub(super) late: Vec<(u32, Source)>,
    pub(super) leaves: usize,
    /// For each slot, the leaf after the last one.
    pub(super) ends: Vec<u32>,
    /// For each slot, and each window with a start, the first leaf; the shortest window first.
    begins: Vec<u32>,
    /// How many windows have a start.
    bounded: usize,
    /// Where each leaf ends in time.
    cuts: Vec<i64>,
    /// For each leaf, the first slot at which anything of it counts.
    since: Vec<u32>,
}

impl Touched {
    /// Goes to the key numbered `key`; `late` are the late partials of each join.
    pub(super) fn go(
        &mut self,
        line: &TimeLine,
        joins: &[&Places],
        late: &mut [&[Late]],
        key: u32,
    ) {
        let slots = line.index().slots_of_key(key);
        self.find_leaves(line, joins, late, key, slots.start);
        self.find_windows(line, &line.index().times()[slots]);
    }

    /// How many slots the key has.
    pub(super) const fn slots(&self) -> usize {
        self.ends.len()
    }

    /// The first leaves of the windows that have a start, at slot `slot`.
    pub(super) fn begins(&self, slot: usize) -> &[u32] {
        &self.begins[slot * self.bounded..][..self.bounded]
    }

    /// Whether any event counts in any window at `slot`.
    pub(super) fn is_matched(&self, slot: usize, windows: &[Window]) -> bool {
        let begin = match self.begins(slot).last() {
            Some(begin) if windows.len() == self.bounded => *begin,
            _ => 0,
        };
        let mut leaves = self.since[begin as usize..self.ends[slot] as usize].iter();
        leaves.any(|since| *since as usize <= slot)
    }

    fn find_leaves(
        &mut self,
        line: &TimeLine,
        joins: &[&Places],
        late: &mut [&[Late]],
        key: u32,
        first_slot: usize,
    ) {
        self.sources.clear();
        self.late.clear();
        self.cuts.clear();
        self.since.clear();
        let intervals = line.of_key(key);
        let mut partials: Vec<_> = joins
            .iter()
            .map(|places| places.of_intervals(intervals.clone()))
            .collect();
        for interval in intervals {
            let leaf = narrow(self.cuts.len());
            let mut since = u32::MAX;
            for ((join, partials), late) in (0..).zip(&mut partials).zip(&mut *late) {
                if let Some(place) = partials.next().flatten() {
                    self.sources.push(Source { leaf, join, place });
                    since = 0;
                }
                while let Some((next, rest)) = late.split_first()
                    && next.interval == interval
                {
                    let slot = next.slot - narrow(first_slot);
                    let place = next.place;
                    self.late.push((slot, Source { leaf, join, place }));
                    since = since.min(slot);
                    *late = rest;
                }
            }
            if since != u32::MAX {
                self.cuts.push(line.cuts()[interval as usize]);
                self.since.push(since);
            }
        }
        self.leaves = self.cuts.len();
        self.late.sort_by_key(|(slot, _)| *slot);
    }

    fn find_windows(&mut self, line: &TimeLine, times: &[i64]) {
        let lengths = line.lengths();
        self.bounded = lengths.len();
        self.ends.clear();
        let mut end = 0;
        self.ends.extend(times.iter().map(|time| {
            end += ahead(&self.cuts[end..], *time);
            narrow(end)
        }));
        self.begins.clear();
        self.begins.resize(times.len() * self.bounded, 0);
        for (at, length) in lengths.iter().enumerate() {
            let mut begin = 0;
            for (slot, time) in times.iter().enumerate() {
                // A start before all time is none; see `covers`.
                if let Some(start) = time.checked_sub(*length) {
                    begin += ahead(&self.cuts[begin..], start);
                }
                self.begins[slot * self.bounded + at] = narrow(begin);
            }
        }
    }
}

/// How many cuts are not after `time`.
fn ahead(cuts: &[i64], time: i64) -> usize {
    cuts.iter().take_while(|cut| **cut <= time).count()
}

/// The late partials of a range of intervals.
pub(super) fn late_of(late: &[Late], intervals: Range<u32>) -> &[Late] {
    let start = late.partition_point(|late| late.interval < intervals.start);
    let end = late.partition_point(|late| late.interval < intervals.end);
    &late[start..end]
}
