//! Rows without a key or an event time, and values of the wrong kind, fail the run and are named.

use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Int32Type;
use fs_core::code::report;
use fs_core::{Code, Coded, FileFormat};

use super::fixture::*;
use crate::Error;

fn optional_times(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(values.to_vec()).with_timezone("UTC"))
}

fn optional_strings(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[tokio::test]
async fn a_null_key_or_event_time_fails_the_run_with_their_number_and_the_first() {
    let mut repo = Repo::new();
    repo.parquet(
        "w.parquet",
        &[
            (
                "origin",
                optional_strings(&[Some("JFK"), None, Some("LGA"), Some("EWR")]),
            ),
            ("t", optional_times(&[Some(1), Some(2), None, Some(4)])),
            ("temp", floats(&[1.0, 2.0, 3.0, 4.0])),
        ],
    );
    repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
    let error = repo
        .rows(&view("weather", &[("temp", "float64")]))
        .await
        .unwrap_err();
    let Error::BadRows(bad) = &error else {
        panic!("{error}");
    };
    assert_eq!((bad.count, bad.column.as_str(), bad.row), (2, "origin", 2));
    assert!(
        bad.first
            .contains("origin=null, t=1970-01-01T00:00:00.000002Z"),
        "{}",
        bad.first
    );
    assert_eq!(error.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_null_event_time_is_refused_by_every_range_because_it_lies_in_none() {
    let mut repo = Repo::new();
    repo.parquet(
        "w.parquet",
        &[
            ("origin", strings(&["JFK", "JFK"])),
            ("t", optional_times(&[Some(1), None])),
            ("temp", floats(&[1.0, 2.0])),
        ],
    );
    repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
    let view = view("weather", &[("temp", "float64")]);
    let found = repo.rows_in(&view, &range(100, 200)).await;
    assert!(matches!(found, Err(Error::BadRows(_))), "{found:?}");
}

#[tokio::test]
async fn a_null_key_outside_the_range_does_not_concern_it() {
    let mut repo = Repo::new();
    repo.parquet(
        "w.parquet",
        &[
            ("origin", optional_strings(&[Some("JFK"), None])),
            ("t", times(&[1, 100])),
            ("temp", floats(&[1.0, 2.0])),
        ],
    );
    repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
    let view = view("weather", &[("temp", "float64")]);
    let found = repo.rows_in(&view, &range(0, 50)).await.unwrap();
    assert_rows(&found, &["JFK 1970-01-01T00:00:00.000001Z  1.0"]);
}

#[tokio::test]
async fn a_null_key_inside_a_dictionary_is_null_all_the_same() {
    let mut repo = Repo::new();
    let keys: DictionaryArray<Int32Type> = vec![Some("JFK"), None].into_iter().collect();
    repo.parquet(
        "w.parquet",
        &[
            ("origin", Arc::new(keys)),
            ("t", times(&[1, 2])),
            ("temp", floats(&[1.0, 2.0])),
        ],
    );
    repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
    let found = repo.rows(&view("weather", &[("temp", "float64")])).await;
    assert!(
        matches!(found, Err(Error::BadRows(ref bad)) if bad.count == 1),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_time_that_does_not_parse_fails_the_run_with_its_text_and_row() {
    let mut repo = Repo::new();
    repo.parquet(
        "w.parquet",
        &[
            ("origin", strings(&["JFK", "LGA"])),
            ("t", strings(&["2013-01-01", "yesterday"])),
            ("temp", floats(&[1.0, 2.0])),
        ],
    );
    repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
    let error = repo
        .rows(&view("weather", &[("temp", "float64")]))
        .await
        .unwrap_err();
    let shown = report(&error);
    assert!(shown.contains("holds `yesterday` in row 2"), "{shown}");
    assert_eq!(error.code(), Code::InvalidArgument);
}
