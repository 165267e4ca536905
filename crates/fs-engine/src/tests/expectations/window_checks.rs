//! Checks of a window, made when all of its rows have passed.

use std::sync::Arc;

use arrow::array::Float64Array;
use fs_core::{Check, EventTime, Span, TimeRange};

use super::*;

fn row_count(min: Option<u64>, max: Option<u64>) -> Check {
    Check::RowCount { min, max }
}

fn null_fraction(max: &str) -> Check {
    Check::NullFraction {
        column: "temp".to_owned(),
        max: max.parse().unwrap(),
    }
}

fn max_age(micros: i64) -> Check {
    Check::MaxAge {
        max: Span::from_micros(micros).unwrap(),
    }
}

async fn found(check: Check, rows: usize, window: TimeRange) -> Option<String> {
    let (repo, mut view) = temperatures(&vec![1.0; rows]);
    view.expectations = vec![warn(check)];
    let outcome = validate_in(&repo, &view, window).await;
    let verdict = outcome.report.verdicts.into_iter().next().unwrap();
    assert_eq!((verdict.failed, verdict.examples.len()), (0, 0));
    verdict.found
}

fn until(end: i64) -> TimeRange {
    TimeRange::until(EventTime::from_micros(end))
}

#[tokio::test]
async fn row_count_holds_both_of_its_ends() {
    let few = Some("4 rows".to_owned());
    assert_eq!(found(row_count(Some(4), Some(4)), 4, always()).await, None);
    assert_eq!(found(row_count(Some(5), None), 4, always()).await, few);
    assert_eq!(found(row_count(None, Some(3)), 4, always()).await, few);
    assert_eq!(
        found(row_count(Some(3), None), 4, until(2)).await,
        Some("2 rows".to_owned())
    );
    let none = Some("0 rows".to_owned());
    assert_eq!(
        found(row_count(Some(1), None), 4, range(90, 99)).await,
        none
    );
    assert_eq!(
        found(row_count(None, Some(3)), 4, range(90, 99)).await,
        None
    );
}

#[tokio::test]
async fn null_fraction_counts_nulls_and_no_nans_and_holds_its_end() {
    let temp = [Some(1.0), None, Some(f64::NAN), Some(2.0)];
    let columns: [(&str, ArrayRef); 3] = [
        ("origin", strings(&["JFK"; 4])),
        ("t", times(&[0, 1, 2, 3])),
        ("temp", Arc::new(Float64Array::from(temp.to_vec()))),
    ];
    let (repo, mut view) = weather(&columns, &[("temp", "float64")]);
    for (max, expected) in [("0.25", None), ("0.24", Some("1 of 4 rows are null"))] {
        view.expectations = vec![warn(null_fraction(max))];
        let outcome = validate(&repo, &view).await;
        let verdict = outcome.verdict("null_fraction_temp");
        assert_eq!(verdict.found.as_deref(), expected);
    }
    let outcome = validate_in(&repo, &view, range(90, 99)).await;
    assert!(outcome.verdict("null_fraction_temp").is_met());
}

#[tokio::test]
async fn max_age_measures_from_the_end_of_the_window() {
    // The newest of 4 rows is at 3.
    assert_eq!(found(max_age(7), 4, until(10)).await, None);
    let old = found(max_age(6), 4, until(10)).await.unwrap();
    assert!(old.contains("1970-01-01T00:00:00.000003Z"), "{old}");
    assert!(old.contains("1970-01-01T00:00:00.000010Z"), "{old}");
}

#[tokio::test]
async fn a_window_without_rows_is_too_old_if_it_reaches_back_that_far() {
    assert!(found(max_age(9), 4, range(90, 99)).await.is_some());
    assert_eq!(found(max_age(10), 4, range(90, 99)).await, None);
    assert!(found(max_age(10), 4, until(-5)).await.is_some());
}

#[tokio::test]
async fn a_window_that_is_not_met_fails_the_run_at_its_end() {
    let (repo, mut view) = temperatures(&[1.0, 2.0]);
    view.expectations = vec![fail(row_count(Some(3), None)), fail(not_null("temp"))];
    let error = validate(&repo, &view).await.left.unwrap_err();
    assert_eq!(
        error.to_string(),
        "view `weather_now` does not meet its expectations, and nothing was committed:\
         \n  row_count (row_count min 3): 2 rows"
    );
}

#[tokio::test]
async fn the_window_is_judged_by_the_rows_that_are_left_after_quarantine() {
    let (repo, mut view) = temperatures(&[1.0, 2.0, 3.0]);
    view.expectations = vec![
        warn(row_count(Some(3), None)),
        quarantine(between("temp", None, Some(float(2.5)))),
        warn(max_age(1)),
    ];
    let outcome = validate_in(&repo, &view, until(3)).await;
    assert_eq!(
        outcome.verdict("row_count").found.as_deref(),
        Some("2 rows")
    );
    assert_eq!(outcome.verdict("row_count").rows, 2);
    assert!(!outcome.verdict("max_age").is_met());
    assert_eq!(outcome.failed("between_temp"), 1);
}

#[tokio::test]
async fn the_chunks_of_a_window_add_up() {
    let (repo, mut view) = temperatures(&[1.0, 2.0, 3.0, 4.0]);
    view.expectations = vec![
        fail(row_count(Some(4), Some(4))),
        warn(between("temp", Some(float(2.0)), Some(float(3.0)))),
    ];
    let validator = validator(&repo, &view);
    let state = repo
        .engine
        .source_state(&repo.catalog, &view)
        .await
        .unwrap();
    let chunks = [
        (until(1), None),
        (range(1, 3), None),
        (range(3, 9), Some(until(9))),
    ];
    for (chunk, window) in chunks {
        let reading = Reading::to_validate(chunk, &state);
        let rows = repo.engine.view_rows(&repo.catalog, &view, reading).await;
        let outcome = drain(&validator, validator.rows(rows.unwrap(), window)).await;
        outcome.left.unwrap();
    }
    let report = validator.report();
    assert_eq!(report.rows, 4);
    assert_eq!(report.verdicts[1].failed, 2);
    assert!(report.verdicts[0].is_met());
}

#[tokio::test]
async fn a_window_can_be_judged_before_anything_is_written() {
    let (repo, mut view) = temperatures(&[1.0, 2.0, 3.0, 4.0]);
    view.expectations = vec![
        fail(row_count(Some(4), None)),
        quarantine(between("temp", Some(float(2.0)), None)),
    ];
    let state = repo
        .engine
        .source_state(&repo.catalog, &view)
        .await
        .unwrap();
    let reading = Reading::to_validate(always(), &state);
    let rows = repo.engine.view_rows(&repo.catalog, &view, reading).await;
    let judged = validator(&repo, &view).judge(rows.unwrap(), always()).await;
    let Err(Error::Expectations(report)) = judged else {
        panic!("{judged:?}");
    };
    assert_eq!(report.failing().count(), 1);
    assert_eq!(report.quarantined, 1);

    view.expectations.remove(0);
    let rows = repo.engine.view_rows(&repo.catalog, &view, reading).await;
    let judged = validator(&repo, &view).judge(rows.unwrap(), always()).await;
    assert_eq!(judged.unwrap().quarantined, 1);
}
