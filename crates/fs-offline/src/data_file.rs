//! One data file of a table, and the event times that its statistics promise.
//!
//! Delta writes timestamps into its statistics as text with milliseconds, cut off below. A bound
//! read from there is therefore widened by what may have been cut off: `12:00:00.000` as a maximum
//! may stand for `12:00:00.000999`. A file without statistics may hold anything.

use std::collections::HashMap;

use deltalake::kernel::{Add, LogicalFileView, Remove};
use fs_core::time::parse_micros;
use fs_core::{CREATED_TIMESTAMP, EVENT_TIMESTAMP, EventTime, SEQUENCE, TimeRange};
use serde::Deserialize;
use serde_json::Value;

use crate::sequence::{ingest_of, is_pushed};

/// What Delta cuts off: a thousand microseconds less one.
pub(crate) const CUT_OFF: i64 = 999;

/// The least and greatest value that a column of a file may have; both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) min: i64,
    pub(crate) max: i64,
}

/// A data file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct DataFile {
    pub(crate) path: String,
    pub(crate) size: i64,
    pub(crate) rows: u64,
    /// Event times.
    pub(crate) event: Bounds,
    /// Whether a row may have no event time; those of a view have one.
    pub(crate) timeless: bool,
    /// Created times that are not null; `None` if all are.
    pub(crate) created: Option<Bounds>,
    /// `_sequence`; never null.
    pub(crate) sequence: Bounds,
    pub(crate) deletion_vector: bool,
}

/// How the rows of a file lie to a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Overlap {
    /// No row inside.
    Outside,
    /// Every row inside.
    Inside,
    /// Perhaps some inside and some outside.
    Partly,
}

/// Which rows of a file were pushed, rather than read from a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PushedRows {
    /// None of them.
    None,
    /// Every one of them.
    All,
    /// Perhaps some.
    Perhaps,
}

impl DataFile {
    pub(crate) fn of(view: &LogicalFileView) -> Self {
        Self::by(view, EVENT_TIMESTAMP)
    }

    /// The file, with the column `time` taken for event times.
    pub(crate) fn by(view: &LogicalFileView, time: &str) -> Self {
        let deletion_vector = view.deletion_vector_descriptor().is_some();
        let stats = view.stats();
        let path = view.path().into_owned();
        Self::with_stats(path, view.size(), stats.as_deref(), deletion_vector, time)
    }

    #[cfg(test)]
    pub(crate) fn for_test(path: &str, bytes: u64, stats: &str) -> Self {
        let size = bytes.cast_signed();
        Self::with_stats(path.to_owned(), size, Some(stats), false, EVENT_TIMESTAMP)
    }

    pub(crate) fn of_add(add: &Add) -> Self {
        Self::with_stats(
            add.path.clone(),
            add.size,
            add.stats.as_deref(),
            add.deletion_vector.is_some(),
            EVENT_TIMESTAMP,
        )
    }

    /// A removed file; `None` if the log does not tell its size.
    pub(crate) fn of_remove(remove: &Remove) -> Option<Self> {
        let deletion_vector = remove.deletion_vector.is_some();
        Some(Self::with_stats(
            remove.path.clone(),
            remove.size?,
            None,
            deletion_vector,
            EVENT_TIMESTAMP,
        ))
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.size.max(0).cast_unsigned()
    }

    fn with_stats(
        path: String,
        size: i64,
        stats: Option<&str>,
        deletion_vector: bool,
        time: &str,
    ) -> Self {
        let stats: Stats = stats
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let created_nulls = stats.null_count.get(CREATED_TIMESTAMP);
        let all_null = created_nulls.and_then(Value::as_u64) == Some(stats.num_records);
        Self {
            path,
            size,
            rows: stats.num_records,
            event: stats.bounds(time),
            timeless: stats.null_count.get(time).and_then(Value::as_u64) != Some(0),
            created: (!all_null || stats.num_records == 0).then(|| stats.bounds(CREATED_TIMESTAMP)),
            sequence: stats.sequence(),
            deletion_vector,
        }
    }

