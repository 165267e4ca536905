//! How far the store's clock is behind ours.
//!
//! The store says when it wrote an object. That instant lies before our clock showed the answer, so
//! it tells when the store's clock is *behind* (or ours ahead) for certain; by the time that the answer
//! took, and the whole seconds that some stores round down to, it errs to the careful side.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use fs_core::{Clock, EventTime};

/// An answer that took longer says too little.
const PROMPT: Duration = Duration::from_secs(2);

/// The store's time, as far as it is known.
#[derive(Debug)]
pub(super) enum StoreTime {
    /// Learnt from what it says about its objects: its time minus ours, in microseconds.
    Measured(AtomicI64),
    /// Shown by a clock.
    Shown(Arc<dyn Clock>),
}

impl StoreTime {
    pub(super) const fn new() -> Self {
        Self::Measured(AtomicI64::new(0))
    }

    pub(super) const fn shown_by(clock: Arc<dyn Clock>) -> Self {
        Self::Shown(clock)
    }

    /// The same store, of which nothing was learnt yet.
    pub(super) fn unmeasured(&self) -> Self {
        match self {
            Self::Measured(_) => Self::new(),
            Self::Shown(clock) => Self::Shown(Arc::clone(clock)),
        }
    }

    /// Learns that the store wrote something at `written`, and that `clock` shows a later instant
    /// now, `took` after it was asked to.
    pub(super) fn learn(&self, written: EventTime, clock: &dyn Clock, took: Duration) {
        if let Self::Measured(offset) = self
            && took <= PROMPT
            && clock.is_real()
        {
            let ahead = written.as_micros().saturating_sub(clock.now().as_micros());
            offset.store(ahead, Ordering::Relaxed);
        }
    }

    /// `now`, or what the store's clock shows now, if that is earlier.
    pub(super) fn earlier_of(&self, now: EventTime) -> EventTime {
        match self {
            Self::Measured(offset) => {
                let behind = offset.load(Ordering::Relaxed).min(0);
                EventTime::from_micros(now.as_micros().saturating_add(behind))
            }
            Self::Shown(clock) => now.min(clock.now()),
        }
    }
}
