//! Definitions held against the real sources.

use std::sync::Arc;

use arrow::array::{Float32Array, Int16Array, LargeStringArray, UInt64Array};
use fs_core::{Code, FileFormat};

use super::fixture::*;
use crate::{Error, Place, SourceField, ViewField};

fn weather() -> Repo {
    let mut repo = Repo::new();
    repo.parquet(
        "w.parquet",
        &[
            ("origin", Arc::new(LargeStringArray::from(vec!["JFK"]))),
            ("t", times(&[1])),
            ("small", Arc::new(Int16Array::from(vec![3]))),
            ("huge", Arc::new(UInt64Array::from(vec![4]))),
            ("half", Arc::new(Float32Array::from(vec![0.5]))),
            ("wind_speed", floats(&[6.0])),
        ],
    );
    repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
    repo
}

#[tokio::test]
async fn lossless_widening_is_implicit() {
    let repo = weather();
    let view = view(
        "weather",
        &[
            ("small", "int64"),
            ("half", "float64"),
            ("wind_speed", "float64"),
        ],
    );
    assert_eq!(repo.problems(&view).await, Vec::<String>::new());
    let found = repo.rows(&view).await.unwrap();
    assert_rows(&found, &["JFK 1970-01-01T00:00:00.000001Z  3 0.5 6.0"]);
}

#[tokio::test]
async fn a_type_that_would_lose_something_is_a_problem_of_its_feature_with_the_fix() {
    let repo = weather();
    let view = view(
        "weather",
        &[
            ("wind_speed", "float32"),
            ("huge", "int64"),
            ("small", "string"),
            ("half", "bool"),
        ],
    );
    let problems = repo.engine.check_view(&repo.catalog, &view).await;
    assert_eq!(problems.len(), 4, "{problems:?}");
    let first = problems[0].to_string();
    assert!(
        first.contains(
            "`wind_speed` is declared float32, but its column in source `weather` is float64"
        ),
        "{first}"
    );
    assert!(
        first.contains("declare it as float64, or CAST it"),
        "{first}"
    );
    assert!(
        matches!(&problems[0].place, Place::View { field: ViewField::Feature(f), .. } if f.as_str() == "wind_speed")
    );
    let error = repo.rows(&view).await.unwrap_err();
    assert!(
        matches!(&error, Error::Mismatch { problems } if problems.len() == 4),
        "{error}"
    );
}

#[tokio::test]
async fn a_missing_feature_column_is_a_problem_with_the_nearest_one() {
    let repo = weather();
    let problems = repo
        .problems(&view("weather", &[("wind_sped", "float64")]))
        .await;
    assert!(problems[0].contains("has no column in source `weather`; did you mean `wind_speed`?"));
}

#[tokio::test]
async fn a_missing_or_mistyped_join_key_is_a_problem_of_the_key() {
    let mut repo = Repo::new();
    repo.parquet(
        "a.parquet",
        &[
            ("orign", strings(&["JFK"])),
            ("t", times(&[1])),
            ("x", ints(&[1])),
        ],
    );
    repo.source("weather", files(FileFormat::Parquet, "a.parquet"));
    let features = view("weather", &[("x", "int32")]);
    let problems = repo.problems(&features).await;
    assert!(problems[0].contains("JoinKey(\"origin\")"), "{problems:?}");
    assert!(
        problems[0].contains("did you mean `orign`?"),
        "{problems:?}"
    );

    repo.parquet(
        "a.parquet",
        &[
            ("origin", ints(&[1])),
            ("t", times(&[1])),
            ("x", ints(&[1])),
        ],
    );
    let problems = repo.problems(&features).await;
    assert!(
        problems[0].contains("join key `origin` is declared string"),
        "{problems:?}"
    );
}

#[tokio::test]
async fn every_field_of_a_source_is_checked() {
    let mut repo = weather();
    let source = repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
    source.timestamp_field = "tt".to_owned();
    source.created_timestamp_column = Some("small".to_owned());
    repo.source("gone", files(FileFormat::Parquet, "gone.parquet"));
    repo.source("nonsense", sql("SELEC 1"));
    let renamed = repo.source("renamed", files(FileFormat::Parquet, "w.parquet"));
    renamed
        .field_mapping
        .insert("smal".to_owned(), "tiny".to_owned());
    renamed
        .field_mapping
        .insert("huge".to_owned(), "half".to_owned());
    let features = view("weather", &[("wind_speed", "float64")]);
    repo.catalog
        .feature_views
        .insert(features.name.clone(), features);

    let problems = repo.engine.check(&repo.catalog).await;
    let fields: Vec<_> = problems
        .iter()
        .map(|problem| match &problem.place {
            Place::Source { source, field } => (source.as_str(), field.clone()),
            Place::View { view, .. } => panic!("{view}: {problem}"),
        })
        .collect();
    let mapping = |name: &str| SourceField::FieldMapping(name.to_owned());
    assert_eq!(
        fields,
        [
            ("gone", SourceField::Path),
            ("nonsense", SourceField::Query),
            ("renamed", mapping("huge")),
            ("renamed", mapping("smal")),
            ("weather", SourceField::TimestampField),
            ("weather", SourceField::CreatedTimestampColumn),
        ]
    );
    assert!(
        problems[3].message.contains("did you mean `small`?"),
        "{}",
        problems[3]
    );
    assert!(
        problems[4].message.contains("did you mean `t`?"),
        "{}",
        problems[4]
    );
    assert!(
        problems[5].message.contains("is no time"),
        "{}",
        problems[5]
    );
}

#[tokio::test]
async fn a_missing_path_is_told_once_and_not_as_missing_columns() {
    let mut repo = Repo::new();
    repo.source("weather", files(FileFormat::Parquet, "gone.parquet"));
    let view = view("weather", &[("temp", "float64")]);
    let problems = repo.engine.check_view(&repo.catalog, &view).await;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].code, Code::NotFound);
}

#[tokio::test]
async fn a_view_of_no_entity_has_no_key_columns() {
    let repo = weather();
    let mut view = view("weather", &[("half", "float32")]);
    view.entities.clear();
    let found = repo.rows(&view).await.unwrap();
    assert_rows(&found, &["1970-01-01T00:00:00.000001Z  0.5"]);
}
