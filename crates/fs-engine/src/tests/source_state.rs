//! What tells one state of the sources of a view from another.

use std::fs::{File, FileTimes};
use std::time::Duration;

use fs_core::{FeatureView, FileFormat};

use super::delta;
use super::fixture::*;

async fn fingerprint(repo: &Repo, view: &FeatureView) -> String {
    let state = repo.engine.source_state(&repo.catalog, view).await.unwrap();
    state.fingerprint().to_owned()
}

fn write(repo: &Repo, name: &str, temp: f64) {
    repo.parquet(
        name,
        &[
            ("origin", strings(&["JFK"])),
            ("t", times(&[5])),
            ("temp", floats(&[temp])),
        ],
    );
}

fn move_time(repo: &Repo, name: &str) {
    let file = File::options().write(true).open(repo.path(name)).unwrap();
    let time = file.metadata().unwrap().modified().unwrap() + Duration::from_secs(1);
    file.set_times(FileTimes::new().set_modified(time)).unwrap();
}

/// A folder of two files.
fn folder() -> (Repo, FeatureView) {
    let mut repo = Repo::new();
    write(&repo, "w/a.parquet", 1.0);
    write(&repo, "w/b.parquet", 2.0);
    repo.source("weather", files(FileFormat::Parquet, "w"));
    (repo, view("weather", &[("temp", "float64")]))
}

#[tokio::test]
async fn a_source_that_nobody_touched_has_the_same_fingerprint() {
    let (repo, view) = folder();
    let first = fingerprint(&repo, &view).await;
    assert_eq!(first.len(), 32);
    assert_eq!(fingerprint(&repo, &view).await, first);
    repo.text("w/readme.txt", "no file of the source");
    assert_eq!(fingerprint(&repo, &view).await, first);
}

#[tokio::test]
async fn a_file_that_is_replaced_added_or_removed_changes_the_fingerprint() {
    let (repo, view) = folder();
    let mut seen = vec![fingerprint(&repo, &view).await];
    repo.parquet(
        "w/a.parquet",
        &[
            ("origin", strings(&["JFK", "JFK"])),
            ("t", times(&[5, 6])),
            ("temp", floats(&[1.0, 1.0])),
        ],
    );
    seen.push(fingerprint(&repo, &view).await);
    write(&repo, "w/c.parquet", 3.0);
    seen.push(fingerprint(&repo, &view).await);
    std::fs::remove_file(repo.path("w/b.parquet")).unwrap();
    seen.push(fingerprint(&repo, &view).await);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 4);
}

#[tokio::test]
async fn a_file_of_the_same_size_and_another_time_changes_the_fingerprint() {
    let (repo, view) = folder();
    let first = fingerprint(&repo, &view).await;
    move_time(&repo, "w/b.parquet");
    assert_ne!(fingerprint(&repo, &view).await, first);
}

#[tokio::test]
async fn the_fingerprint_follows_sql_down_to_the_files() {
    let (mut repo, _) = folder();
    repo.text("names.csv", "origin,t,temp\nJFK,1970-01-01,1.5\n");
    repo.text("other.csv", "origin,t,temp\nJFK,1970-01-01,1.5\n");
    let csv = FileFormat::Csv(fs_core::CsvOptions::default());
    repo.source("names", files(csv.clone(), "names.csv"));
    repo.source("other", files(csv, "other.csv"));
    repo.source("both", sql("SELECT * FROM weather WHERE temp > 0"));
    let mut view = view("both", &[("temp", "float64")]);
    view.query = Some("SELECT both.* FROM both JOIN names USING (origin)".to_owned());
    let first = fingerprint(&repo, &view).await;
    move_time(&repo, "other.csv");
    assert_eq!(fingerprint(&repo, &view).await, first);
    move_time(&repo, "names.csv");
    let second = fingerprint(&repo, &view).await;
    assert_ne!(second, first);
    move_time(&repo, "w/a.parquet");
    assert_ne!(fingerprint(&repo, &view).await, second);
}

#[tokio::test]
async fn a_delta_source_is_told_apart_by_its_version() {
    let mut repo = Repo::new();
    delta::append(&repo, 1.0, 5).await;
    delta::source(&mut repo);
    let mut view = view("weather", &[("temp", "float64")]);
    let state = repo
        .engine
        .source_state(&repo.catalog, &view)
        .await
        .unwrap();
    assert_eq!(state.delta_version(), Some(1));
    delta::append(&repo, 2.0, 5).await;
    let later = repo
        .engine
        .source_state(&repo.catalog, &view)
        .await
        .unwrap();
    assert_eq!(later.delta_version(), Some(2));
    assert_ne!(later.fingerprint(), state.fingerprint());
    view.query = Some("SELECT * FROM weather".to_owned());
    let queried = repo
        .engine
        .source_state(&repo.catalog, &view)
        .await
        .unwrap();
    assert_eq!(queried.delta_version(), None);
    assert_eq!(queried.fingerprint(), later.fingerprint());
}
