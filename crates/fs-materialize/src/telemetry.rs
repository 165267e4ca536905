//! What runs and views are measured by. Nothing is recorded unless somebody installs a recorder.
//!
//! | Metric | Kind | Labels |
//! |---|---|---|
//! | `fs_runs_total` | counter | `view`; `status`: `ok`, `failed`, `cancelled`, `lost` |
//! | `fs_run_seconds` | histogram | `view`; from the start of a run to its end, however it ended |
//! | `fs_run_rows_total` | counter | `view`; `what`: `read`, `written`, `rejected`, `published` |
//! | `fs_view_last_success_timestamp_seconds` | gauge | `view`; when its last run that succeeded was over |
//! | `fs_view_lag_seconds` | gauge | `view`; how far readers are behind: its [age](crate::Freshness::age) |
//! | `fs_view_freshness_objective_seconds` | gauge | `view`; of views that have one |
//! | `fs_view_fresh` | gauge, 0 or 1 | `view`; whether the objective is met, of views that have one |
//!
//! The first three tell of the runs of this process. The others tell of a view, whoever materializes it:
//! [`ViewMetrics`] asks the stores. A view that is gone, or that has no such number, is shown as `NaN`
//! once it was shown, because a metric cannot be taken back.

mod views;

use fs_core::EventTime;
use fs_offline::{RunRecord, RunStatus};
use metrics::{counter, gauge, histogram};

pub use views::ViewMetrics;

pub(crate) const LAST_SUCCESS: &str = "fs_view_last_success_timestamp_seconds";

/// Counts a run that is over.
pub(crate) fn run_ended(run: &RunRecord) {
    let view = || run.view.to_string();
    counter!("fs_runs_total", "view" => view(), "status" => run.status.as_str()).increment(1);
    histogram!("fs_run_seconds", "view" => view())
        .record(seconds_between(run.started, run.finished));
    for (what, rows) in [
        ("read", run.rows_read),
        ("written", run.rows_written),
        ("rejected", run.rejected),
        ("published", run.published),
    ] {
        counter!("fs_run_rows_total", "view" => view(), "what" => what).increment(rows);
    }
    if run.status == RunStatus::Ok {
        gauge!(LAST_SUCCESS, "view" => view()).set(seconds(run.finished.as_micros()));
    }
}

fn seconds_between(earlier: EventTime, later: EventTime) -> f64 {
    seconds(later.as_micros().saturating_sub(earlier.as_micros()).max(0))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the microseconds of three centuries are below 2^53"
)]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

#[cfg(test)]
mod tests;
