//! Rows that leave the stream, and rows without a key or an event time.

use std::sync::Arc;

use arrow::array::{Array, Float64Array, StringArray, TimestampMicrosecondArray};
use fs_core::{EventTime, TimeRange};

use super::*;

#[tokio::test]
async fn a_row_that_fails_leaves_with_the_reason_and_the_others_stay() {
    let (repo, mut view) = temperatures(&[1.0, 200.0, 3.0, -90.0]);
    view.expectations = vec![
        quarantine(between("temp", Some(float(-80.0)), Some(float(140.0)))),
        quarantine(predicate("temp >= 0")),
        warn(predicate("temp <> 200")),
    ];
    view.expectations[2].name = "not_200".to_owned();
    let outcome = validate(&repo, &view).await;
    assert_eq!(outcome.temps(), [1.0, 3.0]);
    assert_eq!(
        outcome.reasons(),
        [
            "between_temp: between temp min -80 max 140: temp=200.0",
            "between_temp: between temp min -80 max 140: temp=-90.0; sql temp >= 0: temp=-90.0",
        ]
    );
    let batch = &outcome.quarantined[0];
    let names: Vec<_> = batch
        .schema()
        .fields()
        .iter()
        .map(|f| f.name().clone())
        .collect();
    assert_eq!(
        names,
        [
            "origin",
            "event_timestamp",
            "created_timestamp",
            "temp",
            "_expectation",
            "_reason"
        ]
    );
    assert_eq!(outcome.report.quarantined, 2);
    assert_eq!(
        (outcome.failed("between_temp"), outcome.failed("sql")),
        (2, 1)
    );
    assert_eq!(outcome.failed("not_200"), 1);
}

/// Keys A, none, C, D at times 0, 1, none, 3.
fn gaps() -> (Repo, FeatureView) {
    let keys = StringArray::from(vec![Some("A"), None, Some("C"), Some("D")]);
    let at = TimestampMicrosecondArray::from(vec![Some(0), Some(1), None, Some(3)]);
    let columns: [(&str, ArrayRef); 3] = [
        ("origin", Arc::new(keys)),
        ("t", Arc::new(at.with_timezone("UTC"))),
        ("temp", floats(&[1.0, 2.0, 3.0, 4.0])),
    ];
    weather(&columns, &[("temp", "float64")])
}

#[tokio::test]
async fn rows_without_a_key_or_an_event_time_can_go_to_quarantine() {
    let (repo, mut view) = gaps();
    view.expectations = vec![
        quarantine(not_null("origin")),
        quarantine(not_null("event_timestamp")),
    ];
    let outcome = validate(&repo, &view).await;
    assert_eq!(outcome.temps(), [1.0, 4.0]);
    assert_eq!(
        outcome.reasons(),
        [
            "not_null_origin: not_null origin: origin=null",
            "not_null_event_timestamp: not_null event_timestamp: event_timestamp=null",
        ]
    );
    let rows: usize = outcome.quarantined.iter().map(RecordBatch::num_rows).sum();
    let nulls: usize = outcome
        .quarantined
        .iter()
        .map(|b| b.column(0).null_count())
        .sum();
    assert_eq!((rows, nulls), (2, 1));
    let example = &outcome.verdict("not_null_event_timestamp").examples[0];
    assert_eq!((example.key.as_str(), example.time), ("origin=C", None));
}

#[tokio::test]
async fn a_missing_key_or_event_time_that_nobody_speaks_of_fails_the_run_as_ever() {
    let (repo, mut view) = gaps();
    for expected in [
        vec![quarantine(not_null("origin"))],
        vec![quarantine(not_null("event_timestamp"))],
        vec![warn(not_null("event_timestamp")), warn(not_null("origin"))],
        vec![
            quarantine(predicate("origin IS NOT NULL")),
            quarantine(not_null("temp")),
        ],
    ] {
        view.expectations = expected;
        let error = validate(&repo, &view).await.left.unwrap_err();
        assert!(matches!(error, Error::BadRows(_)), "{error:?}");
    }
}

