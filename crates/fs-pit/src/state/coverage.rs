//! [`Coverage`]: at which instants a state must be able to answer, and so what it keeps apart.

use fs_core::{EventTime, Span, Window};

use super::schema::Schema;
use crate::windows::covers::start;
use crate::windows::plan::WindowPlan;
use std::sync::Arc;

/// At which instants a state is to answer, and what it may take for that.
///
/// As `now` moves from `as_of` to `as_of + horizon`, the start of a window of length `w` moves over the
/// events of `(as_of - w, as_of + horizon - w]`, and its end over those of `(as_of, as_of + horizon]`. Events
/// of these *zones* are kept apart, the others are merged:
///
/// ```text
///            as_of - 7d    + H           as_of - 1h   + H        as_of        + H
///   ─────────────┼──────────┼─────────────────┼────────┼───────────┼───────────┼──────> x
///      merged       apart        merged          apart    merged      apart      merged
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// The instant from which on it is to answer.
    pub as_of: EventTime,
    /// For how long from then on.
    pub horizon: Span,
    /// Another instant from which on it is to answer for as long: the clock on the wall, where `as_of` is
    /// far behind it.
    pub also_from: Option<EventTime>,
    /// How much it may keep apart.
    pub limits: Limits,
}

/// How many events a state keeps apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// A key with so many events or fewer keeps all of them apart: it can always answer.
    pub few: usize,
    /// In one zone, at most so many instants are kept apart: those that a window comes to first. The
    /// others are merged, and what the state can answer ends earlier.
    pub instants: usize,
    /// If more events than these were pushed since the last publication, the older half is put in the form in
    /// which published events are.
    pub pushed: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            few: 64,
            instants: 4096,
            pushed: 4096,
        }
    }
}

impl Coverage {
    /// All of `as_of` and the `horizon` after it.
    pub fn new(as_of: EventTime, horizon: Span) -> Self {
        Self {
            as_of,
            horizon,
            also_from: None,
            limits: Limits::default(),
        }
    }
}

/// How the states of a view are made: what is kept of its events, and which of them are kept apart.
///
/// Made once for a publication or a push, and shared by all keys.
#[derive(Debug, Clone)]
pub struct StateShape {
    pub(super) plan: Arc<WindowPlan>,
    pub(super) schema: Schema,
    pub(super) limits: Limits,
    /// Over which events the start of a window moves.
    starts: Zones,
    /// Over which events its end moves.
    ends: Zones,
    /// For each lane, the last instant that is too early for all of its windows at all instants.
    too_early: Vec<Option<i64>>,
}

/// Stretches of time, ascending and apart, each without its first instant and with its last.
#[derive(Debug, Clone, Default)]
struct Zones(Vec<Zone>);

#[derive(Debug, Clone, Copy)]
struct Zone {
    /// None: from the beginning of time.
    after: Option<i64>,
    to: i64,
}

/// Where an event lies among the zones: by the time `x` that starts of windows pass, and by the time `v`
/// that ends of windows pass. Zone `i` is number `2 i + 1`, and the gap before it `2 i`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    start: u32,
    end: u32,
}

impl StateShape {
    /// How states of `plan` are made, so that they answer wherever `coverage` says.
    pub fn new(plan: Arc<WindowPlan>, coverage: Coverage) -> Self {
        let Coverage {
            horizon, limits, ..
        } = coverage;
        let bases = [Some(coverage.as_of), coverage.also_from];
        let bases: Vec<i64> = bases
            .into_iter()
            .flatten()
            .map(EventTime::as_micros)
            .collect();
        let last = |base: i64| base.saturating_add(horizon.as_micros());
        let starts = bases.iter().flat_map(|base| {
            plan.windows().iter().filter_map(move |window| {
                let to = start(*window, last(*base))?;
                let after = start(*window, *base);
                Some(Zone { after, to })
            })
        });
        let ends = bases.iter().map(|base| Zone {
            after: Some(*base),
            to: last(*base),
        });
        let earliest = bases.iter().copied().min().unwrap_or(i64::MIN);
        let too_early = (0..plan.lanes().len()).map(|lane| {
            let longest = plan.windows_of(lane).last().copied();
            let longest: Option<Window> = longest.and_then(|at| plan.windows().get(at).copied());
            longest.and_then(|window| start(window, earliest))
        });
        Self {
            starts: Zones::new(starts.collect()),
            ends: Zones::new(ends.collect()),
            too_early: too_early.collect(),
            schema: Schema::of(&plan),
            limits,
            plan,
        }
    }

