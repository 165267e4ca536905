//! Lengths of time: `90s`, `15m`, `3h`, `7d`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

const UNITS: [(&str, i64); 7] = [
    ("w", 7 * 24 * 3_600_000_000),
    ("d", 24 * 3_600_000_000),
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
];

/// A length of time in whole microseconds, never negative.
///
/// Written as numbers with units, greatest first: `90s`, `15m`, `1h30m`, `7d`. The units are `w`,
/// `d`, `h`, `m`, `s`, `ms` and `us`; a bare `0` is fine.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Span(i64);

/// A text that is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// Not numbers with units.
    #[error("`{text}` is not a duration: write a number and a unit, such as 90s, 15m, 3h or 7d")]
    Malformed {
        /// The text that was refused.
        text: String,
    },
    /// More microseconds than 64 bits hold.
    #[error("`{text}` is longer than 292,000 years")]
    TooLong {
        /// The text that was refused.
        text: String,
    },
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// `micros` microseconds; `None` if negative.
    pub const fn from_micros(micros: i64) -> Option<Self> {
        if micros < 0 { None } else { Some(Self(micros)) }
    }

    /// The length in microseconds.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whether this is no time at all.
    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let malformed = || SpanError::Malformed {
            text: text.to_owned(),
        };
        let too_long = || SpanError::TooLong {
            text: text.to_owned(),
        };
        let mut rest = text.trim();
        if rest == "0" {
            return Ok(Self::ZERO);
        }
        if rest.is_empty() {
            return Err(malformed());
        }
        let mut total = 0_i64;
        let mut last_unit = i64::MAX;
        while !rest.is_empty() {
            let digits = rest
                .find(|c: char| !c.is_ascii_digit())
                .ok_or_else(malformed)?;
            let (number, tail) = rest.split_at(digits);
            let letters = tail
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            let micros = UNITS
                .iter()
                .find(|(name, _)| *name == unit)
                .map(|(_, micros)| *micros);
            let micros = micros
                .filter(|micros| *micros < last_unit)
                .ok_or_else(malformed)?;
            if number.is_empty() {
                return Err(malformed());
            }
            let number: i64 = number.parse().map_err(|_overflow| too_long())?;
            total = number
                .checked_mul(micros)
                .and_then(|n| total.checked_add(n))
                .ok_or_else(too_long)?;
            last_unit = micros;
            rest = tail;
        }
        Ok(Self(total))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        // `w` is read but not written: 7d is what people say for a week.
        for (unit, micros) in &UNITS[1..] {
            let count = rest / micros;
            if count > 0 {
                write!(f, "{count}{unit}")?;
                rest -= count * micros;
            }
        }
        Ok(())
    }
}

impl TryFrom<String> for Span {
    type Error = SpanError;
    fn try_from(text: String) -> Result<Self, SpanError> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

/// How long a feature row may be used after its event time; always longer than nothing.
///
/// A row with event time `e` is within its TTL at `t` when `e >= t - ttl`: both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ttl(Span);

impl Ttl {
    /// A TTL of `span`; `None` for zero, which means no limit.
    pub const fn new(span: Span) -> Option<Self> {
        if span.is_zero() {
            None
        } else {
            Some(Self(span))
        }
    }

    /// The length in microseconds.
    pub const fn as_micros(self) -> i64 {
        self.0.as_micros()
    }

    /// Whether a row with event time `event` (micros) is too old at `now` (micros).
    pub const fn is_expired(self, event: i64, now: i64) -> bool {
        event < now.saturating_sub(self.as_micros())
    }
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn three_bananas_are_no_duration() {
        for text in [
            "3 bananas",
            "",
            "h",
            "3",
            "-3h",
            "3h ",
            "1m1h",
            "1h1h",
            "1.5h",
        ] {
            let parsed = text.parse::<Span>();
            if text == "3h " {
                assert!(parsed.is_ok());
            } else {
                assert!(
                    parsed.unwrap_err().to_string().contains("such as 90s"),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn a_ttl_is_inclusive_to_the_microsecond() {
        let ttl = Ttl::new("1s".parse().unwrap()).unwrap();
        assert!(!ttl.is_expired(0, 1_000_000));
        assert!(ttl.is_expired(0, 1_000_001));
    }

    #[test]
    fn a_ttl_of_zero_is_no_ttl() {
        assert_eq!(Ttl::new(Span::ZERO), None);
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(micros in 0_i64..) {
            let span = Span::from_micros(micros).unwrap();
            prop_assert_eq!(span.to_string().parse::<Span>(), Ok(span));
        }
    }
}
