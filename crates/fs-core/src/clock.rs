//! Time as an argument: logic asks a [`Clock`], only the binary reads the wall.

use std::fmt::Debug;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::EventTime;

/// Where "now" comes from.
pub trait Clock: Debug + Send + Sync {
    /// The present instant.
    fn now(&self) -> EventTime;

    /// Whether that is the time of the world, by which stores forget what they were told to forget.
    fn is_real(&self) -> bool {
        true
    }
}

/// A clock that stands still until it is moved: for tests, and to serve the past as it was.
#[derive(Debug)]
pub struct FixedClock(AtomicI64);

impl FixedClock {
    /// A clock that shows `now`.
    pub const fn at(now: EventTime) -> Self {
        Self(AtomicI64::new(now.as_micros()))
    }

    /// Moves the clock to `now`.
    pub fn set(&self, now: EventTime) {
        self.0.store(now.as_micros(), Ordering::SeqCst);
    }
}

impl Clock for FixedClock {
    fn now(&self) -> EventTime {
        EventTime::from_micros(self.0.load(Ordering::SeqCst))
    }

    fn is_real(&self) -> bool {
        false
    }
}
