//! What is remembered of the schedule of a view, and what follows from it.
//!
//! It lies in the lease of the view, so that only who holds the lease changes it, and in one step with
//! nothing else to agree with.
//!
//! ```text
//!                    ┌──────────── a later tick ────────────────┐
//!                    ▼                                          │
//!   tick due ──► begun: tick, attempt n, not before ──ok──► done: tick
//!                    │           ▲
//!                    │ failed    │ not before is over
//!                    ├───────► waiting ──── attempts are over, or it makes no sense ──► given up
//!                    │           ▲
//!                    └─ died ────┘ (nothing is written: what was begun says it all)
//! ```

mod format;

use fs_core::EventTime;

use crate::Schedule;
pub use format::FormatError;

/// What is remembered of the schedule of a view.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobState {
    /// The last tick up to which the view was brought; those before it need not be looked at.
    pub done: Option<EventTime>,
    /// The tick that was tried last, and how.
    pub tried: Option<Tried>,
    /// When a run last succeeded.
    pub last_success: Option<EventTime>,
    /// The run that was the last to end.
    pub last_run: Option<String>,
    /// Why the last one failed; `None` after one that did not.
    pub last_error: Option<String>,
}

/// How a tick was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The tick.
    pub tick: EventTime,
    /// How often, from 1.
    pub attempt: u32,
    /// What came of the last attempt.
    pub outcome: Outcome,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was begun. If nobody holds the lease, it died, and may be tried again at this instant.
    Begun {
        /// The instant.
        again: EventTime,
    },
    /// It ended, to be tried again at this instant.
    Waiting {
        /// The instant.
        again: EventTime,
    },
    /// There is nothing more to be tried before the next tick.
    GivenUp,
    /// It succeeded.
    Done,
}

/// What is to be done about a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Run it up to `tick`.
    Now {
        /// The end of the run.
        tick: EventTime,
        /// How often this tick is tried, with this time.
        attempt: u32,
    },
    /// Nothing before this instant; never again, if there is none.
    At(Option<EventTime>),
}

/// How often a tick is tried, and how long a writer's clock is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    /// Attempts at one tick.
    pub(crate) attempts: u32,
    /// No attempt waits longer for the next, whatever a clock has said, in microseconds.
    pub(crate) longest: i64,
}

impl JobState {
    /// What is to be done at `now`.
    ///
    /// | Last tick of the schedule | Then |
    /// |---|---|
    /// | none | wait for the first |
    /// | done, or one after it | wait for the next |
    /// | not tried | run: one run for all ticks that were missed, because it brings in what is new since the watermark |
    /// | failed, or its process died | run again when its time has come |
    /// | given up | wait for the next |
    ///
    /// A view that was never run by a scheduler is due at once, not at its next tick: a new view should
    /// not be empty until tomorrow, and where nothing is new a run costs little.
    pub(crate) fn due(&self, schedule: &Schedule, now: EventTime, patience: Patience) -> Due {
        let next = Due::At(schedule.next(now));
        let Some(tick) = schedule.latest(now) else {
            return next;
        };
        if self.done.is_some_and(|done| done >= tick) {
            return next;
        }
        let Some(tried) = self.tried.as_ref().filter(|tried| tried.tick == tick) else {
            return Due::Now { tick, attempt: 1 };
        };
        let again = match tried.outcome {
            Outcome::Begun { .. } if tried.attempt >= patience.attempts => return next,
            Outcome::Begun { again } | Outcome::Waiting { again } => again,
            Outcome::GivenUp | Outcome::Done => return next,
        };
        let believable = again.as_micros() - now.as_micros() <= patience.longest;
        if again > now && believable {
            let earlier = schedule.next(now).map_or(again, |next| next.min(again));
            return Due::At(Some(earlier));
        }
        let attempt = tried.attempt.saturating_add(1);
        Due::Now { tick, attempt }
    }

    /// Whether nothing is to be waited for up to `tick`: it is done, or given up.
    pub(crate) fn has_settled(&self, tick: EventTime, patience: Patience) -> bool {
        let given_up = |tried: &Tried| match tried.outcome {
            Outcome::GivenUp | Outcome::Done => true,
            Outcome::Begun { .. } => tried.attempt >= patience.attempts,
            Outcome::Waiting { .. } => false,
        };
        self.done.is_some_and(|done| done >= tick)
            || self
                .tried
                .as_ref()
                .is_some_and(|tried| tried.tick >= tick && given_up(tried))
    }

    /// An attempt begins; if it dies, the next may follow at `again`.
    #[must_use]
    pub(crate) fn begun(mut self, tick: EventTime, attempt: u32, again: EventTime) -> Self {
        self.tried = Some(Tried {
            tick,
            attempt,
            outcome: Outcome::Begun { again },
        });
        self
    }

    /// It succeeded at `now`.
    #[must_use]
    pub(crate) fn succeeded(mut self, now: EventTime, run: String) -> Self {
        if let Some(tried) = &mut self.tried {
            tried.outcome = Outcome::Done;
            self.done = self.done.max(Some(tried.tick));
        }
        self.last_success = Some(now);
        self.last_run = Some(run);
        self.last_error = None;
        self
    }

    /// It failed, to be tried again at `again`, if at all.
    #[must_use]
    pub(crate) fn failed(mut self, run: String, why: String, again: Option<EventTime>) -> Self {
        if let Some(tried) = &mut self.tried {
            tried.outcome = again.map_or(Outcome::GivenUp, |again| Outcome::Waiting { again });
        }
        self.last_run = Some(run);
        self.last_error = Some(why);
        self
    }

    /// It was broken off because its process is going away, at `now`: that is no failure of the run.
    #[must_use]
    pub(crate) fn interrupted(mut self, now: EventTime) -> Self {
        if let Some(tried) = &mut self.tried {
            tried.attempt = tried.attempt.saturating_sub(1);
            tried.outcome = Outcome::Waiting { again: now };
        }
        self
    }
}

#[cfg(test)]
mod tests;
