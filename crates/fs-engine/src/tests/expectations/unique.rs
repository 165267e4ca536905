//! `unique`: join keys and event time.

use fs_core::{Check, FileFormat};

use super::*;
use crate::{Engine, EngineOptions};

fn unique() -> Check {
    Check::Unique {}
}

/// Rows `(key, time, temp)`.
fn rows(rows: &[(&str, i64, f64)]) -> (Repo, FeatureView) {
    let keys: Vec<&str> = rows.iter().map(|row| row.0).collect();
    let at: Vec<i64> = rows.iter().map(|row| row.1).collect();
    let temps: Vec<f64> = rows.iter().map(|row| row.2).collect();
    let columns = [
        ("origin", strings(&keys)),
        ("t", times(&at)),
        ("temp", floats(&temps)),
    ];
    weather(&columns, &[("temp", "float64")])
}

const TWICE: [(&str, i64, f64); 7] = [
    ("JFK", 5, 1.0),
    ("LGA", 5, 2.0),
    ("JFK", 6, 3.0),
    ("JFK", 5, 4.0),
    ("EWR", 1, 5.0),
    ("JFK", 5, 6.0),
    ("LGA", 6, 7.0),
];

#[tokio::test]
async fn every_row_after_the_first_with_its_keys_and_time_fails() {
    let (repo, mut view) = rows(&TWICE);
    view.expectations = vec![warn(unique())];
    let outcome = validate(&repo, &view).await;
    assert_eq!(outcome.failed("unique"), 2);
    assert_eq!(outcome.temps(), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
    let shown: Vec<String> = outcome
        .verdict("unique")
        .examples
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(shown, ["origin=JFK 1970-01-01T00:00:00.000005Z"; 2]);

    view.expectations = vec![fail(unique())];
    let error = validate(&repo, &view).await.left.unwrap_err();
    assert!(
        error.to_string().contains("unique (unique): 2 of 7 rows"),
        "{error}"
    );
}

#[tokio::test]
async fn duplicates_go_to_quarantine_and_the_first_of_each_kind_stays() {
    let (repo, mut view) = rows(&TWICE);
    view.expectations = vec![quarantine(unique())];
    let outcome = validate(&repo, &view).await;
    // By time and key.
    assert_eq!(outcome.temps(), [5.0, 1.0, 2.0, 3.0, 7.0]);
    assert_eq!(outcome.reasons(), ["unique: unique"; 2]);
    assert_eq!(outcome.report.quarantined, 2);
}

#[tokio::test]
async fn a_row_that_is_put_aside_anyway_does_not_count_as_the_first() {
    let (repo, mut view) = rows(&TWICE);
    view.expectations = vec![
        quarantine(unique()),
        quarantine(between("temp", Some(float(1.5)), None)),
    ];
    let outcome = validate(&repo, &view).await;
    assert_eq!(outcome.temps(), [5.0, 4.0, 2.0, 3.0, 7.0]);
    assert_eq!(outcome.failed("unique"), 1);
}

#[tokio::test]
async fn rows_of_a_view_without_entities_are_told_apart_by_their_time() {
    let (repo, mut view) = rows(&TWICE);
    view.entities = Vec::new();
    view.expectations = vec![warn(unique())];
    let outcome = validate(&repo, &view).await;
    assert_eq!(outcome.failed("unique"), 4);
}

#[tokio::test]
async fn more_rows_of_one_instant_than_memory_holds_are_told_apart() {
    const ROWS: usize = 300_000;
    let repo = Repo::new();
    let keys: Vec<String> = (0..ROWS)
        .map(|row| format!("key {}", row % (ROWS - 3)))
        .collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let temps: Vec<f64> = (0..).take(ROWS).map(f64::from).collect();
    repo.parquet(
        "w.parquet",
        &[
            ("origin", strings(&keys)),
            ("t", times(&vec![5; ROWS])),
            ("temp", floats(&temps)),
        ],
    );
    let mut repo = with_memory(repo, 6 << 20);
    repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
    let mut view = view("weather", &[("temp", "float64")]);
    view.expectations = vec![warn(unique())];
    let outcome = validate(&repo, &view).await;
    assert_eq!(outcome.failed("unique"), 3);
    assert_eq!(outcome.temps(), temps);
    view.expectations = vec![quarantine(unique())];
    let outcome = validate(&repo, &view).await;
    assert_eq!(outcome.temps().len(), ROWS - 3);
    let mut aside: Vec<f64> = Vec::new();
    for batch in &outcome.quarantined {
        let column = batch.column_by_name("temp").unwrap();
        aside.extend(
            column
                .as_primitive::<arrow::datatypes::Float64Type>()
                .values(),
        );
    }
    aside.sort_by(f64::total_cmp);
    assert_eq!(aside, temps[ROWS - 3..]);
}

fn with_memory(repo: Repo, bytes: usize) -> Repo {
    let engine = Engine::new(EngineOptions {
        base_dir: repo.dir.path().to_owned(),
        memory_limit: Some(bytes),
        ..EngineOptions::default()
    });
    Repo {
        engine: engine.unwrap(),
        ..repo
    }
}
