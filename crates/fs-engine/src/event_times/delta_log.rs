//! What the log of a Delta table says of a file.

use std::collections::HashMap;

use fs_core::time::parse_micros;
use serde::Deserialize;
use serde_json::Value;

use super::Known;

/// Delta cuts timestamps in statistics to milliseconds, so `12:00:00.000` as a maximum may stand for
/// `12:00:00.000999`.
const CUT_OFF: i64 = 999;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Statistics {
    num_records: Option<u64>,
    min_values: HashMap<String, Value>,
    max_values: HashMap<String, Value>,
    null_count: HashMap<String, Value>,
}

/// The event times of a file, whose column holds timestamps or dates, from the statistics and the
/// partition values of the log.
pub(crate) fn of_log(
    column: &str,
    statistics: Option<&str>,
    partition_values: &HashMap<String, Option<String>>,
) -> Known {
    let statistics: Option<Statistics> =
        statistics.and_then(|text| serde_json::from_str(text).ok());
    let statistics = statistics.unwrap_or_default();
    let Some(rows) = statistics.num_records else {
        return Known::Nothing;
    };
    if let Some(value) = partition_values.get(column) {
        let Some(text) = value else {
            return Known::NoTimes;
        };
        let at = parse_micros(text).ok();
        return Known::of(at, at, rows, None);
    }
    let time = |values: &HashMap<String, Value>| {
        let text = values.get(column)?.as_str()?;
        parse_micros(text).ok()
    };
    let low = time(&statistics.min_values);
    let high = time(&statistics.max_values).map(|high| high.saturating_add(CUT_OFF));
    let nulls = statistics.null_count.get(column).and_then(Value::as_u64);
    Known::of(low, high, rows, nulls)
}

#[cfg(test)]
mod tests {
    use fs_core::EventTime;

    use super::*;
    use crate::Piece;

    fn times(low: i64, high: i64, rows: u64) -> Known {
        Known::Times(Piece {
            low: EventTime::from_micros(low),
            high: EventTime::from_micros(high),
            rows,
        })
    }

    #[test]
    fn bounds_are_widened_by_the_microseconds_that_delta_cuts_off() {
        let statistics = r#"{"numRecords":7,"minValues":{"t":"1970-01-01T00:00:00.001Z"},
            "maxValues":{"t":"1970-01-01 00:00:00.002"},"nullCount":{"t":2}}"#;
        let found = of_log("t", Some(statistics), &HashMap::new());
        assert_eq!(found, times(1_000, 2_999, 7));
    }

    #[test]
    fn a_partition_column_has_its_value_and_no_statistics() {
        let days = HashMap::from([("t".to_owned(), Some("1970-01-02".to_owned()))]);
        let found = of_log("t", Some(r#"{"numRecords":7}"#), &days);
        assert_eq!(found, times(86_400_000_000, 86_400_000_000, 7));
        assert_eq!(of_log("t", None, &days), Known::Nothing);
    }

    #[test]
    fn a_file_without_event_times_is_told_from_one_of_which_nothing_is_known() {
        let known = |text| of_log("t", Some(text), &HashMap::new());
        let all_null = r#"{"numRecords":7,"nullCount":{"t":7}}"#;
        assert_eq!(known(all_null), Known::NoTimes);
        assert_eq!(known(r#"{"numRecords":7}"#), Known::Nothing);
        assert_eq!(known("{}"), Known::Nothing);
        assert_eq!(known("no json"), Known::Nothing);
    }
}
