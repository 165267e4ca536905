//! What it took to answer.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::tally::Tally;
use crate::{Load, Mode, Values};

/// What it took to answer. Times are microseconds; requests that failed are in `errors` only.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// `closed` or `open`.
    pub mode: &'static str,
    /// Requests per second that were to be sent, if the loop was open.
    pub offered_per_second: Option<f64>,
    /// Connections.
    pub connections: usize,
    /// The most requests in flight on each.
    pub in_flight: usize,
    /// Entities of each request.
    pub entities_per_request: usize,
    /// How long was counted; of an open loop, until the last answer came.
    pub seconds: f64,
    /// Requests that were answered.
    pub requests: u64,
    /// The same per second.
    pub requests_per_second: f64,
    /// Feature vectors per second.
    pub entities_per_second: f64,
    /// From when a request was sent, or in an open loop was to be sent, to the end of its answer.
    pub latency_micros: Micros,
    /// By how much an open loop sent requests late, because the generator was or all lanes were busy;
    /// their latency holds it, too.
    pub lag_micros: Option<Micros>,
    /// Requests that were not answered, by code.
    pub errors: Vec<Failures>,
    /// Requests of an open loop for which no lane became free before the end.
    pub unsent: u64,
    /// Bytes of requests, without the framing of the protocol.
    pub sent_bytes: u64,
    /// Bytes of answers, likewise.
    pub received_bytes: u64,
    /// What was found in the answers that were checked.
    pub checked: Checked,
}

/// How times are spread, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[expect(missing_docs, reason = "they are what they are called")]
pub struct Micros {
    pub mean: f64,
    pub p50: f64,
    pub p95: f64,
    pub p99: f64,
    pub p999: f64,
    pub max: f64,
}

/// Requests that failed alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failures {
    /// The name of a gRPC status, `HTTP 503` and so on, or `WRONG_ANSWER`.
    pub code: String,
    /// How many.
    pub count: u64,
    /// What was said the first time.
    pub message: String,
}

/// What was found in the answers that were checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Checked {
    /// How many were decoded.
    pub answers: u64,
    /// The values in them, by status.
    pub values: Values,
}

impl Report {
    pub(crate) fn new(tally: &Tally, load: &Load, entities_per_request: usize) -> Self {
        let requests = tally.latency.len();
        let seconds = tally.elapsed.as_secs_f64();
        let requests_per_second = ratio(requests, seconds);
        let errors = tally
            .errors
            .iter()
            .map(|(code, (count, message))| Failures {
                code: code.to_string(),
                count: *count,
                message: message.clone(),
            });
        let (mode, offered_per_second) = match load.mode {
            Mode::Closed => ("closed", None),
            Mode::Open { rate, .. } => ("open", Some(rate)),
        };
        Self {
            mode,
            offered_per_second,
            connections: load.connections,
            in_flight: load.in_flight,
            entities_per_request,
            seconds,
            requests,
            requests_per_second,
            entities_per_second: ratio(requests * entities_per_request as u64, seconds),
            latency_micros: Micros::new(&tally.latency),
            lag_micros: offered_per_second.map(|_| Micros::new(&tally.lag)),
            errors: errors.collect(),
            unsent: tally.unsent,
            sent_bytes: tally.sent_bytes,
            received_bytes: tally.received_bytes,
            checked: Checked {
                answers: tally.checked,
                values: tally.values,
            },
        }
    }

    /// Requests that were not answered, or not even sent.
    pub fn failed(&self) -> u64 {
        self.unsent
            + self
                .errors
                .iter()
                .map(|failures| failures.count)
                .sum::<u64>()
    }
}

impl Micros {
    fn new(nanos: &Histogram<u64>) -> Self {
        let micros = |nanos: u64| Duration::from_nanos(nanos).as_secs_f64() * 1e6;
        Self {
            mean: nanos.mean() / 1e3,
            p50: micros(nanos.value_at_quantile(0.5)),
            p95: micros(nanos.value_at_quantile(0.95)),
            p99: micros(nanos.value_at_quantile(0.99)),
            p999: micros(nanos.value_at_quantile(0.999)),
            max: micros(nanos.max()),
        }
    }
}

/// As a person reads it.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offered = self
            .offered_per_second
            .map(|rate| format!(" of {rate:.0} that were to come"));
        writeln!(
            f,
            "{:.0} requests/s{} x {} entities, for {:.1} s",
            self.requests_per_second,
            offered.unwrap_or_default(),
            self.entities_per_request,
            self.seconds
        )?;
        writeln!(f, "latency   {}", self.latency_micros)?;
        if let Some(lag) = &self.lag_micros {
            writeln!(f, "sent late {lag}")?;
        }
        let per_request = |bytes| ratio(bytes, 1.0) / ratio(self.requests.max(1), 1.0);
        writeln!(
            f,
            "bytes     {:.0} per request, {:.0} per answer",
            per_request(self.sent_bytes),
            per_request(self.received_bytes)
        )?;
        if self.checked.answers > 0 {
            writeln!(
                f,
                "checked   {} answers: {}",
                self.checked.answers, self.checked.values
            )?;
        }
        if self.unsent > 0 {
            writeln!(
                f,
                "unsent    {}: all lanes were busy to the end",
                self.unsent
            )?;
        }
        if self.errors.is_empty() {
            return write!(f, "errors    none");
        }
        let errors = self
            .errors
            .iter()
            .map(|e| format!("errors    {} x {}: {}", e.count, e.code, e.message));
        f.write_str(&errors.collect::<Vec<_>>().join("\n"))
    }
}

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = [
            ("p50", self.p50),
            ("p95", self.p95),
            ("p99", self.p99),
            ("p99.9", self.p999),
            ("max", self.max),
        ];
        let columns = columns.map(|(name, micros)| match micros {
            ..1_000.0 => format!("{name} {micros:.0} µs"),
            _ => format!("{name} {:.2} ms", micros / 1e3),
        });
        f.write_str(&columns.join("  "))
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts for people, to a few digits"
)]
fn ratio(count: u64, of: f64) -> f64 {
    count as f64 / of
}
