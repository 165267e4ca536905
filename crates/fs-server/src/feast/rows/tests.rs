use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int64Type, TimestampMicrosecondType};
use fs_testkit::catalog;

use super::*;
use crate::feast::frame::Columns;

/// `trips` and `fares` of `user`, from `rides`, whose times and one column have other names.
fn definitions() -> Catalog {
    let rides = catalog::source("rides")
        .timestamp("at")
        .created("known")
        .mapped("fare_usd", "fare");
    let view = |name: &str| catalog::view(name).entity("user").source("rides");
    catalog::project("demo")
        .entity(catalog::entity("user").key("user", "int64"))
        .source(rides)
        .view(view("trips").feature("count", "int64"))
        .view(view("fares").feature("fare", "float64"))
        .view(view("other").feature("count", "float64"))
        .build()
}

fn rows_of(views: &[&str], json: &str) -> Result<RecordBatch, FeastError> {
    let catalog = definitions();
    let views: Vec<&FeatureView> = views
        .iter()
        .map(|name| &catalog.feature_views[*name])
        .collect();
    let columns: Columns<'_> = serde_json::from_str(json).unwrap();
    rows(&columns.frame()?, &catalog, &views)
}

fn names(rows: &RecordBatch) -> Vec<String> {
    let schema = rows.schema();
    let fields = schema.fields().iter();
    fields.map(|field| field.name().clone()).collect()
}

#[test]
fn every_name_of_a_time_is_understood() {
    for (event, created) in [
        ("at", "known"),
        ("event_timestamp", "created"),
        ("at", "created_timestamp"),
    ] {
        let json = format!(r#"{{"user": [1], "count": [2], "{event}": [3], "{created}": [4]}}"#);
        let rows = rows_of(&["trips"], &json).unwrap();
        assert_eq!(
            names(&rows),
            ["user", EVENT_TIMESTAMP, CREATED_TIMESTAMP, "count"]
        );
        let micros = |at: usize| rows.column(at).as_primitive::<TimestampMicrosecondType>();
        assert_eq!(micros(1).value(0), 3_000_000);
        assert_eq!(micros(2).value(0), 4_000_000);
        assert_eq!(rows.column(3).as_primitive::<Int64Type>().value(0), 2);
    }
    let rows = rows_of(&["trips"], r#"{"user": [1], "count": [2], "at": [3]}"#).unwrap();
    assert!(rows.column(2).is_null(0));
}

#[test]
fn rows_of_a_source_have_what_all_its_views_take_under_either_name() {
    for fare in ["fare", "fare_usd"] {
        let json =
            format!(r#"{{"{fare}": [1.5], "count": [2], "user": [1], "at": [3], "more": [{{}}]}}"#);
        let rows = rows_of(&["trips", "fares"], &json).unwrap();
        let expected = ["user", EVENT_TIMESTAMP, CREATED_TIMESTAMP, "count", "fare"];
        assert_eq!(names(&rows), expected);
    }
}

#[test]
fn a_column_that_is_missing_is_named_with_the_one_that_may_have_been_meant() {
    for (json, says) in [
        (
            r#"{"user": [1], "cuont": [2], "at": [3]}"#,
            "did you mean `cuont`?",
        ),
        (
            r#"{"count": [2], "at": [3]}"#,
            "column `user` of view `trips` is missing",
        ),
        (
            r#"{"user": [1], "count": [2]}"#,
            "column `at` of view `trips` is missing",
        ),
        (
            r#"{"user": [], "count": [], "at": []}"#,
            "there are no rows",
        ),
        (
            r#"{"user": [1], "count": [2], "at": ["x"]}"#,
            "column `at`, row 0: the text \"x\"",
        ),
    ] {
        let error = rows_of(&["trips"], json).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn one_column_is_not_two_types() {
    let json = r#"{"user": [1], "count": [2], "at": [3]}"#;
    let error = rows_of(&["trips", "other"], json).unwrap_err().to_string();
    assert!(
        error.contains("int64 for view `trips` and float64 for view `other`"),
        "{error}"
    );
}