    /// Which rows of this file were pushed.
    pub(crate) fn pushed(&self) -> PushedRows {
        let Bounds { min, max } = self.sequence;
        match (is_pushed(min), is_pushed(max)) {
            (false, false) if ingest_of(min) == ingest_of(max) => PushedRows::None,
            (true, true) if ingest_of(min) == ingest_of(max) => PushedRows::All,
            _ => PushedRows::Perhaps,
        }
    }

    /// How the rows of this file lie to `window`.
    pub(crate) fn overlap(&self, window: &TimeRange) -> Overlap {
        let start = window.start().map_or(i64::MIN, EventTime::as_micros);
        let end = window.end().as_micros();
        if self.event.max < start || self.event.min >= end {
            Overlap::Outside
        } else if self.event.min >= start && self.event.max < end {
            Overlap::Inside
        } else {
            Overlap::Partly
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Stats {
    num_records: u64,
    min_values: HashMap<String, Value>,
    max_values: HashMap<String, Value>,
    null_count: HashMap<String, Value>,
}

impl Stats {
    fn sequence(&self) -> Bounds {
        let number = |values: &HashMap<String, Value>| values.get(SEQUENCE).and_then(Value::as_i64);
        Bounds {
            min: number(&self.min_values).unwrap_or(i64::MIN),
            max: number(&self.max_values).unwrap_or(i64::MAX),
        }
    }

    fn bounds(&self, column: &str) -> Bounds {
        let micros = |values: &HashMap<String, Value>| {
            let text = values.get(column)?.as_str()?;
            parse_micros(text).ok()
        };
        Bounds {
            min: micros(&self.min_values).unwrap_or(i64::MIN),
            max: micros(&self.max_values).map_or(i64::MAX, |max| max.saturating_add(CUT_OFF)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(stats: &str) -> DataFile {
        DataFile::for_test("f", 1, stats)
    }

    #[test]
    fn a_maximum_is_widened_by_the_microseconds_that_delta_cuts_off() {
        let file = file(
            r#"{"numRecords":2,"minValues":{"event_timestamp":"1970-01-01T00:00:00.001Z"},
                "maxValues":{"event_timestamp":"1970-01-01T00:00:00.002Z"}}"#,
        );
        assert_eq!((file.event.min, file.event.max), (1_000, 2_999));
        let until = |end| TimeRange::until(EventTime::from_micros(end));
        assert_eq!(file.overlap(&until(1_000)), Overlap::Outside);
        assert_eq!(file.overlap(&until(2_999)), Overlap::Partly);
        assert_eq!(file.overlap(&until(3_000)), Overlap::Inside);
    }

    #[test]
    fn statistics_tell_a_file_of_pushed_rows_from_one_without_any() {
        let pushed = |min: i64, max: i64| {
            let stats = format!(
                r#"{{"numRecords":2,"minValues":{{"_sequence":{min}}},"maxValues":{{"_sequence":{max}}}}}"#
            );
            file(&stats).pushed()
        };
        let (first, bit) = (5 << 32, 1 << 31);
        assert_eq!(pushed(first, first + 9), PushedRows::None);
        assert_eq!(pushed(first | bit, first | bit | 9), PushedRows::All);
        assert_eq!(pushed(first, first | bit), PushedRows::Perhaps);
        assert_eq!(pushed(first, 6 << 32), PushedRows::Perhaps);
        assert_eq!(pushed(first | bit, (6 << 32) | bit), PushedRows::Perhaps);
        assert_eq!(file("{}").pushed(), PushedRows::Perhaps);
    }

    #[test]
    fn a_file_without_statistics_may_hold_anything() {
        let window = TimeRange::until(EventTime::from_micros(0));
        assert_eq!(file("{}").overlap(&window), Overlap::Partly);
        assert_eq!(file("no json").overlap(&window), Overlap::Partly);
    }
}