#[tokio::test]
async fn a_missing_key_that_must_not_be_fails_with_examples() {
    let (repo, mut view) = gaps();
    view.expectations = vec![
        fail(not_null("origin")),
        quarantine(not_null("event_timestamp")),
    ];
    let error = validate(&repo, &view).await.left.unwrap_err();
    let shown = error.to_string();
    assert!(
        shown.contains("not_null_origin (not_null origin): 1 of 4 rows"),
        "{shown}"
    );
    assert!(
        shown.contains("origin=null 1970-01-01T00:00:00.000001Z"),
        "{shown}"
    );
}

#[tokio::test]
async fn a_value_that_cannot_be_converted_still_fails_the_run() {
    let columns: [(&str, ArrayRef); 3] = [
        ("origin", strings(&["A", "B"])),
        ("t", strings(&["1970-01-01", "yesterday"])),
        ("temp", floats(&[1.0, 2.0])),
    ];
    let (repo, mut view) = weather(&columns, &[("temp", "float64")]);
    view.expectations = vec![quarantine(not_null("event_timestamp"))];
    let error = validate(&repo, &view).await.left.unwrap_err();
    assert!(matches!(error, Error::BadValue(_)), "{error:?}");
}

#[tokio::test]
async fn rows_without_an_event_time_come_with_every_chunk_and_count_once() {
    let (repo, mut view) = gaps();
    view.expectations = vec![
        quarantine(not_null("origin")),
        quarantine(not_null("event_timestamp")),
    ];
    let validator = validator(&repo, &view);
    let state = repo
        .engine
        .source_state(&repo.catalog, &view)
        .await
        .unwrap();
    for chunk in [TimeRange::until(EventTime::from_micros(2)), range(2, 9)] {
        let reading = Reading::to_validate(chunk, &state);
        let rows = repo.engine.view_rows(&repo.catalog, &view, reading).await;
        let outcome = drain(&validator, validator.rows(rows.unwrap(), None)).await;
        let timeless = outcome
            .reasons()
            .iter()
            .filter(|r| r.contains("timestamp"))
            .count();
        assert_eq!(timeless, 1);
    }
    let report = validator.report();
    assert_eq!((report.rows, report.quarantined), (4, 2));
    let failed: Vec<u64> = report
        .verdicts
        .iter()
        .map(|verdict| verdict.failed)
        .collect();
    assert_eq!(failed, [1, 1]);
}

#[tokio::test]
async fn many_quarantined_rows_are_kept_on_disk_and_come_back_in_order() {
    let count = 400_000;
    let temps = Arc::new(Float64Array::from_iter_values((0..count).map(f64::from)));
    let columns: [(&str, ArrayRef); 3] = [
        ("origin", strings(&vec!["JFK"; temps.len()])),
        ("t", times(&(0..i64::from(count)).collect::<Vec<_>>())),
        ("temp", temps),
    ];
    let mut repo = Repo::new();
    repo.parquet("w.parquet", &columns);
    repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
    let mut view = view("weather", &[("temp", "float64")]);
    view.expectations = vec![quarantine(between("temp", None, Some(float(-1.0))))];
    let validator = validator(&repo, &view);
    let state = repo
        .engine
        .source_state(&repo.catalog, &view)
        .await
        .unwrap();
    let reading = Reading::to_validate(always(), &state);
    let rows = repo.engine.view_rows(&repo.catalog, &view, reading).await;
    let Validated { rows, quarantined } = validator.rows(rows.unwrap(), None);
    let left: Vec<RecordBatch> = rows.stream.try_collect().await.unwrap();
    assert!(left.is_empty());
    let quarantined = quarantined.finish().await.unwrap();
    assert_eq!(quarantined.rows(), temps_len(count));
    assert!(quarantined.spilled_bytes() > 0);
    let mut rows = quarantined.read().unwrap();
    let mut next = 0.0;
    while let Some(batch) = rows.try_next().await.unwrap() {
        let column = batch
            .column(3)
            .as_primitive::<arrow::datatypes::Float64Type>();
        for value in column.values() {
            assert_eq!(value.to_bits(), f64::to_bits(next));
            next += 1.0;
        }
    }
}

fn temps_len(count: i32) -> usize {
    usize::try_from(count).unwrap()
}
