//! How far back a Delta source has changed.

use deltalake::operations::optimize::OptimizeType;
use deltalake::protocol::SaveMode;
use fs_core::{CsvOptions, EventTime, FeatureView, FileFormat};

use super::delta;
use super::fixture::*;
use crate::SourceChanges;

const MILLI: i64 = 1_000;

async fn changes(repo: &Repo, view: &FeatureView, version: i64) -> SourceChanges {
    let state = repo.engine.source_state(&repo.catalog, view).await.unwrap();
    repo.engine
        .changed_since(&repo.catalog, view, version, &state)
        .await
        .unwrap()
}

async fn changed(repo: &Repo, version: i64) -> SourceChanges {
    changes(repo, &view("weather", &[("temp", "float64")]), version).await
}

fn since(micros: i64) -> SourceChanges {
    SourceChanges::Since(EventTime::from_micros(micros))
}

/// Versions 1, 2 and 3 bring one row each, at 10, 20 and 30 milliseconds.
async fn three() -> Repo {
    let mut repo = Repo::new();
    for at in [10, 20, 30] {
        delta::append(&repo, 1.0, at * MILLI).await;
    }
    delta::source(&mut repo);
    repo
}

#[tokio::test]
async fn an_append_of_an_old_row_reaches_back_to_its_event_time() {
    let repo = three().await;
    assert_eq!(changed(&repo, 3).await, SourceChanges::Nothing);
    assert_eq!(changed(&repo, 2).await, since(30 * MILLI));
    assert_eq!(changed(&repo, 1).await, since(20 * MILLI));
    delta::append(&repo, 2.0, 5 * MILLI).await;
    assert_eq!(changed(&repo, 3).await, since(5 * MILLI));
    assert_eq!(changed(&repo, 2).await, since(5 * MILLI));
}

#[tokio::test]
async fn rows_that_were_deleted_count_like_rows_that_came() {
    let repo = three().await;
    let table = delta::table(&repo).await;
    let twenty =
        "t = arrow_cast('1970-01-01T00:00:00.020Z', 'Timestamp(Microsecond, Some(\"UTC\"))')";
    table.delete().with_predicate(twenty).await.unwrap();
    assert_eq!(changed(&repo, 3).await, since(20 * MILLI));
    // Overwriting removes what was there.
    delta::write(&repo, 1.0, 40 * MILLI, SaveMode::Overwrite).await;
    assert_eq!(changed(&repo, 4).await, since(10 * MILLI));
}

#[tokio::test]
async fn rows_that_came_and_went_since_are_not_missed_and_not_counted() {
    let repo = three().await;
    delta::append(&repo, 2.0, 5 * MILLI).await;
    let table = delta::table(&repo).await;
    let five =
        "t = arrow_cast('1970-01-01T00:00:00.005Z', 'Timestamp(Microsecond, Some(\"UTC\"))')";
    table.delete().with_predicate(five).await.unwrap();
    assert_eq!(changed(&repo, 4).await, since(5 * MILLI));
    assert_eq!(changed(&repo, 3).await, SourceChanges::Nothing);
}

#[tokio::test]
async fn files_that_are_only_put_together_change_nothing() {
    let repo = three().await;
    let table = delta::table(&repo).await;
    let (table, done) = table
        .optimize()
        .with_type(OptimizeType::Compact)
        .await
        .unwrap();
    assert_eq!(done.num_files_removed, 3);
    assert_eq!(changed(&repo, 3).await, SourceChanges::Nothing);
    // What was appended before is still new to who has read version 2.
    assert_eq!(changed(&repo, 2).await, since(30 * MILLI));
    // And what is removed from the file that they were put into is known.
    table.delete().await.unwrap();
    assert_eq!(changed(&repo, 3).await, since(10 * MILLI));
}

#[tokio::test]
async fn without_statistics_the_files_themselves_tell() {
    let repo = three().await;
    delta::append(&repo, 2.0, 5 * MILLI + 3).await;
    delta::forget_statistics(&repo, 4);
    assert_eq!(changed(&repo, 3).await, since(5 * MILLI + 3));
    delta::write(&repo, 1.0, 40 * MILLI, SaveMode::Overwrite).await;
    assert_eq!(changed(&repo, 4).await, since(5 * MILLI + 3));
}

#[tokio::test]
async fn a_log_that_was_cleaned_up_says_nothing() {
    let repo = three().await;
    let entry = repo.path("w/_delta_log/00000000000000000002.json");
    let table = delta::table(&repo).await;
    deltalake::checkpoints::create_checkpoint(&table, None)
        .await
        .unwrap();
    std::fs::remove_file(entry).unwrap();
    assert_eq!(changed(&repo, 1).await, SourceChanges::Unknown);
    assert_eq!(changed(&repo, 2).await, since(30 * MILLI));
}

#[tokio::test]
async fn a_version_that_the_table_does_not_have_says_nothing() {
    let repo = three().await;
    assert_eq!(changed(&repo, 4).await, SourceChanges::Unknown);
    assert_eq!(changed(&repo, -1).await, SourceChanges::Unknown);
}

#[tokio::test]
async fn what_is_no_delta_table_or_is_queried_says_nothing() {
    let mut repo = three().await;
    let mut queried = view("weather", &[("temp", "float64")]);
    queried.query = Some("SELECT * FROM weather".to_owned());
    assert_eq!(changes(&repo, &queried, 1).await, SourceChanges::Unknown);
    repo.text("w.csv", "origin,t,temp\nJFK,1970-01-01,1.5\n");
    let csv = FileFormat::Csv(CsvOptions::default());
    repo.source("plain", files(csv, "w.csv"));
    let plain = view("plain", &[("temp", "float64")]);
    assert_eq!(changes(&repo, &plain, 1).await, SourceChanges::Unknown);
}
