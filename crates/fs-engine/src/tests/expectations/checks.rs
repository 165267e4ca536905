//! Expectations that the columns of the view cannot meet are found before any row is read.

use fs_core::{Check, Literal};

use super::*;
use crate::{Place, ViewField};

/// What is wrong with a view that expects this, each with the name of the expectation.
async fn problems(expectations: Vec<Expectation>) -> Vec<String> {
    let columns = [
        ("origin", strings(&["JFK"])),
        ("t", times(&[1])),
        ("temp", floats(&[1.0])),
    ];
    let (repo, mut view) = weather(&columns, &[("temp", "float64")]);
    view.expectations = expectations;
    let found = repo.engine.check_view(&repo.catalog, &view).await;
    let problems = found.iter().map(|problem| {
        let Place::View {
            field: ViewField::Expectation(name),
            ..
        } = &problem.place
        else {
            panic!("{problem:?}");
        };
        assert!(problem.message.contains(name), "{problem}");
        format!("{name}: {}", problem.message)
    });
    let problems = problems.collect::<Vec<_>>();
    let opened = repo.engine.validator(&repo.catalog, &view);
    let of_created = problems
        .iter()
        .all(|problem| problem.contains("created_timestamp_column"));
    assert_eq!(opened.is_err(), !of_created);
    problems
}

async fn problem(check: Check) -> String {
    let mut problems = problems(vec![fail(check)]).await;
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.remove(0)
}

#[tokio::test]
async fn expectations_that_fit_the_columns_have_no_problem() {
    let fine = vec![
        fail(not_null("origin")),
        fail(between("temp", Some(float(0.0)), None)),
        fail(between(
            "event_timestamp",
            None,
            Some(Literal::Timestamp(fs_core::EventTime::from_micros(9))),
        )),
        fail(in_set("origin", &[string("JFK")])),
        fail(predicate("temp > 0 AND length(origin) = 3")),
        fail(Check::Unique {}),
        fail(Check::NullFraction {
            column: "temp".to_owned(),
            max: "0.5".parse().unwrap(),
        }),
    ];
    assert_eq!(problems(fine).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_predicate_with_an_unknown_column_says_which_may_have_been_meant() {
    let found = problem(predicate("tmp >= 0")).await;
    assert!(
        found.contains("`tmp`") && found.contains("did you mean `temp`"),
        "{found}"
    );
    assert!(found.contains("line 1, column 1"), "{found}");
}

#[tokio::test]
async fn a_predicate_that_is_no_condition_over_one_row_is_refused() {
    for (sql, expected) in [
        ("temp + 1", "is float64, and has to be true or false"),
        ("avg(temp) > 1", "`avg` is computed from many rows"),
        (
            "row_number() OVER (ORDER BY temp) > 1",
            "`row_number` is computed from many rows",
        ),
        ("temp IN (SELECT 1)", ""),
        (
            "temp > random()",
            "`random` gives another answer at another time",
        ),
        (
            "event_timestamp < now()",
            "`now` gives another answer at another time",
        ),
        ("temp >", ""),
        ("origin > 3 + ", ""),
    ] {
        let found = problem(predicate(sql)).await;
        assert!(found.contains(expected), "{sql}: {found}");
    }
}

#[tokio::test]
async fn a_column_that_is_not_there_or_does_not_compare_is_refused() {
    let found = problem(not_null("tmp")).await;
    assert!(found.contains("no column `tmp`"), "{found}");
    let found = problem(in_set("origin", &[Literal::Int(3)])).await;
    assert!(
        found.contains("column `origin` is string, which cannot be compared with 3"),
        "{found}"
    );
    let found = problem(between("temp", Some(string("cold")), None)).await;
    assert!(found.contains("column `temp` is float64"), "{found}");
}

#[tokio::test]
async fn a_created_time_that_no_row_can_have_is_told() {
    let found = problem(not_null("created_timestamp")).await;
    assert!(found.contains("no created_timestamp_column"), "{found}");
}

#[tokio::test]
async fn all_problems_are_told_at_once() {
    let found = problems(vec![
        fail(not_null("tmp")),
        fail(predicate("temp > 0")),
        fail(in_set("origin", &[Literal::Int(3)])),
    ])
    .await;
    assert_eq!(found.len(), 2, "{found:?}");
}
