//! Sources that change while they are read.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use deltalake::protocol::SaveMode;
use fs_core::{Code, Coded, CsvOptions, EventTime, FeatureView, FileFormat};
use futures::StreamExt;

use super::delta;
use super::fixture::*;
use crate::{Error, Reading, SourceState, ViewRows};

/// Enough for many batches.
const ROWS: usize = 50_000;

fn write(repo: &Repo, name: &str, temp: f64) {
    let columns: [(&str, ArrayRef); 3] = [
        ("origin", strings(&vec!["JFK"; ROWS])),
        ("t", times(&vec![5; ROWS])),
        ("temp", floats(&vec![temp; ROWS])),
    ];
    repo.parquet_in_groups(name, &columns, 10_000);
}

async fn state(repo: &Repo, view: &FeatureView) -> SourceState {
    repo.engine.source_state(&repo.catalog, view).await.unwrap()
}

async fn read(repo: &Repo, view: &FeatureView, state: &SourceState) -> Result<ViewRows, Error> {
    let reading = Reading::of(always(), state);
    repo.engine.view_rows(&repo.catalog, view, reading).await
}

/// The rest of the rows, or why there are none.
async fn rest(mut rows: ViewRows) -> Result<usize, Error> {
    let mut count = 0;
    while let Some(batch) = rows.stream.next().await {
        let batch: Result<RecordBatch, _> = batch;
        count += batch
            .map_err(|error| Error::of_query("the test".to_owned(), error))?
            .num_rows();
    }
    Ok(count)
}

fn assert_changed(result: Result<usize, Error>, file: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::SourceChanged { .. }), "{error:?}");
    assert!(error.to_string().contains(file), "{error}");
    assert_eq!(error.code(), Code::Unavailable);
}

fn folder() -> (Repo, FeatureView) {
    let mut repo = Repo::new();
    write(&repo, "w/a.parquet", 1.0);
    write(&repo, "w/b.parquet", 2.0);
    repo.source("weather", files(FileFormat::Parquet, "w"));
    (repo, view("weather", &[("temp", "float64")]))
}

#[tokio::test]
async fn a_file_that_is_replaced_while_it_is_read_ends_the_stream_with_source_changed() {
    let (repo, view) = folder();
    let state = state(&repo, &view).await;
    let mut rows = read(&repo, &view, &state).await.unwrap();
    rows.stream.next().await.unwrap().unwrap();
    write(&repo, "w/b.parquet", 3.0);
    assert_changed(rest(rows).await, "w/b.parquet");
}

#[tokio::test]
async fn whatever_the_reader_met_in_the_new_file_the_error_says_that_it_changed() {
    let (repo, view) = folder();
    let state = state(&repo, &view).await;
    let mut rows = read(&repo, &view, &state).await.unwrap();
    rows.stream.next().await.unwrap().unwrap();
    repo.text("w/b.parquet", "no Parquet");
    assert_changed(rest(rows).await, "w/b.parquet");
}

#[tokio::test]
async fn a_file_that_is_removed_while_it_is_read_ends_the_stream_with_source_changed() {
    let (repo, view) = folder();
    let state = state(&repo, &view).await;
    let mut rows = read(&repo, &view, &state).await.unwrap();
    rows.stream.next().await.unwrap().unwrap();
    std::fs::remove_file(repo.path("w/b.parquet")).unwrap();
    assert_changed(rest(rows).await, "w/b.parquet");
}

#[tokio::test]
async fn a_value_that_came_with_a_replacement_is_not_reported_but_the_replacement_is() {
    let mut repo = Repo::new();
    repo.text("w.csv", "origin,t,temp\nJFK,1970-01-01,1.5\n");
    let csv = FileFormat::Csv(CsvOptions::default());
    repo.source("weather", files(csv, "w.csv"));
    let view = view("weather", &[("temp", "float64")]);
    let state = state(&repo, &view).await;
    let rows = read(&repo, &view, &state).await.unwrap();
    repo.text("w.csv", "origin,t,temp\nJFK,1970-01-01,warm\n");
    assert_changed(rest(rows).await, "w.csv");
    // Now it is what it is.
    let state = self::state(&repo, &view).await;
    let rows = read(&repo, &view, &state).await.unwrap();
    let error = rest(rows).await.unwrap_err();
    assert!(matches!(error, Error::BadValue(_)), "{error:?}");
}

