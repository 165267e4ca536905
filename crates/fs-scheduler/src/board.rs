//! What a scheduler knows of every view, and what it would do next. Nothing here waits or asks.

use std::collections::BTreeMap;
use std::time::Duration;

use fs_core::{EventTime, ViewName};
use tokio::time::Instant;

use crate::job::{Due, JobState, Patience};
use crate::timetable::{Scheduled, Timetable};

/// What is known of the views, as far as it was looked at.
#[derive(Debug, Default)]
pub(crate) struct Board {
    seats: BTreeMap<ViewName, Seat>,
}

/// What is known of one view.
#[derive(Debug, Default)]
struct Seat {
    /// As it was when it was looked at, here or by a turn of this process.
    state: Option<JobState>,
    /// Whether that is worth a turn: not after one that found the lease taken, until it is read again.
    fresh: bool,
    /// The lease need not be looked at before.
    look: Option<Instant>,
    /// Whether a turn of this process is at it.
    busy: bool,
}

/// A view that may run now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ready {
    pub(crate) view: ViewName,
    pub(crate) tick: EventTime,
    pub(crate) attempt: u32,
}

impl Board {
    /// Keeps the views of `table`, and makes place for those that are new.
    pub(crate) fn follow(&mut self, table: &Timetable) {
        self.seats
            .retain(|view, seat| seat.busy || table.get(view).is_some());
        for scheduled in &table.views {
            self.seats.entry(scheduled.name.clone()).or_default();
        }
    }

    /// The views whose leases are to be read: those of which nothing is known, those that are due as far
    /// as is known (another replica may have run them), and those that such a view waits for.
    pub(crate) fn to_look_at(
        &self,
        table: &Timetable,
        now: EventTime,
        moment: Instant,
        patience: Patience,
    ) -> Vec<ViewName> {
        let mut wanted: Vec<&ViewName> = Vec::new();
        for scheduled in &table.views {
            let Some(seat) = self.seats.get(&scheduled.name).filter(|seat| !seat.busy) else {
                continue;
            };
            match seat.due(scheduled, now, patience) {
                None => wanted.push(&scheduled.name),
                Some(Due::At(_)) => {}
                Some(Due::Now { tick, .. }) => {
                    wanted.push(&scheduled.name);
                    wanted.extend(self.waits_for(table, scheduled, tick, patience));
                }
            }
        }
        wanted.sort_unstable();
        wanted.dedup();
        let wanted = wanted.into_iter().filter(|view| {
            let seat = self.seats.get(*view);
            seat.is_some_and(|seat| !seat.busy && seat.look.is_none_or(|look| moment >= look))
        });
        wanted.cloned().collect()
    }

    /// What was read of a view; it need not be read again for `pause`.
    pub(crate) fn saw(
        &mut self,
        view: &ViewName,
        state: JobState,
        moment: Instant,
        pause: Duration,
    ) {
        if let Some(seat) = self.seats.get_mut(view) {
            seat.state = Some(state);
            seat.fresh = true;
            seat.look = Some(moment + pause);
        }
    }

    /// That a view could not be read; it is tried again after `pause`.
    pub(crate) fn saw_nothing(&mut self, view: &ViewName, moment: Instant, pause: Duration) {
        if let Some(seat) = self.seats.get_mut(view) {
            seat.look = Some(moment + pause);
        }
    }

    /// The views that may run now, each before those that are computed from it.
    ///
    /// A view waits until the scheduled views that it is computed from are settled for its tick: done, or
    /// given up. So a view whose upstream fails for good is late, but not for ever.
    pub(crate) fn ready(
        &self,
        table: &Timetable,
        now: EventTime,
        patience: Patience,
    ) -> Vec<Ready> {
        let ready = table.views.iter().filter_map(|scheduled| {
            let seat = self.seats.get(&scheduled.name)?;
            if seat.busy || !seat.fresh {
                return None;
            }
            let Due::Now { tick, attempt } = seat.due(scheduled, now, patience)? else {
                return None;
            };
            let mut waits_for = self.waits_for(table, scheduled, tick, patience);
            waits_for.next().is_none().then(|| Ready {
                view: scheduled.name.clone(),
                tick,
                attempt,
            })
        });
        ready.collect()
    }

    /// A turn of this process begins.
    pub(crate) fn begins(&mut self, view: &ViewName) {
        if let Some(seat) = self.seats.get_mut(view) {
            seat.busy = true;
        }
    }

    /// It ended. What it left is known, or has to be read, after `pause`.
    pub(crate) fn ended(
        &mut self,
        view: &ViewName,
        state: Option<JobState>,
        moment: Instant,
        pause: Duration,
    ) {
        if let Some(seat) = self.seats.get_mut(view) {
            seat.busy = false;
            seat.look = Some(moment + pause);
            seat.fresh = state.is_some();
            if state.is_some() {
                seat.state = state;
            }
        }
    }

    /// For how long the views have had a tick that is not done, in microseconds.
    pub(crate) fn behind<'a>(
        &'a self,
        table: &'a Timetable,
        now: EventTime,
    ) -> impl Iterator<Item = (&'a ViewName, i64)> {
        table.views.iter().filter_map(move |scheduled| {
            let state = self.seats.get(&scheduled.name)?.state.as_ref()?;
            let missed = match state.done {
                Some(done) => scheduled.schedule.next(done)?,
                None => scheduled.schedule.latest(now)?,
            };
            let behind = now.as_micros().saturating_sub(missed.as_micros());
            Some((&scheduled.name, behind.max(0)))
        })
    }

    fn waits_for<'a>(
        &'a self,
        table: &'a Timetable,
        scheduled: &'a Scheduled,
        tick: EventTime,
        patience: Patience,
    ) -> impl Iterator<Item = &'a ViewName> {
        scheduled.upstream.iter().filter(move |above| {
            let Some(upstream) = table.get(above) else {
                return false;
            };
            let Some(wanted) = upstream.schedule.latest(tick) else {
                return false;
            };
            let state = self.seats.get(*above).and_then(|seat| seat.state.as_ref());
            !state.is_some_and(|state| state.has_settled(wanted, patience))
        })
    }
}

impl Seat {
    fn due(&self, scheduled: &Scheduled, now: EventTime, patience: Patience) -> Option<Due> {
        let state = self.state.as_ref()?;
        Some(state.due(&scheduled.schedule, now, patience))
    }
}
