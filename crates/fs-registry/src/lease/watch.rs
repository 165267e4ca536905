//! For how long registers have stood still, by this process's own monotonic clock.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fs_core::ViewName;
use tokio::time::Instant;

/// The numbers that were seen last, and since when.
#[derive(Debug, Default)]
pub(super) struct Watch(Mutex<HashMap<ViewName, Seen>>);

#[derive(Debug, Clone, Copy)]
struct Seen {
    number: u64,
    since: Instant,
}

impl Watch {
    /// Takes note that the register of `view` is at `number` now, and says for how long it has been.
    ///
    /// ```text
    ///   second    0    5    12    15    29      31
    ///   number    7    7     8     8     8       8
    ///   stood     0    5     0     3    17      19
    /// ```
    pub(super) fn saw(&self, view: &ViewName, number: u64, now: Instant) -> Duration {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = seen.get(view).filter(|seen| seen.number == number);
        let since = last.map_or(now, |seen| seen.since);
        seen.insert(view.clone(), Seen { number, since });
        now.duration_since(since)
    }
}
