//! Rows held against the expectations of their view.

mod checks;
mod quarantine;
mod reference;
mod row_checks;
mod unique;
mod window_checks;
mod windowed;

use arrow::array::{ArrayRef, AsArray, RecordBatch};
use fs_core::{Check, Expectation, FeatureView, FileFormat, Finite, Literal, OnFailure, TimeRange};
use futures::TryStreamExt;

use super::fixture::*;
use crate::{Error, Reading, Report, Validated, Validator, Verdict};

/// What came of validating the rows of a view.
struct Outcome {
    /// The rows that are left, or why the stream failed.
    left: Result<Vec<RecordBatch>, Error>,
    report: Report,
    quarantined: Vec<RecordBatch>,
}

impl Outcome {
    /// The values of a column of numbers, of the rows that are left.
    fn temps(&self) -> Vec<f64> {
        let batches = self.left.as_ref().unwrap();
        let column = |batch: &RecordBatch| batch.column_by_name("temp").unwrap().clone();
        let values = batches.iter().map(column).map(|column: ArrayRef| {
            let values = column.as_primitive::<arrow::datatypes::Float64Type>();
            values
                .iter()
                .map(|value| value.unwrap_or(f64::NAN))
                .collect()
        });
        values.collect::<Vec<Vec<f64>>>().concat()
    }

    /// `expectation: reason` of each quarantined row.
    fn reasons(&self) -> Vec<String> {
        let mut found = Vec::new();
        for batch in &self.quarantined {
            let text = |name: &str| {
                batch
                    .column_by_name(name)
                    .unwrap()
                    .as_string::<i32>()
                    .clone()
            };
            let (names, texts) = (text("_expectation"), text("_reason"));
            for row in 0..batch.num_rows() {
                found.push(format!("{}: {}", names.value(row), texts.value(row)));
            }
        }
        found
    }

    fn verdict(&self, name: &str) -> &Verdict {
        let mut verdicts = self.report.verdicts.iter();
        verdicts
            .find(|verdict| verdict.expectation.name == name)
            .unwrap()
    }

    fn failed(&self, name: &str) -> u64 {
        self.verdict(name).failed
    }
}

/// An expectation that warns, with the name that it has where none is given.
fn warn(check: Check) -> Expectation {
    expectation(check, OnFailure::Warn)
}

fn fail(check: Check) -> Expectation {
    expectation(check, OnFailure::Fail)
}

fn quarantine(check: Check) -> Expectation {
    expectation(check, OnFailure::Quarantine)
}

fn expectation(check: Check, on_failure: OnFailure) -> Expectation {
    Expectation {
        name: match check.column() {
            Some(column) => format!("{}_{column}", check.as_str()),
            None => check.as_str().to_owned(),
        },
        check,
        on_failure,
    }
}

fn not_null(column: &str) -> Check {
    Check::NotNull {
        column: column.to_owned(),
    }
}

fn between(column: &str, min: Option<Literal>, max: Option<Literal>) -> Check {
    Check::Between {
        column: column.to_owned(),
        min,
        max,
    }
}

fn in_set(column: &str, values: &[Literal]) -> Check {
    Check::InSet {
        column: column.to_owned(),
        values: values.to_vec(),
    }
}

fn predicate(sql: &str) -> Check {
    Check::Sql {
        predicate: sql.to_owned(),
    }
}

fn float(value: f64) -> Literal {
    Literal::Float(Finite::new(value).unwrap())
}

fn string(value: &str) -> Literal {
    Literal::String(value.to_owned())
}

/// A repo whose source has these columns, and a view of it with these features.
fn weather(columns: &[(&str, ArrayRef)], features: &[(&str, &str)]) -> (Repo, FeatureView) {
    let mut repo = Repo::new();
    repo.parquet_in_groups("w.parquet", columns, 3);
    repo.source("weather", files(FileFormat::Parquet, "w.parquet"));
    (repo, view("weather", features))
}

/// One row for each of these temperatures, at times 0, 1, 2 …
fn temperatures(temps: &[f64]) -> (Repo, FeatureView) {
    let at: Vec<i64> = (0..).take(temps.len()).collect();
    let columns = [
        ("origin", strings(&vec!["JFK"; temps.len()])),
        ("t", times(&at)),
        ("temp", floats(temps)),
    ];
    weather(&columns, &[("temp", "float64")])
}

fn validator(repo: &Repo, view: &FeatureView) -> Validator {
    let validator = repo.engine.validator(&repo.catalog, view);
    validator.unwrap().unwrap()
}

async fn validate(repo: &Repo, view: &FeatureView) -> Outcome {
    validate_in(repo, view, always()).await
}

async fn validate_in(repo: &Repo, view: &FeatureView, window: TimeRange) -> Outcome {
    let validator = validator(repo, view);
    let state = repo.engine.source_state(&repo.catalog, view).await.unwrap();
    let reading = Reading::to_validate(window, &state);
    let rows = repo.engine.view_rows(&repo.catalog, view, reading).await;
    drain(&validator, validator.rows(rows.unwrap(), Some(window))).await
}

async fn drain(validator: &Validator, validated: Validated) -> Outcome {
    let Validated { rows, quarantined } = validated;
    let schema = rows.schema;
    let left: Result<Vec<RecordBatch>, _> = rows.stream.try_collect().await;
    let left = left.map_err(|error| Error::of_query("the test".to_owned(), error));
    if let Ok(left) = &left {
        assert!(left.iter().all(|batch| batch.schema() == schema));
        assert!(!schema.field(0).is_nullable());
    }
    let quarantined = quarantined.finish().await.unwrap();
    let rows = quarantined.read().unwrap();
    Outcome {
        left,
        report: validator.report(),
        quarantined: rows.try_collect().await.unwrap(),
    }
}
