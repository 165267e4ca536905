//! Views with a `query:`, and sql sources.

use fs_core::code::report;
use fs_core::{Code, Coded, FeatureView, FileFormat};

use super::fixture::*;

const T: &str = "1970-01-01T00:00:00.000001Z";

fn weather() -> Repo {
    let mut repo = Repo::new();
    repo.parquet(
        "w.parquet",
        &[
            ("origin", strings(&["JFK", "LGA"])),
            ("t", times(&[1, 1])),
            ("tempF", floats(&[50.0, 68.0])),
        ],
    );
    repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
    repo
}

fn celsius(query: &str) -> FeatureView {
    let mut view = view("weather", &[("tempC", "float64")]);
    view.query = Some(query.to_owned());
    view
}

#[tokio::test]
async fn a_query_selects_from_its_source_by_name_and_letter_case_is_kept() {
    let repo = weather();
    let view =
        celsius("SELECT origin, t, (tempF - 32) / 1.8 AS tempC FROM weather WHERE tempF > 60");
    let found = repo.rows(&view).await.unwrap();
    assert_rows(&found, &[&format!("LGA {T}  20.0")]);
    assert!(repo.problems(&view).await.is_empty());
}

#[tokio::test]
async fn a_query_joins_other_sources_and_sql_sources_build_on_each_other() {
    let mut repo = weather();
    repo.text("names.csv", "origin,offset\nJFK,1\nLGA,2\n");
    repo.source(
        "offsets",
        files(FileFormat::Csv(fs_core::CsvOptions::default()), "names.csv"),
    );
    repo.source("warm", sql("SELECT * FROM weather WHERE tempF > 60"));
    repo.source(
        "warmer",
        sql("SELECT origin, t, tempF + 1 AS tempF FROM warm"),
    );
    let view = celsius(
        "SELECT w.origin, w.t, w.tempF + o.offset AS tempC FROM warmer w JOIN offsets o ON w.origin = o.origin",
    );
    let found = repo.rows(&view).await.unwrap();
    assert_rows(&found, &[&format!("LGA {T}  71.0")]);
}

#[tokio::test]
async fn a_broken_source_does_not_hurt_a_view_that_does_not_read_it() {
    let mut repo = weather();
    repo.source("broken", files(FileFormat::Parquet, "missing.parquet"));
    repo.source("broken_too", sql("SELEC nonsense"));
    let view = celsius("SELECT origin, t, tempF AS tempC FROM weather");
    assert!(repo.rows(&view).await.is_ok());
    let view = celsius("SELECT origin, t, 1.0 AS tempC FROM broken");
    let error = repo.rows(&view).await.unwrap_err();
    assert!(matches!(error, crate::Error::NoFiles { .. }), "{error:?}");
}

#[tokio::test]
async fn sql_that_is_not_one_select_is_refused() {
    let repo = weather();
    for query in [
        "SELEC origin FROM weather",
        "SELECT origin FROM nowhere",
        "SELECT nothing FROM weather",
        "DROP TABLE weather",
        "COPY weather TO 'stolen.parquet'",
        "SELECT 1; SELECT 2",
    ] {
        let error = repo.rows(&celsius(query)).await.unwrap_err();
        assert_eq!(
            error.code(),
            Code::InvalidArgument,
            "{query}: {}",
            report(&error)
        );
        let problems = repo.problems(&celsius(query)).await;
        assert!(problems[0].contains("Query"), "{problems:?}");
    }
}

#[tokio::test]
async fn a_sql_source_that_selects_from_itself_is_an_error_and_no_stack_overflow() {
    let mut repo = Repo::new();
    repo.source("a", sql("SELECT * FROM b"));
    repo.source("b", sql("SELECT * FROM a"));
    let error = repo
        .rows(&view("a", &[("temp", "float64")]))
        .await
        .unwrap_err();
    assert!(matches!(error, crate::Error::Cycle { .. }), "{error:?}");
}

#[tokio::test]
async fn the_result_of_a_query_has_to_hold_the_keys_the_time_and_the_features() {
    let repo = weather();
    let problems = repo
        .problems(&celsius("SELECT tempF AS tempc FROM weather"))
        .await;
    let all = problems.join("\n");
    assert_eq!(problems.len(), 3, "{all}");
    assert!(all.contains("yields no column `t`"), "{all}");
    assert!(all.contains("join key `origin` has no column"), "{all}");
    assert!(all.contains("did you mean `tempc`?"), "{all}");
}
