//! Who is let in: as much as can be answered in time, and no more.
//!
//! ```text
//!   lookups   at most as many in flight as `Pace` says, which learns from what they take
//!   writes    at most `writes_in_flight`
//!   values    at most `values_in_flight`, so that large answers do not fill the memory
//! ```
//!
//! Whoever is not let in hears so at once (`RESOURCE_EXHAUSTED`, and when to try again), for the
//! price of two additions: a queue would only make everybody late.

mod pace;

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU64, AtomicUsize};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use self::pace::{Pace, Window};
use crate::{Error, Limits};

/// The places there are.
#[derive(Debug)]
pub(crate) struct Admission {
    began: Instant,
    again_in: Duration,
    lookups: Gate,
    writes: Gate,
    values: Gate,
    seen: Seen,
    pace: Mutex<Pace>,
}

/// So many at the same time.
#[derive(Debug)]
struct Gate {
    inside: AtomicUsize,
    limit: AtomicUsize,
    shed: AtomicU64,
}

/// What happened since the window began.
#[derive(Debug, Default)]
struct Seen {
    ended: AtomicU64,
    took_nanos: AtomicU64,
    peak: AtomicUsize,
    /// The beginning of the window, in nanoseconds since the admission began.
    from_nanos: AtomicU64,
}

/// A part of what is there, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    gate: &'a Gate,
    size: usize,
}

/// How a lookup ended, as far as it tells about the work there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Answered.
    Answered,
    /// Given up, by the deadline or by the client: it would have taken longer.
    GivenUp,
    /// Refused or failed, which says nothing about how much there is to do.
    Otherwise,
}

/// What is going on, for people who watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) what: &'static str,
    pub(crate) inside: usize,
    pub(crate) limit: usize,
    pub(crate) shed: u64,
}

impl Admission {
    pub(crate) fn new(limits: &Limits, now: Instant) -> Self {
        let pace = Pace::new(limits.latency_target, limits.requests_in_flight);
        Self {
            began: now,
            again_in: limits.latency_target,
            lookups: Gate::of(pace.limit()),
            writes: Gate::of(limits.writes_in_flight),
            values: Gate::of(limits.values_in_flight),
            seen: Seen::default(),
            pace: Mutex::new(pace),
        }
    }

    /// Lets a lookup in.
    pub(crate) fn lookup(&self) -> Result<Place<'_>, Error> {
        let place = self.enter(&self.lookups, 1)?;
        let inside = self.lookups.inside.load(Relaxed);
        self.seen.peak.fetch_max(inside, Relaxed);
        Ok(place)
    }

    /// Lets a write in.
    pub(crate) fn write(&self) -> Result<Place<'_>, Error> {
        self.enter(&self.writes, 1)
    }

    /// Lets an answer of so many values be made.
    pub(crate) fn values(&self, values: usize) -> Result<Place<'_>, Error> {
        self.enter(&self.values, values)
    }

    fn enter<'a>(&self, gate: &'a Gate, size: usize) -> Result<Place<'a>, Error> {
        let again_in = self.again_in;
        gate.enter(size).ok_or(Error::Overloaded { again_in })
    }

    /// Learns from a lookup that arrived, and ended at `now`.
    pub(crate) fn learn(&self, arrived: Instant, now: Instant, ended: Ended) {
        let took = now.saturating_duration_since(arrived);
        let took = match ended {
            Ended::Answered => took,
            Ended::GivenUp => took.max(self.again_in.saturating_mul(2)),
            Ended::Otherwise => return,
        };
        let seen = &self.seen;
        let from = seen.from_nanos.load(Relaxed);
        if nanos(arrived.saturating_duration_since(self.began)) < from {
            return;
        }
        seen.took_nanos.fetch_add(nanos(took), Relaxed);
        let ended = seen.ended.fetch_add(1, Relaxed) + 1;
        let now_nanos = nanos(now.saturating_duration_since(self.began));
        if !pace::is_enough(Duration::from_nanos(now_nanos - from.min(now_nanos)), ended) {
            return;
        }
        // One of those who come now takes the window, and the others go on.
        let taken = seen
            .from_nanos
            .compare_exchange(from, now_nanos, Relaxed, Relaxed);
        if taken.is_ok() {
            let window = Window {
                ended: seen.ended.swap(0, Relaxed),
                took: Duration::from_nanos(seen.took_nanos.swap(0, Relaxed)),
                peak: seen.peak.swap(self.lookups.inside.load(Relaxed), Relaxed),
            };
            let mut pace = self.pace.lock().unwrap_or_else(PoisonError::into_inner);
            self.lookups.limit.store(pace.learn(now, &window), Relaxed);
        }
    }

    /// What is inside of every gate, what could be, and what was sent away.
    pub(crate) fn levels(&self) -> [Level; 3] {
        [
            self.lookups.level("lookups"),
            self.writes.level("writes"),
            self.values.level("values"),
        ]
    }
}

