//! No row is lost or gained at a boundary, whatever the unit of the column, and row groups are pruned.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Date32Array, Date64Array, TimestampMicrosecondArray,
    TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray,
};
use datafusion::physical_plan::collect;
use fs_core::{FileFormat, TimeRange};

use super::fixture::*;
use crate::convert::to_micros;
use crate::view_plan::ViewPlan;

const DAY: i64 = 24 * 3_600_000_000;

/// Instants around zero and around a day before and after it, in every unit.
fn every_kind_of_time() -> Vec<ArrayRef> {
    let around = |unit: i64| -> Vec<i64> {
        [-DAY, -1_000_000, 0, 1_000_000, DAY]
            .into_iter()
            .flat_map(|micros| {
                let value = (i128::from(micros) * i128::from(unit)).div_euclid(1_000_000);
                let value = i64::try_from(value).unwrap();
                [value - 1, value, value + 1]
            })
            .collect()
    };
    vec![
        Arc::new(TimestampSecondArray::from(around(1))),
        Arc::new(TimestampMillisecondArray::from(around(1_000)).with_timezone("America/New_York")),
        Arc::new(TimestampMicrosecondArray::from(around(1_000_000)).with_timezone("UTC")),
        Arc::new(TimestampMicrosecondArray::from(around(1_000_000))),
        Arc::new(TimestampNanosecondArray::from(around(1_000_000_000))),
        Arc::new(TimestampNanosecondArray::from(vec![
            -1, -999, -1_000, -1_001, 0, 999, 1_000, 1_001,
        ])),
        Arc::new(Date32Array::from(vec![-2, -1, 0, 1, 2])),
        Arc::new(Date64Array::from(vec![-86_400_000, 0, 86_400_000])),
        strings(&[
            "1969-12-31",
            "1969-12-31T23:59:59.999999Z",
            "1970-01-01 00:00",
            "1969-12-31T19:00:00.000001-05:00",
        ]),
    ]
}

fn ranges() -> Vec<TimeRange> {
    let edges = [-DAY, -DAY + 1, -1_001, -1, 0, 1, 999_999, 1_000_000, DAY];
    let mut ranges = Vec::new();
    for start in edges {
        for end in edges {
            if start < end {
                ranges.push(range(start, end));
            }
        }
    }
    ranges.push(range(i64::MIN, i64::MAX));
    ranges.push(TimeRange::until(fs_core::EventTime::from_micros(0)));
    ranges
}

#[tokio::test]
async fn a_row_is_in_a_range_exactly_when_its_microsecond_is() {
    for (at, column) in every_kind_of_time().into_iter().enumerate() {
        let mut repo = Repo::new();
        let rows = column.len();
        let ids: Vec<i32> = (0..i32::try_from(rows).unwrap()).collect();
        repo.parquet(
            "w.parquet",
            &[
                ("origin", strings(&vec!["JFK"; rows])),
                ("t", Arc::clone(&column)),
                ("id", ints(&ids)),
            ],
        );
        repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
        let view = view("weather", &[("id", "int64")]);
        let micros = to_micros(&column).unwrap();
        for range in ranges() {
            let expected: Vec<String> = (0..rows)
                .filter(|row| range.contains(fs_core::EventTime::from_micros(micros.value(*row))))
                .map(|row| row.to_string())
                .collect();
            let found = repo.rows_in(&view, &range).await.unwrap();
            let found: Vec<&str> = found
                .lines()
                .skip(3)
                .filter_map(|line| line.trim_matches('|').split('|').nth(3))
                .map(str::trim)
                .collect();
            assert_eq!(
                found,
                expected,
                "column {at} ({}) in {range}",
                column.data_type()
            );
        }
    }
}

#[test]
fn nanoseconds_before_1970_are_cut_toward_minus_infinity() {
    let nanos: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![
        -1, -1_000, -1_001, 1_999,
    ]));
    let micros = to_micros(&nanos).unwrap();
    assert_eq!(micros.values().to_vec(), [-1, -1, -2, 1]);
}

#[test]
fn a_time_beyond_the_microseconds_of_64_bits_is_named() {
    let seconds: ArrayRef = Arc::new(TimestampSecondArray::from(vec![0, i64::MAX / 10]));
    assert_eq!(to_micros(&seconds).unwrap_err().row, 1);
}

#[tokio::test]
async fn row_groups_outside_the_range_are_never_read() {
    for nanos in [false, true] {
        let mut repo = Repo::new();
        let values: Vec<i64> = (0..40).collect();
        let column: ArrayRef = if nanos {
            let values = values.iter().map(|v| v * 1_000).collect::<Vec<i64>>();
            Arc::new(TimestampNanosecondArray::from(values))
        } else {
            times(&values)
        };
        repo.parquet_in_groups(
            "w.parquet",
            &[
                ("origin", strings(&["JFK"; 40])),
                ("t", column),
                ("temp", floats(&[1.0; 40])),
            ],
            10,
        );
        repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
        let tables = repo.engine.tables(&repo.catalog);
        let view = view("weather", &[("temp", "float64")]);
        let plan = ViewPlan::open(&tables, &view).await.unwrap();
        let frame = plan.in_range(&range(12, 15)).unwrap();
        let task = Arc::new(frame.task_ctx());
        let plan = frame.create_physical_plan().await.unwrap();
        collect(Arc::clone(&plan), task).await.unwrap();
        let shown = displayable_with_metrics(&plan);
        assert!(
            shown.contains("row_groups_pruned_statistics=4 total → 1 matched"),
            "{shown}"
        );
        assert!(!shown.contains("CAST(t"), "{shown}");
    }
}

fn displayable_with_metrics(plan: &Arc<dyn datafusion::physical_plan::ExecutionPlan>) -> String {
    datafusion::physical_plan::display::DisplayableExecutionPlan::with_metrics(plan.as_ref())
        .indent(true)
        .to_string()
}
