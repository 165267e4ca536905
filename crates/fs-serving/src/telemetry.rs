//! What is measured. Nothing is recorded unless somebody installs a recorder, before the first
//! request.
//!
//! | Metric | Kind | Labels |
//! |---|---|---|
//! | `fs_serving_requests_total` | counter | `code`: `OK` or the error's |
//! | `fs_serving_rows_total` | counter | `view`, `status` of the whole row: `PRESENT`, `NOT_FOUND`, `OUTSIDE_MAX_AGE` |
//! | `fs_serving_stage_seconds` | histogram | `stage`: `decode` (entities become keys), `store`, `assemble` (rows are opened) |
//!
//! A request finds its counters ready: they are looked up once, for a plan or for all requests.

use std::sync::OnceLock;
use std::time::Duration;

use fs_core::{Coded, ViewName};
use metrics::{Counter, Histogram, counter, histogram};

use crate::{Error, Status};

/// The metrics of all requests.
#[derive(Default)]
pub(crate) struct Telemetry(OnceLock<Handles>);

struct Handles {
    answered: Counter,
    stages: [Histogram; 3],
}

/// What a request is doing.
#[derive(Clone, Copy)]
pub(crate) enum Stage {
    /// Making keys of its entities.
    Keys,
    /// Waiting for the store.
    Store,
    /// Checking the rows that came.
    Open,
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telemetry").finish_non_exhaustive()
    }
}

impl Telemetry {
    fn handles(&self) -> &Handles {
        let stage = |stage: &'static str| histogram!("fs_serving_stage_seconds", "stage" => stage);
        self.0.get_or_init(|| Handles {
            answered: counter!("fs_serving_requests_total", "code" => "OK"),
            stages: ["decode", "store", "assemble"].map(stage),
        })
    }

    pub(crate) fn request<T>(&self, outcome: &Result<T, Error>) {
        match outcome {
            Ok(_) => self.handles().answered.increment(1),
            Err(error) => {
                counter!("fs_serving_requests_total", "code" => error.code().name()).increment(1);
            }
        }
    }

    pub(crate) fn stage(&self, stage: Stage, took: Duration) {
        self.handles().stages[stage as usize].record(took.as_secs_f64());
    }
}

/// How many rows of one view were served with which status.
#[derive(Default)]
pub(crate) struct RowCounters(OnceLock<[Counter; 3]>);

const COUNTED: [Status; 3] = [Status::Present, Status::NotFound, Status::OutsideMaxAge];

impl std::fmt::Debug for RowCounters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RowCounters").finish_non_exhaustive()
    }
}

impl RowCounters {
    /// Counts rows of the view with this label: how many there are with each of [`COUNTED`].
    pub(crate) fn count(&self, view: &ViewName, states: &[u8]) {
        let counters = self.0.get_or_init(|| {
            COUNTED.map(|status| {
                let view = view.to_string();
                counter!("fs_serving_rows_total", "view" => view, "status" => status.as_str())
            })
        });
        for (status, counter) in COUNTED.iter().zip(counters) {
            let rows = states.iter().filter(|state| **state == status.number());
            let rows = u64::try_from(rows.count()).unwrap_or(u64::MAX);
            if rows > 0 {
                counter.increment(rows);
            }
        }
    }
}
