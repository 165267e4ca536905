//! What the server measures, and the Prometheus text of all metrics of the process.
//!
//! | Metric | Kind | Labels |
//! |---|---|---|
//! | `fs_server_requests_total` | counter | `method`; `code`: `OK`, the error's, or `CANCELLED` when the client went away |
//! | `fs_server_request_seconds` | histogram | `method`; from the arrival of a request to its answer |
//! | `fs_server_in_flight` | gauge | `what`: `lookups`, `writes`, `values` |
//! | `fs_server_in_flight_limit` | gauge | `what` |
//! | `fs_server_shed_total` | counter | `what`: sent away, because there was no place for it |
//! | `fs_server_training_sets_in_flight` | gauge | |
//! | `fs_server_view_freshness_seconds` | gauge | `view`: how old what is published of it is; not there until something is |
//! | `fs_server_registry_version` | gauge | |
//! | `fs_server_reload_failures_total` | counter | |
//! | `fs_server_build_info` | gauge, 1 | `version` |
//! | `fs_online_connections` | gauge | `state`: `open`, `busy`; of stores that have connections |
//! | `fs_view_…`, `fs_run…` | | lag and freshness of views, and the runs of this process: `fs_materialize::telemetry` says which |
//! | `fs_serving_…` | | stages of an online read, and rows by view and status: `fs-serving` says which |
//!
//! A method is `GetOnlineFeatures` of our own gRPC service, or has its service or its path in front:
//! `flight.DoGet`, `feast.GetOnlineFeatures`, `POST /push`. What never got as far as a method counts as `unread`.
//! A training set is in flight from the moment it gets its turn, which is before its spine is
//! received, until its last message is sent or the work is given up.
//!
//! Counters and histograms of a method are looked up once and kept: a call adds to three numbers.
//! Gauges are set when somebody asks. Where metrics are off ([`ServerOptions`](crate::ServerOptions)), nothing is
//! recorded at all.

mod calls;
mod freshness;
mod lines;
mod traces;

use std::sync::OnceLock;

use metrics::{counter, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

pub(crate) use self::calls::{Calls, Measured};
pub(crate) use self::freshness::Freshness;
pub(crate) use self::lines::Lines;
pub use self::traces::{TraceOptions, Traces};
pub(crate) use self::traces::{adopt, parent, trace_id};
use crate::shared::Shared;

/// Upper bounds of latency buckets: from what a page cache takes to what nobody waits for.
const SECONDS: [f64; 18] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.017, 0.025, 0.05, 0.1,
    0.25, 0.5, 1.0, 2.5, 10.0, 60.0,
];

/// Upper bounds of the buckets of runs: from nothing to do to half a day.
const RUN_SECONDS: [f64; 12] = [
    0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 1_800.0, 3_600.0, 14_400.0, 43_200.0,
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
        let runs = Matcher::Full("fs_run_seconds".to_owned());
        let builder = builder.set_buckets_for_metric(suffix, &SECONDS);
        let builder =
            builder.and_then(|builder| builder.set_buckets_for_metric(runs, &RUN_SECONDS));
        let recorder = match builder {
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
        gauge!("fs_server_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        handle
    })
}

/// Folds what was recorded into the buckets, so that it does not pile up between two scrapes.
pub(crate) fn upkeep() {
    if let Some(prometheus) = PROMETHEUS.get() {
        prometheus.run_upkeep();
    }
}

/// All metrics of the process, as Prometheus reads them.
pub(crate) fn render(shared: &Shared) -> String {
    for level in shared.admission.levels() {
        let what = level.what;
        gauge!("fs_server_in_flight", "what" => what).set(number(level.inside));
        gauge!("fs_server_in_flight_limit", "what" => what).set(number(level.limit));
        counter!("fs_server_shed_total", "what" => what).absolute(level.shed);
    }
    if let Some(usage) = shared.serving.store().usage() {
        for (state, connections) in [("open", usage.open), ("busy", usage.busy)] {
            gauge!("fs_online_connections", "state" => state).set(number(connections));
        }
    }
    shared.freshness.show(shared.clock.now());
    prometheus().render()
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

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn number(count: usize) -> f64 {
    count as f64
}
