//! When a view is to be brought up to date.

mod numbers;

use std::str::FromStr;

use chrono::{DateTime, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use fs_core::EventTime;

/// The instants of a cron expression of five fields, UTC.
///
/// ```text
///   */15 * * * *    every quarter of an hour
///   0 3 * * MON     Mondays at three
///   0 0 1,15 * FRI  the first, the fifteenth, and every Friday: of two days, either is enough
/// ```
/// An instant of a schedule is called a tick. Which texts are schedules is checked where definitions are
/// read (`fs_spec::cron`); all of those are understood here, to the same effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    text: String,
    cron: Cron,
}

/// A text that is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a schedule: {problem}")]
pub struct ScheduleError {
    /// The text.
    pub text: String,
    /// What is wrong with it.
    pub problem: String,
}

impl Schedule {
    /// The last tick that is not after `now`.
    pub fn latest(&self, now: EventTime) -> Option<EventTime> {
        let now = whole_second(now)?;
        self.cron
            .find_previous_occurrence(&now, true)
            .ok()
            .map(EventTime::from)
    }

    /// The first tick after `now`.
    pub fn next(&self, now: EventTime) -> Option<EventTime> {
        let now = whole_second(now)?;
        self.cron
            .find_next_occurrence(&now, false)
            .ok()
            .map(EventTime::from)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, ScheduleError> {
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let parsed = parser.parse(&numbers::only(text));
        let cron = parsed.map_err(|error| ScheduleError {
            text: text.to_owned(),
            problem: error.to_string(),
        })?;
        Ok(Self {
            text: text.to_owned(),
            cron,
        })
    }
}

/// The second that `at` lies in.
fn whole_second(at: EventTime) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(at.as_micros().div_euclid(1_000_000), 0)
}

#[cfg(test)]
mod tests;
