//! What the server measures, and the Prometheus text of all metrics of the process.
//!
//! | Metric | Kind | Labels |
//! |---|---|---|
//! | `fs_server_requests_total` | counter | `method`, `code`: `OK` or the error's |
//! | `fs_server_request_seconds` | histogram | `method` |
//! | `fs_server_training_sets_in_flight` | gauge | |
//! | `fs_server_registry_version` | gauge | |
//! | `fs_server_reload_failures_total` | counter | |
//!
//! and those of `fs-serving`. A training set is in flight from the moment it gets its turn, which is
//! before its spine is received, until its last message is sent or the work is given up.

use std::sync::OnceLock;
use std::time::Instant;

use fs_core::Coded;
use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::Error;

/// Upper bounds of latency buckets: from what a page cache takes to what nobody waits for.
const SECONDS: [f64; 14] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5,
    10.0,
];

const TRAINING_SETS: &str = "fs_server_training_sets_in_flight";

static PROMETHEUS: OnceLock<PrometheusHandle> = OnceLock::new();

/// The recorder of this process, installed when it is first asked for.
///
/// If the program has installed another recorder before, the metrics go there, and this one stays
/// empty.
pub(crate) fn prometheus() -> &'static PrometheusHandle {
    PROMETHEUS.get_or_init(|| {
        let builder = PrometheusBuilder::new();
        let suffix = Matcher::Suffix("_seconds".to_owned());
        let recorder = match builder.set_buckets_for_metric(suffix, &SECONDS) {
            Ok(builder) => builder.build_recorder(),
            Err(error) => {
                tracing::warn!(%error, "latencies are reported as summaries");
                PrometheusBuilder::new().build_recorder()
            }
        };
        let handle = recorder.handle();
        if metrics::set_global_recorder(recorder).is_err() {
            tracing::warn!("metrics go to the recorder that the program has installed itself");
        }
        // So that it is there, as 0, before the first.
        gauge!(TRAINING_SETS).increment(0.0);
        handle
    })
}

/// Folds what was recorded into the buckets, so that it does not pile up between two scrapes.
pub(crate) fn upkeep() {
    prometheus().run_upkeep();
}

pub(crate) fn request<T>(method: &'static str, started: Instant, outcome: &Result<T, Error>) {
    let code = match outcome {
        Ok(_) => "OK",
        Err(error) => error.code().name(),
    };
    counter!("fs_server_requests_total", "method" => method, "code" => code).increment(1);
    let seconds = started.elapsed().as_secs_f64();
    histogram!("fs_server_request_seconds", "method" => method).record(seconds);
}

pub(crate) fn training_set_begun() {
    gauge!(TRAINING_SETS).increment(1.0);
}

pub(crate) fn training_set_ended() {
    gauge!(TRAINING_SETS).decrement(1.0);
}

pub(crate) fn registry_version(version: u64) {
    #[expect(clippy::cast_precision_loss, reason = "versions stay far below 2^52")]
    gauge!("fs_server_registry_version").set(version as f64);
}

pub(crate) fn reload_failed() {
    counter!("fs_server_reload_failures_total").increment(1);
}
