//! [`Asked`]: what a run is asked to do, and by whom.

use std::fmt;
use std::str::FromStr;

use fs_core::{EventTime, FeatureName, TimeRange};
use fs_offline::{RunKind, RunTrigger};

/// What a run is asked to do, and by whom.
///
/// It is also what a lease says of its holder, so that whoever takes over from a dead process can tell
/// what it was doing: printed, it reads back.
///
/// ```text
///   materialize [2013-01-01T00:00:00Z, 2013-01-02T00:00:00Z) by command, attempt 1
///   incremental up to 2013-01-02T00:00:00Z by schedule, attempt 2
///   backfill of temp, wind_speed by command, attempt 1
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What is to be done.
    pub work: Work,
    /// Who asks.
    pub trigger: RunTrigger,
    /// Which try of the same work this is, from 1.
    pub attempt: u32,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// Replace these event times.
    Range(TimeRange),
    /// Bring in all that is new, up to here.
    UpTo(EventTime),
    /// Fill features that were added after rows were written: these, or all that lack values if there
    /// are none named.
    Backfill(Vec<FeatureName>),
}

impl Asked {
    /// Replace `range`, for somebody who gave a command.
    pub const fn range(range: TimeRange) -> Self {
        Self::of(Work::Range(range))
    }

    /// Bring in all that is new up to `end`, for somebody who gave a command.
    pub const fn up_to(end: EventTime) -> Self {
        Self::of(Work::UpTo(end))
    }

    /// Fill features, for somebody who gave a command.
    pub const fn backfill(features: Vec<FeatureName>) -> Self {
        Self::of(Work::Backfill(features))
    }

    const fn of(work: Work) -> Self {
        Self {
            work,
            trigger: RunTrigger::Command,
            attempt: 1,
        }
    }

    /// The same, for somebody else.
    #[must_use]
    pub const fn by(mut self, trigger: RunTrigger) -> Self {
        self.trigger = trigger;
        self
    }

    /// The same, as try number `attempt`.
    #[must_use]
    pub const fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// How the window is chosen.
    pub const fn kind(&self) -> RunKind {
        match self.work {
            Work::Range(_) => RunKind::Materialize,
            Work::UpTo(_) => RunKind::Incremental,
            Work::Backfill(_) => RunKind::Backfill,
        }
    }

    /// The event times that are asked for, as far as that can be told before the stores are looked at,
    /// at `now`.
    pub const fn asked_range(&self, now: EventTime) -> TimeRange {
        match self.work {
            Work::Range(range) => range,
            Work::UpTo(end) => TimeRange::until(end),
            Work::Backfill(_) => TimeRange::until(now),
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.kind())?;
        match &self.work {
            Work::Range(range) => write!(f, "{range}")?,
            Work::UpTo(end) => write!(f, "up to {end}")?,
            Work::Backfill(features) if features.is_empty() => f.write_str("of new features")?,
            Work::Backfill(features) => {
                let names: Vec<&str> = features.iter().map(FeatureName::as_str).collect();
                write!(f, "of {}", names.join(", "))?;
            }
        }
        write!(f, " by {}, attempt {}", self.trigger, self.attempt)
    }
}

/// A text that says nothing that a run could be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` does not say what a run is asked to do")]
pub struct NotAsked {
    /// The text.
    pub text: String,
}

impl FromStr for Asked {
    type Err = NotAsked;

    fn from_str(text: &str) -> Result<Self, NotAsked> {
        parse(text).ok_or_else(|| NotAsked {
            text: text.to_owned(),
        })
    }
}

fn parse(text: &str) -> Option<Asked> {
    let (rest, attempt) = text.rsplit_once(", attempt ")?;
    let (rest, trigger) = rest.rsplit_once(" by ")?;
    let (kind, rest) = rest.split_once(' ')?;
    let work = match kind.parse().ok()? {
        RunKind::Materialize => Work::Range(parse_range(rest)?),
        RunKind::Incremental => Work::UpTo(rest.strip_prefix("up to ")?.parse().ok()?),
        RunKind::Backfill if rest == "of new features" => Work::Backfill(Vec::new()),
        RunKind::Backfill => {
            let names = rest.strip_prefix("of ")?.split(", ");
            Work::Backfill(names.map(|name| name.parse().ok()).collect::<Option<_>>()?)
        }
    };
    Some(Asked {
        work,
        trigger: trigger.parse().ok()?,
        attempt: attempt.parse().ok()?,
    })
}

fn parse_range(text: &str) -> Option<TimeRange> {
    let (start, end) = text
        .strip_prefix('[')?
        .strip_suffix(')')?
        .split_once(", ")?;
    let end = end.parse().ok()?;
    if start == "beginning" {
        return Some(TimeRange::until(end));
    }
    TimeRange::new(start.parse().ok()?, end).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_is_printed_and_reads_back() {
        let at = EventTime::from_micros;
        let range = TimeRange::new(at(0), at(1_500_000)).unwrap();
        let features = vec!["temp".parse().unwrap(), "wind_speed".parse().unwrap()];
        for (asked, text) in [
            (
                Asked::range(range),
                "materialize [1970-01-01T00:00:00Z, 1970-01-01T00:00:01.500Z) by command, attempt 1",
            ),
            (
                Asked::range(TimeRange::until(at(0))),
                "materialize [beginning, 1970-01-01T00:00:00Z) by command, attempt 1",
            ),
            (
                Asked::up_to(at(0)).by(RunTrigger::Schedule).attempt(2),
                "incremental up to 1970-01-01T00:00:00Z by schedule, attempt 2",
            ),
            (
                Asked::backfill(features),
                "backfill of temp, wind_speed by command, attempt 1",
            ),
            (
                Asked::backfill(Vec::new()),
                "backfill of new features by command, attempt 1",
            ),
        ] {
            assert_eq!(asked.to_string(), text);
            assert_eq!(text.parse(), Ok(asked));
        }
        assert!("something else".parse::<Asked>().is_err());
    }
}
