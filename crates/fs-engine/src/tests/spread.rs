//! Where the rows of a source lie, by its statistics.

use std::sync::Arc;

use arrow::array::{ArrayRef, TimestampMicrosecondArray, TimestampNanosecondArray};
use fs_core::{CsvOptions, EventTime, FeatureView, FileFormat, TimeRange};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::{EnabledStatistics, WriterProperties};

use super::delta;
use super::fixture::*;
use crate::{Piece, Spread};

async fn spread(repo: &Repo, view: &FeatureView, range: &TimeRange) -> Option<Spread> {
    let state = repo.engine.source_state(&repo.catalog, view).await.unwrap();
    repo.engine
        .spread(&repo.catalog, view, range, &state)
        .await
        .unwrap()
}

fn piece(low: i64, high: i64, rows: u64) -> Piece {
    Piece {
        low: EventTime::from_micros(low),
        high: EventTime::from_micros(high),
        rows,
    }
}

fn columns(t: ArrayRef) -> [(&'static str, ArrayRef); 3] {
    let rows = t.len();
    [
        ("origin", strings(&vec!["JFK"; rows])),
        ("t", t),
        ("temp", floats(&vec![1.0; rows])),
    ]
}

fn weather() -> FeatureView {
    view("weather", &[("temp", "float64")])
}

#[tokio::test]
async fn a_parquet_source_has_a_piece_for_every_row_group() {
    let mut repo = Repo::new();
    let t: Vec<i64> = (0..25).map(|row| row * 10).collect();
    repo.parquet_in_groups("w/a.parquet", &columns(times(&t)), 10);
    repo.parquet("w/b.parquet", &columns(times(&[1_000, 900])));
    repo.source("weather", files(FileFormat::Parquet, "w"));
    let all = spread(&repo, &weather(), &always()).await.unwrap();
    let pieces = [
        piece(0, 90, 10),
        piece(100, 190, 10),
        piece(200, 240, 5),
        piece(900, 1_000, 2),
    ];
    assert_eq!(all.pieces, pieces);
    assert_eq!(all.rows(), 27);
    let some = spread(&repo, &weather(), &range(90, 200)).await.unwrap();
    assert_eq!(some.pieces, pieces[..2]);
    assert_eq!(some.rows(), 20);
    assert_eq!(some.rows_in(&range(100, 200)), 10);
    let none = spread(&repo, &weather(), &range(300, 900)).await.unwrap();
    assert_eq!(none.pieces, []);
}

#[tokio::test]
async fn rows_in_a_range_are_estimated_by_the_part_of_each_piece_that_lies_inside() {
    let spread = Spread {
        pieces: vec![piece(0, 99, 100), piece(50, 50, 7), piece(200, 299, 100)],
    };
    let until = |end| TimeRange::until(EventTime::from_micros(end));
    assert_eq!(spread.rows_in(&until(1_000)), 207);
    assert_eq!(spread.rows_in(&until(50)), 50);
    assert_eq!(spread.rows_in(&until(51)), 58);
    assert_eq!(spread.rows_in(&range(90, 210)), 20);
    assert_eq!(spread.rows_in(&range(100, 200)), 0);
}

#[tokio::test]
async fn times_of_other_units_and_mapped_columns_count_in_microseconds() {
    let mut repo = Repo::new();
    let nanos: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![-1, 2_999]));
    repo.parquet("w.parquet", &columns(nanos));
    let source = repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
    source.timestamp_field = "at".to_owned();
    source.field_mapping = [("t".to_owned(), "at".to_owned())].into();
    let found = spread(&repo, &weather(), &always()).await.unwrap();
    assert_eq!(found.pieces, [piece(-1, 2, 2)]);
}

#[tokio::test]
async fn row_groups_without_any_event_time_are_no_piece() {
    let mut repo = Repo::new();
    let t = TimestampMicrosecondArray::from(vec![None, None, Some(3), None]);
    repo.parquet_in_groups("w.parquet", &columns(Arc::new(t)), 2);
    repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
    let found = spread(&repo, &weather(), &always()).await.unwrap();
    assert_eq!(found.pieces, [piece(3, 3, 2)]);
}

#[tokio::test]
async fn where_nothing_can_be_known_without_reading_nothing_is_said() {
    let mut repo = Repo::new();
    repo.parquet("text.parquet", &columns(strings(&["1970-01-01"])));
    repo.text("w.csv", "origin,t,temp\nJFK,1970-01-01,1.5\n");
    let columns = batch(&columns(times(&[1])));
    let silent = WriterProperties::builder()
        .set_statistics_enabled(EnabledStatistics::None)
        .build();
    let file = std::fs::File::create(repo.path("silent.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, columns.schema(), Some(silent)).unwrap();
    writer.write(&columns).unwrap();
    writer.close().unwrap();
    for path in ["text.parquet", "silent.parquet"] {
        repo.source("weather", files(FileFormat::Parquet, path));
        assert_eq!(spread(&repo, &weather(), &always()).await, None, "{path}");
    }
    let csv = FileFormat::Csv(CsvOptions::default());
    repo.source("weather", files(csv, "w.csv"));
    assert_eq!(spread(&repo, &weather(), &always()).await, None);
    let mut queried = weather();
    queried.query = Some("SELECT * FROM weather".to_owned());
    assert_eq!(spread(&repo, &queried, &always()).await, None);
    repo.source("other", sql("SELECT * FROM weather"));
    let other = view("other", &[("temp", "float64")]);
    assert_eq!(spread(&repo, &other, &always()).await, None);
}

#[tokio::test]
async fn a_delta_source_has_a_piece_for_every_file_and_bounds_as_wide_as_its_log_is_coarse() {
    let mut repo = Repo::new();
    delta::append(&repo, 1.0, 5_000_007).await;
    delta::append(&repo, 1.0, 9_000_000).await;
    delta::source(&mut repo);
    let found = spread(&repo, &weather(), &always()).await.unwrap();
    let mut pieces = found.pieces;
    pieces.sort_by_key(|piece| piece.low);
    assert_eq!(
        pieces,
        [
            piece(5_000_000, 5_000_999, 1),
            piece(9_000_000, 9_000_999, 1)
        ]
    );
}

#[tokio::test]
async fn a_delta_table_whose_log_has_no_statistics_is_known_by_its_footers() {
    let mut repo = Repo::new();
    delta::append(&repo, 1.0, 5_000_007).await;
    delta::forget_statistics(&repo, 1);
    delta::source(&mut repo);
    let found = spread(&repo, &weather(), &always()).await.unwrap();
    assert_eq!(found.pieces, [piece(5_000_007, 5_000_007, 1)]);
}
