//! Time: microseconds UTC, with a type for every role.
//!
//! A timestamp without a zone is UTC; a date is its midnight UTC. Ranges are half-open.

mod parse;
mod span;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

pub use parse::{TimeError, parse_micros};
pub use span::{Span, SpanError, Ttl};

macro_rules! instants {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(i64);

        impl $name {
            /// The instant `micros` microseconds after 1970-01-01T00:00:00Z.
            pub const fn from_micros(micros: i64) -> Self {
                Self(micros)
            }

            /// Microseconds since 1970-01-01T00:00:00Z.
            pub const fn as_micros(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&format_micros(self.0))
            }
        }

        impl FromStr for $name {
            type Err = TimeError;
            fn from_str(text: &str) -> Result<Self, TimeError> {
                parse_micros(text).map(Self)
            }
        }

        impl From<DateTime<Utc>> for $name {
            fn from(at: DateTime<Utc>) -> Self {
                Self(at.timestamp_micros())
            }
        }
    )*};
}

instants! {
    /// When a fact was true in the world.
    EventTime;
    /// When a fact became known.
    CreatedTime;
}

/// Writes microseconds as RFC 3339 in UTC, with as many digits as the instant needs.
pub fn format_micros(micros: i64) -> String {
    DateTime::<Utc>::from_timestamp_micros(micros).map_or_else(
        || format!("{micros}us"),
        |at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
    )
}

/// A half-open stretch of event time: `start <= t < end`. No start means from the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TimeRange {
    start: Option<EventTime>,
    end: EventTime,
}

/// The start of a range is not before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the range [{start}, {end}) is empty: its start must be before its end")]
pub struct EmptyRange {
    /// The start that was given.
    pub start: EventTime,
    /// The end that was given.
    pub end: EventTime,
}

impl TimeRange {
    /// `[start, end)`; an error unless `start < end`.
    pub fn new(start: EventTime, end: EventTime) -> Result<Self, EmptyRange> {
        if start < end {
            Ok(Self {
                start: Some(start),
                end,
            })
        } else {
            Err(EmptyRange { start, end })
        }
    }

    /// Everything before `end`.
    pub const fn until(end: EventTime) -> Self {
        Self { start: None, end }
    }

    /// The inclusive start, if there is one.
    pub const fn start(&self) -> Option<EventTime> {
        self.start
    }

    /// The exclusive end.
    pub const fn end(&self) -> EventTime {
        self.end
    }

    /// Whether `at` lies inside.
    pub fn contains(&self, at: EventTime) -> bool {
        self.start.is_none_or(|start| start <= at) && at < self.end
    }
}

impl fmt::Display for TimeRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.start {
            Some(start) => write!(f, "[{start}, {})", self.end),
            None => write!(f, "[beginning, {})", self.end),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_its_start_and_not_its_end() {
        let at = EventTime::from_micros;
        let range = TimeRange::new(at(10), at(20)).unwrap();
        assert!(!range.contains(at(9)) && range.contains(at(10)));
        assert!(range.contains(at(19)) && !range.contains(at(20)));
        assert!(TimeRange::until(at(20)).contains(at(i64::MIN)));
    }

    #[test]
    fn a_range_that_starts_at_its_end_is_refused() {
        let at = EventTime::from_micros(10);
        assert!(TimeRange::new(at, at).is_err());
    }

    #[test]
    fn an_instant_prints_only_the_digits_it_needs() {
        assert_eq!(
            EventTime::from_micros(0).to_string(),
            "1970-01-01T00:00:00Z"
        );
        assert_eq!(
            EventTime::from_micros(1).to_string(),
            "1970-01-01T00:00:00.000001Z"
        );
    }
}
