//! What is measured. Nothing is recorded unless somebody installs a recorder.
//!
//! | Metric | Kind | Labels |
//! |---|---|---|
//! | `fs_serving_requests_total` | counter | `code`: `OK` or the error's |
//! | `fs_serving_rows_total` | counter | `view`, `status` of the whole row: `PRESENT`, `NOT_FOUND`, `OUTSIDE_MAX_AGE` |
//! | `fs_serving_stage_seconds` | histogram | `stage`: `store` or `decode` |

use std::time::Duration;

use fs_core::{Coded, ViewName};
use metrics::{counter, histogram};

use crate::{Error, Status};

pub(crate) fn count_request<T>(outcome: &Result<T, Error>) {
    let code = match outcome {
        Ok(_) => "OK",
        Err(error) => error.code().name(),
    };
    counter!("fs_serving_requests_total", "code" => code).increment(1);
}

pub(crate) fn count_rows(view: &ViewName, states: &[Status]) {
    for status in [Status::Present, Status::NotFound, Status::OutsideMaxAge] {
        let rows = states.iter().filter(|state| **state == status).count();
        if rows > 0 {
            let rows = u64::try_from(rows).unwrap_or(u64::MAX);
            let view = view.to_string();
            counter!("fs_serving_rows_total", "view" => view, "status" => status.as_str())
                .increment(rows);
        }
    }
}

pub(crate) fn record_stage(stage: &'static str, took: Duration) {
    histogram!("fs_serving_stage_seconds", "stage" => stage).record(took.as_secs_f64());
}
