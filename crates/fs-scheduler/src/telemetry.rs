//! What the scheduler measures.
//!
//! | Metric | Kind | Labels |
//! |---|---|---|
//! | `fs_scheduler_running` | gauge | |
//! | `fs_scheduler_runs_total` | counter | `view`; `outcome`: `done`, `failed` (to be tried again), `given_up`, `cancelled`, `lost` |
//! | `fs_scheduler_behind_seconds` | gauge | `view`: for how long it has had a tick that is not done; 0 if it has none |
//! | `fs_scheduler_registry_version` | gauge | |
//! | `fs_scheduler_errors_total` | counter | the registry could not be asked |

use fs_core::ViewName;
use metrics::{counter, gauge};

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    Done,
    Failed,
    GivenUp,
    Cancelled,
    Lost,
}

/// A run that is counted while it is there.
#[derive(Debug)]
pub(crate) struct Running;

pub(crate) fn running() -> Running {
    gauge!("fs_scheduler_running").increment(1.0);
    Running
}

impl Drop for Running {
    fn drop(&mut self) {
        gauge!("fs_scheduler_running").decrement(1.0);
    }
}

pub(crate) fn ended(view: &ViewName, told: Told) {
    let outcome = match told {
        Told::Done => "done",
        Told::Failed => "failed",
        Told::GivenUp => "given_up",
        Told::Cancelled => "cancelled",
        Told::Lost => "lost",
    };
    counter!("fs_scheduler_runs_total", "view" => view.to_string(), "outcome" => outcome)
        .increment(1);
}

#[expect(
    clippy::cast_precision_loss,
    reason = "spans stay far below 2^52 microseconds"
)]
pub(crate) fn behind(view: &ViewName, micros: i64) {
    gauge!("fs_scheduler_behind_seconds", "view" => view.to_string()).set(micros as f64 / 1e6);
}

#[expect(clippy::cast_precision_loss, reason = "versions are counted from 1")]
pub(crate) fn version(number: u64) {
    gauge!("fs_scheduler_registry_version").set(number as f64);
}

pub(crate) fn error() {
    counter!("fs_scheduler_errors_total").increment(1);
}
