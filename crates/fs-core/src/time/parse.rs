//! Reading timestamps as people write them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};

/// A text that is no timestamp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a timestamp: write a date such as 2013-03-31, or a time such as \
     2013-03-31T23:00:00Z"
)]
pub struct TimeError {
    /// The text that was refused.
    pub text: String,
}

/// Reads a date, a naive timestamp or a timestamp with an offset as microseconds UTC.
///
/// | Text | Reads as |
/// |---|---|
/// | `2013-03-31` | 2013-03-31T00:00:00Z |
/// | `2013-03-31 23:00` | 2013-03-31T23:00:00Z |
/// | `2013-03-31T23:00:00.5` | 2013-03-31T23:00:00.5Z |
/// | `2013-03-31T23:00:00-04:00` | 2013-04-01T03:00:00Z |
///
/// Digits beyond the microsecond are cut off.
pub fn parse_micros(text: &str) -> Result<i64, TimeError> {
    let trimmed = text.trim();
    let zoned = DateTime::parse_from_rfc3339(trimmed)
        .or_else(|_| DateTime::parse_from_str(trimmed, "%Y-%m-%d %H:%M:%S%.f%#z"))
        .or_else(|_| DateTime::parse_from_str(trimmed, "%Y-%m-%dT%H:%M%#z"))
        .map(|at| at.timestamp_micros());
    if let Ok(micros) = zoned {
        return Ok(micros);
    }
    let unzoned = trimmed.strip_suffix(['Z', 'z']).unwrap_or(trimmed);
    [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ]
    .iter()
    .find_map(|format| NaiveDateTime::parse_from_str(unzoned, format).ok())
    .or_else(|| {
        let date = NaiveDate::parse_from_str(trimmed, "%Y-%m-%d").ok()?;
        Some(date.and_time(NaiveTime::MIN))
    })
    .map(|at| at.and_utc().timestamp_micros())
    .ok_or_else(|| TimeError {
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_without_a_zone_is_utc_and_a_date_is_its_midnight() {
        let zoned = parse_micros("2013-03-31T00:00:00Z").unwrap();
        for text in ["2013-03-31", "2013-03-31 00:00", "2013-03-31T00:00:00.000"] {
            assert_eq!(parse_micros(text), Ok(zoned), "{text}");
        }
    }

    #[test]
    fn an_offset_is_honoured() {
        let utc = parse_micros("2013-04-01T03:00:00Z").unwrap();
        assert_eq!(parse_micros("2013-03-31T23:00:00-04:00"), Ok(utc));
        assert_eq!(parse_micros("2013-03-31 23:00:00-0400"), Ok(utc));
    }

    #[test]
    fn what_is_no_timestamp_is_refused_with_an_example() {
        for text in [
            "",
            "yesterday",
            "2013-02-30",
            "20130331",
            "2013-03-31T25:00:00",
        ] {
            let error = parse_micros(text).unwrap_err().to_string();
            assert!(error.contains("2013-03-31T23:00:00Z"), "{error}");
        }
    }
}