#[tokio::test]
async fn a_file_that_is_replaced_before_the_stream_begins_is_found_out_too() {
    let (repo, view) = folder();
    let state = state(&repo, &view).await;
    repo.text("w/a.parquet", "no Parquet");
    let result = match read(&repo, &view, &state).await {
        Ok(rows) => rest(rows).await,
        Err(error) => Err(error),
    };
    assert_changed(result, "w/a.parquet");
}

#[tokio::test]
async fn late_rows_are_not_taken_from_a_file_that_was_replaced() {
    let mut repo = Repo::new();
    let columns: [(&str, ArrayRef); 4] = [
        ("origin", strings(&["JFK"])),
        ("t", times(&[5])),
        ("c", times(&[50])),
        ("temp", floats(&[1.0])),
    ];
    repo.parquet("w.parquet", &columns);
    let source = repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
    source.created_timestamp_column = Some("c".to_owned());
    let view = view("weather", &[("temp", "float64")]);
    let state = state(&repo, &view).await;
    repo.parquet("w.parquet", &columns);
    let watermark = EventTime::from_micros(20);
    let late = repo
        .engine
        .late_start(&repo.catalog, &view, watermark, &state)
        .await;
    assert!(matches!(late, Err(Error::SourceChanged { .. })), "{late:?}");
}

#[tokio::test]
async fn a_file_that_comes_to_the_folder_meanwhile_is_left_to_the_next_run() {
    let (repo, view) = folder();
    let state = state(&repo, &view).await;
    write(&repo, "w/c.parquet", 3.0);
    let rows = read(&repo, &view, &state).await.unwrap();
    assert_eq!(rest(rows).await.unwrap(), 2 * ROWS);
    let later = self::state(&repo, &view).await;
    let rows = read(&repo, &view, &later).await.unwrap();
    assert_eq!(rest(rows).await.unwrap(), 3 * ROWS);
}

#[tokio::test]
async fn a_delta_source_is_read_at_the_version_of_the_state() {
    let mut repo = Repo::new();
    delta::append(&repo, 1.0, 5).await;
    delta::source(&mut repo);
    let view = view("weather", &[("temp", "float64")]);
    let state = state(&repo, &view).await;
    delta::append(&repo, 2.0, 5).await;
    delta::write(&repo, 3.0, 5, SaveMode::Overwrite).await;
    for _chunk in 0..2 {
        let rows = read(&repo, &view, &state).await.unwrap();
        let found = collect(rows).await.unwrap();
        assert_rows(&found, &["JFK 1970-01-01T00:00:00.000005Z  1.0"]);
    }
}

#[tokio::test]
async fn a_version_whose_files_were_vacuumed_meanwhile_has_to_be_read_again() {
    let mut repo = Repo::new();
    delta::append(&repo, 1.0, 5).await;
    delta::source(&mut repo);
    let view = view("weather", &[("temp", "float64")]);
    let state = state(&repo, &view).await;
    let old: Vec<_> = parquet_files(&repo);
    delta::write(&repo, 3.0, 5, SaveMode::Overwrite).await;
    for file in old {
        std::fs::remove_file(file).unwrap();
    }
    let result = match read(&repo, &view, &state).await {
        Ok(rows) => rest(rows).await,
        Err(error) => Err(error),
    };
    assert_changed(result, "/w");
}

fn parquet_files(repo: &Repo) -> Vec<std::path::PathBuf> {
    let folder = Arc::new(repo.path("w/x"));
    let entries = std::fs::read_dir(folder.parent().unwrap()).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "parquet"))
        .collect()
}
