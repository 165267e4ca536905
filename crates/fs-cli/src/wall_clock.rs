//! The one place that reads the wall clock.

use std::sync::Arc;

use fs_core::{Clock, EventTime, FixedClock};

/// The clock on the wall.
#[derive(Debug)]
struct WallClock;

impl Clock for WallClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the binary is where time comes from"
    )]
    fn now(&self) -> EventTime {
        EventTime::from(chrono::Utc::now())
    }
}

/// The wall clock, or one that stands still at `now`.
pub(crate) fn clock(now: Option<EventTime>) -> Arc<dyn Clock> {
    match now {
        Some(now) => Arc::new(FixedClock::at(now)),
        None => Arc::new(WallClock),
    }
}
