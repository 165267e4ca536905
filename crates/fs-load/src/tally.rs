//! What is counted while the load runs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::{Answer, Error, Refusal, Values};

/// The longest time that is told apart from longer ones: two to the 36 nanoseconds, 68 s.
const LONGEST_NANOS: u64 = 1 << 36;

/// Counts, and times in nanoseconds to three digits.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    pub(crate) latency: Histogram<u64>,
    /// By how much requests of a plan were sent late.
    pub(crate) lag: Histogram<u64>,
    /// How often, and what was said the first time.
    pub(crate) errors: BTreeMap<Cow<'static, str>, (u64, String)>,
    pub(crate) unsent: u64,
    pub(crate) sent_bytes: u64,
    pub(crate) received_bytes: u64,
    pub(crate) checked: u64,
    pub(crate) values: Values,
    /// How long was counted.
    pub(crate) elapsed: Duration,
}

impl Tally {
    pub(crate) fn new() -> Result<Self, Error> {
        let histogram = || {
            Histogram::new_with_bounds(1, LONGEST_NANOS, 3)
                .map_err(|error| Error::Runtime(io::Error::other(error)))
        };
        Ok(Self {
            latency: histogram()?,
            lag: histogram()?,
            errors: BTreeMap::new(),
            unsent: 0,
            sent_bytes: 0,
            received_bytes: 0,
            checked: 0,
            values: Values::default(),
            elapsed: Duration::ZERO,
        })
    }

    /// Counts what became of a request.
    pub(crate) fn record(&mut self, outcome: Result<Answer, Refusal>, took: Duration) {
        match outcome {
            Ok(answer) => {
                self.latency.saturating_record(nanos(took));
                self.sent_bytes += answer.sent as u64;
                self.received_bytes += answer.received as u64;
                if let Some(values) = answer.values {
                    self.checked += 1;
                    self.values.add(values);
                }
            }
            Err(refusal) => {
                let (count, _) = self
                    .errors
                    .entry(refusal.code)
                    .or_insert((0, refusal.message));
                *count += 1;
            }
        }
    }

    /// Counts by how much a request was sent late.
    pub(crate) fn record_lag(&mut self, lag: Duration) {
        self.lag.saturating_record(nanos(lag));
    }

    /// Counts what another thread counted at the same time.
    pub(crate) fn merge(&mut self, other: Self) -> Result<(), Error> {
        let failed = |error| Error::Runtime(io::Error::other(error));
        self.latency.add(other.latency).map_err(failed)?;
        self.lag.add(other.lag).map_err(failed)?;
        for (code, (count, message)) in other.errors {
            self.errors.entry(code).or_insert((0, message)).0 += count;
        }
        self.unsent += other.unsent;
        self.sent_bytes += other.sent_bytes;
        self.received_bytes += other.received_bytes;
        self.checked += other.checked;
        self.values.add(other.values);
        self.elapsed = self.elapsed.max(other.elapsed);
        Ok(())
    }
}

/// What one loop counts, shared by its lanes.
pub(crate) type Shared = std::sync::Arc<std::sync::Mutex<Tally>>;

/// The tally, whatever became of whoever held it before: counts stay counts.
pub(crate) fn lock(tally: &Shared) -> std::sync::MutexGuard<'_, Tally> {
    tally
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// When something is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    pub(crate) from: Instant,
    pub(crate) until: Instant,
}

impl Window {
    pub(crate) fn holds(&self, instant: Instant) -> bool {
        self.from <= instant && instant < self.until
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