    /// The plan whose states these are.
    pub const fn plan(&self) -> &Arc<WindowPlan> {
        &self.plan
    }

    pub(super) fn place(&self, x: i64, v: i64) -> Place {
        Place {
            start: self.starts.place(x),
            end: self.ends.place(v),
        }
    }

    /// Whether a window that has a part of what lies there may need this lane.
    pub(super) fn needs(&self, lane: usize, place: Place) -> bool {
        let too_early = self.too_early.get(lane).copied().flatten();
        too_early.is_none_or(|too_early| self.starts.reaches_beyond(place.start, too_early))
    }
}

impl Place {
    /// Whether what lies there is kept apart.
    pub(super) const fn is_zone(self) -> bool {
        self.start % 2 == 1 || self.end % 2 == 1
    }

    /// Whether ends of windows move over what lies there, so that it is their order that matters.
    pub(super) const fn is_end(self) -> bool {
        self.end % 2 == 1
    }
}

impl Zones {
    fn new(mut zones: Vec<Zone>) -> Self {
        // `None` is the least, as the beginning of time is. An empty zone still parts what lies around it.
        zones.sort_by_key(|zone| zone.after);
        let mut apart: Vec<Zone> = Vec::with_capacity(zones.len());
        for zone in zones {
            match apart.last_mut() {
                Some(last) if zone.after.is_none_or(|after| after <= last.to) => {
                    last.to = last.to.max(zone.to);
                }
                _ => apart.push(zone),
            }
        }
        Self(apart)
    }

    fn place(&self, at: i64) -> u32 {
        let before = self.0.partition_point(|zone| zone.to < at);
        let inside = self.0.get(before);
        let inside = inside.is_some_and(|zone| zone.after.is_none_or(|after| at > after));
        u32::try_from(2 * before + usize::from(inside)).unwrap_or(u32::MAX)
    }

    /// Whether something in this place is later than `instant`.
    fn reaches_beyond(&self, place: u32, instant: i64) -> bool {
        let zone = self.0.get((place / 2) as usize);
        zone.is_none_or(|zone| {
            if place % 2 == 1 {
                zone.to > instant
            } else {
                zone.after.is_some_and(|after| after > instant)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zones(zones: &[(Option<i64>, i64)]) -> Zones {
        let zone = |(after, to): &(Option<i64>, i64)| Zone {
            after: *after,
            to: *to,
        };
        Zones::new(zones.iter().map(zone).collect())
    }

    #[test]
    fn a_zone_lacks_its_first_instant_and_has_its_last() {
        let zones = zones(&[(Some(10), 20), (Some(40), 50)]);
        let places = [5, 10, 11, 20, 21, 40, 41, 50, 51].map(|at| zones.place(at));
        assert_eq!(places, [0, 0, 1, 1, 2, 2, 3, 3, 4]);
    }

    #[test]
    fn zones_that_touch_are_one() {
        let zones = zones(&[(Some(15), 30), (None, 10), (Some(10), 20)]);
        assert_eq!([i64::MIN, 30, 31].map(|at| zones.place(at)), [1, 1, 2]);
    }

    #[test]
    fn an_empty_zone_parts_what_lies_around_it() {
        let zones = zones(&[(Some(40), 40)]);
        assert_eq!([39, 40, 41].map(|at| zones.place(at)), [0, 0, 2]);
    }

    #[test]
    fn what_no_window_of_a_lane_reaches_is_not_needed() {
        let zones = zones(&[(Some(10), 20), (Some(40), 50)]);
        assert!(!zones.reaches_beyond(0, 10) && zones.reaches_beyond(1, 10));
        assert!(!zones.reaches_beyond(2, 40) && zones.reaches_beyond(3, 40));
        assert!(zones.reaches_beyond(4, i64::MAX));
    }
}
