//! CSV and JSON: every value is read as it is declared, or named.

use fs_core::{CsvOptions, FileFormat};

use super::fixture::*;
use crate::Error;

const T: &str = "2013-01-01T00:00:00Z";

fn csv(delimiter: char) -> FileFormat {
    FileFormat::Csv(CsvOptions { delimiter })
}

#[tokio::test]
async fn values_of_csv_have_their_declared_types() {
    let mut repo = Repo::new();
    repo.text(
        "w.csv",
        "t;origin;code;whole;share;rain\n2013-01-01;JFK;007;3.0;1;true\n2013-01-01 00:00;LGA;;;;\n",
    );
    repo.source("weather", files(csv(';'), "w.csv"));
    let view = view(
        "weather",
        &[
            ("code", "string"),
            ("whole", "int32"),
            ("share", "float64"),
            ("rain", "bool"),
        ],
    );
    assert_eq!(repo.problems(&view).await, Vec::<String>::new());
    let found = repo.rows(&view).await.unwrap();
    let (one, two) = (format!("JFK {T}  007 3 1.0 true"), format!("LGA {T}     "));
    assert_rows(&found, &[&one, &two]);
}

#[tokio::test]
async fn a_value_that_does_not_fit_fails_the_run_and_is_named() {
    for (value, declared) in [
        ("3000000000", "int32"),
        ("1.5", "int64"),
        ("cold", "float64"),
        ("1e999", "float64"),
        ("2013-02-30", "timestamp"),
        ("xyz", "bytes"),
    ] {
        let mut repo = Repo::new();
        repo.text("w.csv", &format!("origin,t,x\nJFK,{T},\nJFK,{T},{value}\n"));
        repo.source("weather", files(csv(','), "w.csv"));
        let error = repo
            .rows(&view("weather", &[("x", declared)]))
            .await
            .unwrap_err();
        let Error::BadValue(bad) = &error else {
            panic!("{error}");
        };
        assert_eq!(
            (bad.value.as_str(), bad.row, bad.expected.as_str()),
            (value, 2, declared)
        );
    }
}

#[tokio::test]
async fn json_keeps_great_integers_and_never_cuts_a_fraction() {
    let mut repo = Repo::new();
    repo.text(
        "w.json",
        &format!(
            "{{\"origin\":\"JFK\",\"t\":\"{T}\",\"n\":9007199254740993,\"tags\":[\"a\",null]}}\n\
             {{\"origin\":\"LGA\",\"t\":\"{T}\"}}\n"
        ),
    );
    repo.source("weather", files(FileFormat::Json, "w.json"));
    let features = view("weather", &[("n", "int64"), ("tags", "array<string>")]);
    assert_eq!(repo.problems(&features).await, Vec::<String>::new());
    let found = repo.rows(&features).await.unwrap();
    let (one, two) = (
        format!("JFK {T}  9007199254740993 [a, ]"),
        format!("LGA {T}   "),
    );
    assert_rows(&found, &[&one, &two]);

    repo.text(
        "w.json",
        &format!("{{\"origin\":\"JFK\",\"t\":\"{T}\",\"n\":1.5}}\n"),
    );
    let error = repo
        .rows(&view("weather", &[("n", "int64")]))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("holds `1.5` in row 1"),
        "{error}"
    );
}

#[tokio::test]
async fn files_of_csv_with_other_columns_are_united_by_their_headers() {
    let mut repo = Repo::new();
    repo.text("w/a.csv", &format!("origin,t,temp\nJFK,{T},1\n"));
    repo.text("w/b.csv", &format!("temp,origin,t,more\n2.5,LGA,{T},x\n"));
    repo.text("w/c.csv", &format!("t,origin\n{T},EWR"));
    repo.source("weather", files(csv(','), "w"));
    let found = repo
        .rows(&view("weather", &[("temp", "float64")]))
        .await
        .unwrap();
    let expected = [
        format!("JFK {T}  1.0"),
        format!("LGA {T}  2.5"),
        format!("EWR {T}  "),
    ];
    assert_rows(
        &found,
        &expected.each_ref().map(|row| row.trim_end_matches('\0')),
    );
}

#[tokio::test]
async fn a_broken_text_file_is_named() {
    for (name, content, format) in [
        ("w.csv", "origin,t,x\nJFK,2013-01-01\n", csv(',')),
        ("w.csv", "", csv(',')),
        ("w.csv", "origin,t,x,x\nJFK,2013-01-01,1,2\n", csv(',')),
        (
            "w.json",
            "{\"origin\":\"JFK\",\"t\":\"2013-01-01\",\"x\":1}\n{\"origin\":",
            FileFormat::Json,
        ),
    ] {
        let mut repo = Repo::new();
        repo.text(name, content);
        repo.source("weather", files(format, name));
        let error = repo
            .rows(&view("weather", &[("x", "int64")]))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Unreadable { .. }), "{error:?}");
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[tokio::test]
async fn the_types_of_csv_are_checked_against_a_sample() {
    let mut repo = Repo::new();
    repo.text("w.csv", &format!("origin,t,x\nJFK,{T},cold\n"));
    repo.source("weather", files(csv(','), "w.csv"));
    let problems = repo.problems(&view("weather", &[("x", "int64")])).await;
    assert!(
        problems[0].contains("is declared int64, but its column in source `weather` is string")
    );
}

#[tokio::test]
async fn sql_over_csv_sees_numbers_and_times() {
    let mut repo = Repo::new();
    repo.text("w.csv", &format!("origin,t,x\nJFK,{T},2\nJFK,{T},3\n"));
    repo.source("weather", files(csv(','), "w.csv"));
    let mut view = view("weather", &[("total", "int32")]);
    view.query =
        Some("SELECT origin, max(t) AS t, sum(x) AS total FROM weather GROUP BY origin".to_owned());
    let found = repo.rows(&view).await.unwrap();
    assert_rows(&found, &[&format!("JFK {T}  5")]);
}
