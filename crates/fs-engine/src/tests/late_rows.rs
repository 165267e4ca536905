//! Where an incremental run has to start again because rows arrived late.

use fs_core::{EventTime, FileFormat};

use super::fixture::*;

async fn late_start(repo: &Repo, watermark: i64) -> Option<i64> {
    let view = view("weather", &[("temp", "float64")]);
    let watermark = EventTime::from_micros(watermark);
    let state = repo
        .engine
        .source_state(&repo.catalog, &view)
        .await
        .unwrap();
    let found = repo
        .engine
        .late_start(&repo.catalog, &view, watermark, &state)
        .await;
    found.unwrap().map(EventTime::as_micros)
}

fn weather(created: bool) -> Repo {
    let mut repo = Repo::new();
    repo.parquet(
        "w.parquet",
        &[
            ("origin", strings(&["JFK", "JFK", "JFK", "JFK"])),
            ("t", times(&[-5, 10, 20, 30])),
            ("c", times(&[10, 35, 25, 35])),
            ("temp", floats(&[1.0, 2.0, 3.0, 4.0])),
        ],
    );
    let source = repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
    source.created_timestamp_column = created.then(|| "c".to_owned());
    repo
}

#[tokio::test]
async fn the_earliest_event_that_became_known_since_the_watermark_is_found() {
    let repo = weather(true);
    assert_eq!(late_start(&repo, 35).await, Some(10));
    assert_eq!(late_start(&repo, 25).await, Some(10));
    assert_eq!(late_start(&repo, 10).await, Some(-5));
}

#[tokio::test]
async fn without_rows_since_or_without_a_created_column_nothing_is_late() {
    assert_eq!(late_start(&weather(true), 36).await, None);
    assert_eq!(late_start(&weather(false), 35).await, None);
}

#[tokio::test]
async fn created_times_reach_the_rows_and_are_null_where_the_source_has_none() {
    let features = view("weather", &[("temp", "float64")]);
    let found = weather(true)
        .rows_in(&features, &range(10, 20))
        .await
        .unwrap();
    let event = "1970-01-01T00:00:00.000010Z";
    assert_rows(
        &found,
        &[&format!("JFK {event} 1970-01-01T00:00:00.000035Z 2.0")],
    );
    let found = weather(false)
        .rows_in(&features, &range(10, 20))
        .await
        .unwrap();
    assert_rows(&found, &[&format!("JFK {event}  2.0")]);
}
