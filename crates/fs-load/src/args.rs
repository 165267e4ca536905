//! A load as arguments of a command.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, ValueEnum};
use fs_core::KeyType;
use fs_core::time::{Span, SpanError};
use serde::Serialize;

use crate::{
    Arrivals, Error, KeyRange, Load, Mode, RateSearch, Report, SearchReport, Target, measure,
};

/// Requests in flight on each connection of an open loop, unless told otherwise.
const OPEN_IN_FLIGHT: usize = 128;

/// How much is asked, and what is looked for.
#[derive(Debug, Clone, Args)]
pub struct LoadArgs {
    /// Send so many requests per second, answered or not the ones before (an open loop). Without it,
    /// every request waits for the one before it (a closed loop)
    #[arg(long, value_name = "PER_SECOND")]
    pub rate: Option<f64>,
    /// How the requests of an open loop are spread
    #[arg(long, value_enum, default_value_t = Arrivals::Poisson)]
    pub arrivals: Arrivals,
    /// Look for the greatest rate at which p99 is at most this
    #[arg(long, value_name = "P99", value_parser = duration, conflicts_with = "rate")]
    pub find_rate: Option<Duration>,
    /// How many rates to try
    #[arg(long, value_name = "N", default_value_t = 6, requires = "find_rate")]
    pub steps: u32,
    /// Connections
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub connections: usize,
    /// The most requests in flight on each connection; over HTTP, connections for each [default: 1,
    /// of an open loop 128]
    #[arg(long, value_name = "N")]
    pub in_flight: Option<usize>,
    /// How long to measure
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s")]
    pub duration: Duration,
    /// How long to load the server before that
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "2s")]
    pub warm_up: Duration,
    /// When to give up a request
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s")]
    pub timeout: Duration,
    /// Decode and check every so many answers; 0 checks none
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub check_every: u64,
    /// Entities in each request
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub entities_per_request: usize,
    /// Different requests to make before the first is sent again
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub distinct: usize,
    /// Decides which entities are drawn
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub seed: u64,
    /// Threads of the load generator, each with its share of connections
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub threads: usize,
}

/// What was found out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// What a load took.
    Measured(Report),
    /// The greatest rate.
    Searched(SearchReport),
}

impl LoadArgs {
    /// Puts the load on `target`. That nothing at all is answered is an error.
    pub fn run<T: Target>(&self, target: &T) -> Result<Outcome, Error> {
        let load = self.load();
        let Some(p99) = self.find_rate else {
            let report = answered(measure(target, &load)?)?;
            return Ok(Outcome::Measured(report));
        };
        let search = RateSearch {
            p99,
            arrivals: self.arrivals,
            steps: self.steps,
        };
        let mut found = search.run(target, &load)?;
        found.saturated = answered(found.saturated)?;
        Ok(Outcome::Searched(found))
    }

    fn load(&self) -> Load {
        let arrivals = self.arrivals;
        let mode = self
            .rate
            .map_or(Mode::Closed, |rate| Mode::Open { rate, arrivals });
        let is_open = self.rate.is_some() || self.find_rate.is_some();
        Load {
            mode,
            connections: self.connections,
            in_flight: self
                .in_flight
                .unwrap_or(if is_open { OPEN_IN_FLIGHT } else { 1 }),
            warm_up: self.warm_up,
            duration: self.duration,
            timeout: self.timeout,
            check_every: self.check_every,
            threads: self.threads,
        }
    }
}

fn answered(report: Report) -> Result<Report, Error> {
    if report.requests > 0 {
        return Ok(report);
    }
    Err(match report.errors.into_iter().next() {
        Some(first) => Error::Refused {
            code: first.code,
            message: first.message,
        },
        None => Error::Load("nothing was answered in that time: measure for longer"),
    })
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Measured(report) => report.fmt(f),
            Self::Searched(report) => report.fmt(f),
        }
    }
}

impl ValueEnum for Arrivals {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Constant, Self::Poisson]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        let (name, help) = match self {
            Self::Constant => ("constant", "Evenly"),
            Self::Poisson => ("poisson", "As callers come who know nothing of each other"),
        };
        Some(clap::builder::PossibleValue::new(name).help(help))
    }
}

/// A text that is no range of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write a name and a range, such as user_id=0..100000 or day:int32=1..366")]
pub struct BadKeyRange;

/// `NAME=FIRST..END`, END exclusive; `NAME:int32=FIRST..END` for another type than int64.
impl FromStr for KeyRange {
    type Err = BadKeyRange;

    fn from_str(text: &str) -> Result<Self, BadKeyRange> {
        let parsed = || {
            let (name, range) = text.split_once('=')?;
            let (first, end) = range.split_once("..")?;
            let (name, key_type) = match name.split_once(':') {
                Some((name, key_type)) => (name, key_type.parse().ok()?),
                None => (name, KeyType::Int64),
            };
            let numbers = first.trim().parse().ok()?..end.trim().parse().ok()?;
            let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty())?;
            Some(Self {
                name,
                key_type,
                numbers,
            })
        };
        parsed().ok_or(BadKeyRange)
    }
}

fn duration(text: &str) -> Result<Duration, SpanError> {
    let span: Span = text.parse()?;
    Ok(Duration::from_micros(span.as_micros().unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_name_and_a_range() {
        let key = |text: &str| text.parse::<KeyRange>();
        let expected = KeyRange {
            name: "user_id".to_owned(),
            key_type: KeyType::Int64,
            numbers: -5..10,
        };
        assert_eq!(key("user_id=-5..10"), Ok(expected));
        assert_eq!(key("day:int32=1..366").unwrap().key_type, KeyType::Int32);
        for wrong in ["user_id", "user_id=5", "=0..5", "a:number=0..5", "a=x..5"] {
            assert_eq!(key(wrong), Err(BadKeyRange));
        }
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        duration("5").unwrap_err();
    }
}
