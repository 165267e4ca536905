//! Checks of single rows, for every kind of column.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, ListArray,
    StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Float64Type;
use fs_core::{Check, EventTime, Literal};

use super::*;
use crate::Example;

/// Five rows of every kind; the last is null.
fn kinds() -> (Repo, FeatureView) {
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        ("origin", strings(&["A", "B", "C", "D", "E"])),
        ("t", times(&[0, 1, 2, 3, 4])),
    ];
    columns.extend(numbers());
    columns.extend(others());
    let features = [
        ("small", "int32"),
        ("big", "int64"),
        ("half", "float32"),
        ("temp", "float64"),
        ("kind", "string"),
        ("wet", "bool"),
        ("last", "array<float64>"),
        ("seen", "timestamp"),
    ];
    weather(&columns, &features)
}

fn numbers() -> [(&'static str, ArrayRef); 4] {
    let small = vec![Some(-1), Some(0), Some(1), Some(2), None];
    let big = vec![Some(i64::MIN), Some(0), Some(1), Some(i64::MAX), None];
    let half = vec![Some(0.1), Some(f32::NAN), Some(-0.0), Some(0.2), None];
    let temp = vec![
        Some(0.1),
        Some(f64::NAN),
        Some(-0.0),
        Some(f64::INFINITY),
        None,
    ];
    [
        ("small", Arc::new(Int32Array::from(small))),
        ("big", Arc::new(Int64Array::from(big))),
        ("half", Arc::new(Float32Array::from(half))),
        ("temp", Arc::new(Float64Array::from(temp))),
    ]
}

fn others() -> [(&'static str, ArrayRef); 4] {
    let kind = vec![Some("rain"), Some("snow"), Some("Rain"), Some(""), None];
    let wet = vec![Some(true), Some(true), Some(false), Some(true), None];
    let last = [
        Some(vec![Some(1.0)]),
        Some(vec![]),
        Some(vec![None]),
        Some(vec![]),
        None,
    ];
    let seen = TimestampMicrosecondArray::from(vec![Some(-1), Some(0), Some(1), Some(2), None]);
    [
        ("kind", Arc::new(StringArray::from(kind))),
        ("wet", Arc::new(BooleanArray::from(wet))),
        (
            "last",
            Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(last)),
        ),
        ("seen", Arc::new(seen.with_timezone("UTC"))),
    ]
}

/// The keys of the rows that fail.
async fn failing(check: Check) -> String {
    let (repo, mut view) = kinds();
    view.expectations = vec![warn(check)];
    let outcome = validate(&repo, &view).await;
    assert_eq!(
        outcome
            .left
            .unwrap()
            .iter()
            .map(RecordBatch::num_rows)
            .sum::<usize>(),
        5
    );
    let verdict = outcome.report.verdicts.first().unwrap();
    assert_eq!(verdict.rows, 5);
    assert_eq!(verdict.failed, verdict.examples.len() as u64);
    let keys = verdict.examples.iter();
    keys.map(|example| example.key.trim_start_matches("origin="))
        .collect()
}

fn int(value: i64) -> Literal {
    Literal::Int(value)
}

fn time(micros: i64) -> Literal {
    Literal::Timestamp(EventTime::from_micros(micros))
}

#[tokio::test]
async fn not_null_fails_where_the_column_is_null_and_nothing_else_does() {
    for column in [
        "small", "big", "half", "temp", "kind", "wet", "last", "seen",
    ] {
        assert_eq!(failing(not_null(column)).await, "E", "{column}");
    }
    for column in ["origin", "event_timestamp"] {
        assert_eq!(failing(not_null(column)).await, "", "{column}");
    }
    assert_eq!(failing(not_null("created_timestamp")).await, "ABCDE");
}

#[tokio::test]
async fn between_holds_both_of_its_ends_for_every_kind_of_column() {
    assert_eq!(
        failing(between("small", Some(int(0)), Some(int(1)))).await,
        "AD"
    );
    assert_eq!(failing(between("small", Some(int(0)), None)).await, "A");
    assert_eq!(
        failing(between("big", Some(int(i64::MIN)), Some(int(0)))).await,
        "CD"
    );
    assert_eq!(
        failing(between("seen", Some(time(0)), Some(time(1)))).await,
        "AD"
    );
    assert_eq!(
        failing(between("event_timestamp", Some(time(1)), None)).await,
        "A"
    );
    let words = between("kind", Some(string("rain")), Some(string("snow")));
    assert_eq!(failing(words).await, "CD");
    let never = between("wet", None, Some(Literal::Bool(false)));
    assert_eq!(failing(never).await, "ABD");
}

#[tokio::test]
async fn nan_is_nowhere_between_and_minus_zero_is_zero() {
    assert_eq!(failing(between("temp", Some(float(0.0)), None)).await, "B");
    assert_eq!(
        failing(between("temp", None, Some(float(0.0)))).await,
        "ABD"
    );
    assert_eq!(
        failing(between("temp", Some(float(-1e300)), Some(float(1e300)))).await,
        "BD"
    );
    assert_eq!(
        failing(in_set("temp", &[float(0.0), float(0.1)])).await,
        "BD"
    );
}

#[tokio::test]
async fn a_float32_compares_with_the_float32_that_is_nearest_to_what_is_written() {
    assert_eq!(failing(between("half", Some(float(0.1)), None)).await, "BC");
    assert_eq!(
        failing(in_set("half", &[float(0.1), float(0.2)])).await,
        "BC"
    );
    assert_eq!(
        failing(between("half", Some(float(0.0)), Some(float(0.1)))).await,
        "BD"
    );
}

#[tokio::test]
async fn in_set_holds_its_values_and_no_others() {
    assert_eq!(
        failing(in_set("kind", &[string("rain"), string("")])).await,
        "BC"
    );
    let numbers = [Literal::Int(0), Literal::Int(2)];
    assert_eq!(failing(in_set("small", &numbers)).await, "AC");
    let greatest = [Literal::Int(i64::MAX), Literal::Int(i64::MIN)];
    assert_eq!(failing(in_set("big", &greatest)).await, "BC");
    assert_eq!(failing(in_set("wet", &[Literal::Bool(true)])).await, "C");
    assert_eq!(failing(in_set("seen", &[time(0)])).await, "ACD");
    assert_eq!(
        failing(in_set("origin", &[string("A"), string("E")])).await,
        "BCD"
    );
}

#[tokio::test]
async fn a_predicate_fails_where_it_is_false_and_passes_where_it_is_null() {
    assert_eq!(failing(predicate("small >= 0")).await, "A");
    assert_eq!(failing(predicate("small >= 0 AND kind <> ''")).await, "AD");
    assert_eq!(failing(predicate("array_length(last) > 0")).await, "BD");
    assert_eq!(failing(predicate("small IS NOT NULL")).await, "E");
    assert_eq!(failing(predicate("NULL")).await, "");
    assert_eq!(failing(predicate("event_timestamp < seen")).await, "ABCD");
    assert_eq!(failing(predicate("NOT wet")).await, "ABD");
}

#[tokio::test]
async fn the_report_counts_all_that_fail_and_shows_the_first_five() {
    let temps: Vec<f64> = (0..20).map(f64::from).collect();
    let (repo, mut view) = temperatures(&temps);
    view.expectations = vec![
        warn(between("temp", None, Some(float(9.5)))),
        warn(predicate("temp < 100 AND origin = 'JFK'")),
        warn(predicate("temp + 0 < 15")),
    ];
    view.expectations[2].name = "mild".to_owned();
    let outcome = validate(&repo, &view).await;
    assert_eq!(outcome.report.rows, 20);
    assert_eq!(outcome.failed("between_temp"), 10);
    assert!(outcome.verdict("sql").is_met());
    let example = |at: i64| Example {
        key: "origin=JFK".to_owned(),
        time: Some(EventTime::from_micros(at)),
        value: format!("temp={at}.0"),
    };
    let shown = &outcome.verdict("between_temp").examples;
    assert_eq!(*shown, (10..15).map(example).collect::<Vec<_>>());
    assert_eq!(outcome.verdict("mild").examples.len(), 5);
    assert_eq!(outcome.report.warnings().count(), 2);
    assert_eq!(outcome.report.failing().count(), 0);
    assert_eq!(outcome.temps(), temps);
}

#[tokio::test]
async fn a_failing_expectation_ends_the_stream_with_all_that_people_need_to_know() {
    let temps: Vec<f64> = (0..20).map(f64::from).collect();
    let (repo, mut view) = temperatures(&temps);
    view.expectations = vec![
        fail(between("temp", None, Some(float(12.5)))),
        fail(not_null("temp")),
        warn(predicate("temp < 1")),
    ];
    let outcome = validate(&repo, &view).await;
    let error = outcome.left.unwrap_err();
    let Error::Expectations(report) = &error else {
        panic!("{error:?}");
    };
    assert_eq!(**report, outcome.report);
    assert_eq!(
        error.to_string(),
        "view `weather_now` does not meet its expectations, and nothing was committed:\
         \n  between_temp (between temp max 12.5): 7 of 20 rows\
         \n    origin=JFK 1970-01-01T00:00:00.000013Z temp=13.0\
         \n    origin=JFK 1970-01-01T00:00:00.000014Z temp=14.0\
         \n    origin=JFK 1970-01-01T00:00:00.000015Z temp=15.0\
         \n    origin=JFK 1970-01-01T00:00:00.000016Z temp=16.0\
         \n    origin=JFK 1970-01-01T00:00:00.000017Z temp=17.0"
    );
    assert_eq!(outcome.report.warnings().count(), 1);
}

#[tokio::test]
async fn a_predicate_that_cannot_be_computed_fails_the_run_and_says_why() {
    let (repo, mut view) = temperatures(&[1.0]);
    view.expectations = vec![warn(predicate("1 / CAST(temp - 1 AS INT) > 0"))];
    let error = validate(&repo, &view).await.left.unwrap_err();
    let shown = fs_core::code::report(&error);
    assert!(shown.to_lowercase().contains("divide by zero"), "{shown}");
}

#[tokio::test]
async fn a_view_without_expectations_has_no_validator() {
    let (repo, view) = temperatures(&[1.0]);
    let none = repo.engine.validator(&repo.catalog, &view).unwrap();
    assert!(none.is_none());
}