impl Gate {
    fn of(limit: usize) -> Self {
        Self {
            inside: AtomicUsize::new(0),
            limit: AtomicUsize::new(limit),
            shed: AtomicU64::new(0),
        }
    }

    /// A place for `size`, if there is one; whoever is alone always has one.
    fn enter(&self, size: usize) -> Option<Place<'_>> {
        let inside = self.inside.fetch_add(size, Relaxed);
        if inside > 0 && inside.saturating_add(size) > self.limit.load(Relaxed) {
            self.inside.fetch_sub(size, Relaxed);
            self.shed.fetch_add(1, Relaxed);
            return None;
        }
        Some(Place { gate: self, size })
    }

    fn level(&self, what: &'static str) -> Level {
        Level {
            what,
            inside: self.inside.load(Relaxed),
            limit: self.limit.load(Relaxed),
            shed: self.shed.load(Relaxed),
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.gate.inside.fetch_sub(self.size, Relaxed);
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(requests: usize, values: usize) -> Admission {
        let limits = Limits {
            requests_in_flight: requests,
            values_in_flight: values,
            ..Limits::default()
        };
        Admission::new(&limits, Instant::now())
    }

    #[test]
    fn whoever_finds_no_place_is_told_when_to_come_again() {
        let admission = admission(2, 10);
        let first = admission.lookup().unwrap();
        let _second = admission.lookup().unwrap();
        let again_in = Limits::default().latency_target;
        let Err(Error::Overloaded { again_in: told }) = admission.lookup() else {
            panic!("there is no third place");
        };
        assert_eq!(told, again_in);
        drop(first);
        admission.lookup().unwrap();
        let [lookups, ..] = admission.levels();
        assert_eq!((lookups.inside, lookups.shed), (1, 1));
    }

    #[test]
    fn a_large_answer_waits_for_nobody_when_it_is_alone() {
        let admission = admission(2, 10);
        let large = admission.values(11).unwrap();
        assert!(admission.values(1).is_err());
        drop(large);
        let _half = admission.values(5).unwrap();
        let _rest = admission.values(5).unwrap();
        assert!(admission.values(1).is_err());
    }

    #[test]
    fn writes_do_not_take_the_places_of_lookups() {
        let admission = admission(1, 1);
        let _lookup = admission.lookup().unwrap();
        admission.write().unwrap();
    }

    #[test]
    fn what_lookups_take_decides_how_many_are_let_in() {
        let admission = admission(512, 1);
        let began = admission.began;
        let slow = Duration::from_secs(1);
        for second in 0..2 {
            let places: Vec<_> = std::iter::from_fn(|| admission.lookup().ok()).collect();
            let arrived = began + slow * second;
            for _ in &places {
                admission.learn(arrived, arrived + slow, Ended::Answered);
            }
        }
        assert_eq!(admission.levels()[0].limit, pace::FLOOR);
    }

    #[test]
    fn who_came_before_the_limit_was_set_says_nothing_about_it() {
        let admission = admission(512, 1);
        let (began, slow) = (admission.began, Duration::from_secs(1));
        let places: Vec<_> = std::iter::from_fn(|| admission.lookup().ok()).collect();
        for _ in &places {
            admission.learn(began, began + slow, Ended::Answered);
        }
        assert_eq!(admission.levels()[0].limit, 128);
    }

    #[test]
    fn what_is_refused_or_fails_says_nothing_about_the_work_there_is() {
        let admission = admission(512, 1);
        let began = admission.began;
        admission.learn(began, began + Duration::from_hours(1), Ended::Otherwise);
        assert_eq!(admission.levels()[0].limit, 512);
    }
}
