//! The greatest rate that a server keeps up with.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::{Arrivals, Error, Load, Mode, Report, Target, measure};

/// How much of what is to come must be answered in time: a plan of a few seconds ends a little early or late.
const KEEPS_UP: f64 = 0.98;

/// Looks for the greatest rate of an open loop at which p99 stays below a bound.
///
/// A closed loop tells what the server can do at most; then rates between that and nothing are tried, each
/// halving what is left, every one for the duration of the load.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateSearch {
    /// What p99 may be at most.
    pub p99: Duration,
    /// How requests are spread.
    pub arrivals: Arrivals,
    /// How many rates are tried.
    pub steps: u32,
}

/// What was tried, and the best of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SearchReport {
    /// What p99 may be at most.
    pub p99_bound_micros: f64,
    /// The closed loop.
    pub saturated: Report,
    /// The rates that were tried, in that order.
    pub steps: Vec<Step>,
    /// The greatest that held, in requests per second; none if none did.
    pub greatest_per_second: Option<f64>,
}

/// A rate that was tried.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// Whether everything was answered, and p99 was below the bound.
    pub held: bool,
    /// What it took.
    pub report: Report,
}

impl RateSearch {
    /// Searches; `load` says with how many connections, and how long each rate is tried.
    pub fn run<T: Target>(&self, target: &T, load: &Load) -> Result<SearchReport, Error> {
        let closed = Load {
            mode: Mode::Closed,
            ..load.clone()
        };
        let saturated = measure(target, &closed)?;
        let (mut holds, mut fails) = (0.0, saturated.requests_per_second);
        let mut steps = Vec::new();
        for _ in 0..self.steps {
            let rate = f64::midpoint(holds, fails);
            // Nothing was answered at all.
            if rate < 1.0 {
                break;
            }
            let mode = Mode::Open {
                rate,
                arrivals: self.arrivals,
            };
            let report = measure(
                target,
                &Load {
                    mode,
                    ..load.clone()
                },
            )?;
            let held = self.held(&report, rate);
            *(if held { &mut holds } else { &mut fails }) = rate;
            steps.push(Step { held, report });
        }
        Ok(SearchReport {
            p99_bound_micros: self.bound_micros(),
            saturated,
            steps,
            greatest_per_second: (holds > 0.0).then_some(holds),
        })
    }

    fn held(&self, report: &Report, rate: f64) -> bool {
        report.failed() == 0
            && report.requests_per_second >= KEEPS_UP * rate
            && report.latency_micros.p99 <= self.bound_micros()
    }

    fn bound_micros(&self) -> f64 {
        self.p99.as_secs_f64() * 1e6
    }
}

/// As a person reads it.
impl fmt::Display for SearchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "closed    {:>8.0} requests/s  {}",
            self.saturated.requests_per_second, self.saturated.latency_micros
        )?;
        for Step { held, report } in &self.steps {
            let held = if *held { "held" } else { "failed" };
            let rate = report.offered_per_second.unwrap_or_default();
            writeln!(
                f,
                "{held:<8}  {rate:>8.0} requests/s  {}",
                report.latency_micros
            )?;
        }
        let bound = self.p99_bound_micros / 1e3;
        match self.greatest_per_second {
            Some(rate) => write!(f, "{rate:.0} requests/s with p99 below {bound} ms"),
            None => write!(f, "no rate had p99 below {bound} ms"),
        }
    }
}
