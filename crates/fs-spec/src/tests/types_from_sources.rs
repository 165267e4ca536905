//! Windowed views whose columns only the source knows: what is wanted, and what becomes of the answer.

use std::collections::BTreeMap;

use fs_core::{Feature, ViewName};

use super::files::{GOOD, SETTINGS, definitions, same, view};
use crate::{Definitions, Place, Problem, Repo};

/// Aggregations of which one column is declared, and a filter.
fn undeclared(rest: &str) -> String {
    view(&format!(
        "aggregations:\n\
         - {{ column: delay, function: avg, windows: [1h, 1d] }}\n\
         - {{ column: delay, function: max, windows: [1h] }}\n\
         - {{ column: f, function: sum, windows: [1h], filter: NOT diverted }}\n{rest}"
    ))
}

fn read(text: &str) -> Definitions {
    let files = [
        ("feature_store.yaml", SETTINGS),
        ("good.yaml", GOOD),
        ("new.yaml", text),
    ];
    definitions(&files).unwrap()
}

fn found(inputs: &[(&str, &str)]) -> BTreeMap<ViewName, Vec<Feature>> {
    let inputs = inputs.iter().map(|(name, data_type)| Feature {
        name: name.parse().unwrap(),
        data_type: data_type.parse().unwrap(),
        description: None,
    });
    BTreeMap::from([("v".parse().unwrap(), inputs.collect())])
}

fn complete(text: &str, inputs: &[(&str, &str)]) -> Result<Repo, Vec<String>> {
    let problems = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect();
    read(text).complete(found(inputs)).map_err(problems)
}

#[track_caller]
fn refused(text: &str, inputs: &[(&str, &str)], expected: &[&str]) {
    same(&complete(text, inputs).unwrap_err(), expected);
}

#[test]
fn columns_that_are_not_declared_and_filters_are_wanted_once() {
    let definitions = read(&undeclared(""));
    let [wanted] = definitions.wanted().try_into().unwrap();
    assert_eq!(wanted.view.as_str(), "v");
    assert_eq!(wanted.source.as_str(), "planes");
    let columns: Vec<String> = wanted
        .columns
        .iter()
        .map(|column| format!("{} for {}", column.column, column.feature))
        .collect();
    assert_eq!(columns, ["delay for delay_avg_1h"]);
    let [filter] = wanted.filters.try_into().unwrap();
    assert_eq!(filter.filter, "NOT diverted");
    assert_eq!(filter.feature.as_str(), "f_sum_1h");
    let declared: Vec<&str> = wanted.declared.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(declared, ["f"]);
}

#[test]
fn what_is_complete_can_be_looked_at_before_the_rest_is() {
    let definitions = read(&undeclared(""));
    let views: Vec<&str> = definitions
        .catalog()
        .feature_views
        .keys()
        .map(ViewName::as_str)
        .collect();
    assert_eq!(views, ["plane_attributes"]);
    let place = Place::ViewFeatureFilter("v".parse().unwrap(), "f_sum_1h".parse().unwrap());
    let problem = definitions.problem_at(&place, "no such column", None);
    assert_eq!(problem.to_string(), "new.yaml:9:54: no such column");
}

#[test]
fn the_types_that_were_found_are_those_of_the_view() {
    let repo = complete(&undeclared(""), &[("delay", "int32"), ("diverted", "bool")]).unwrap();
    let view = &repo.catalog.feature_views["v"];
    let types = |features: &[Feature]| -> Vec<String> {
        let features = features.iter();
        features
            .map(|feature| format!("{} {}", feature.name, feature.data_type))
            .collect()
    };
    assert_eq!(
        types(view.stored()),
        ["delay int32", "diverted bool", "f int32"]
    );
    assert_eq!(
        types(&view.schema),
        [
            "delay_avg_1h float64",
            "delay_avg_1d float64",
            "delay_max_1h int32",
            "f_sum_1h int64",
        ]
    );
    let at = |input: &str| {
        let place = Place::ViewInput("v".parse().unwrap(), input.parse().unwrap());
        repo.positions.get(&place).to_string()
    };
    assert_eq!(at("f"), "new.yaml:5:18");
    assert_eq!(at("delay"), "new.yaml:7:13");
    assert_eq!(at("diverted"), "new.yaml:9:54");
}

#[test]
fn a_function_that_does_not_fit_what_was_found_is_refused() {
    refused(
        &undeclared(""),
        &[("delay", "string"), ("diverted", "bool")],
        &["new.yaml:7:30: `avg` does not fit a column of type string"],
    );
}

#[test]
fn a_column_that_nobody_found_has_to_be_declared() {
    refused(
        &undeclared(""),
        &[("diverted", "bool")],
        &[
            "new.yaml:7:13: the type of column `delay` is not known (declare it: `schema: [{ name: delay, type: \
           float64 }]`)",
        ],
    );
}

#[test]
fn expectations_are_checked_against_the_columns_that_were_found() {
    let inputs = [("delay", "int32"), ("diverted", "bool")];
    let expecting = |check: &str| undeclared(&format!("expectations: [{{ expect: {check} }}]\n"));
    let repo = complete(&expecting("between, column: delay, min: -60"), &inputs).unwrap();
    assert_eq!(repo.catalog.feature_views["v"].expectations.len(), 1);
    refused(
        &expecting("between, column: delay, min: early"),
        &inputs,
        &["`early` is not a value of type int32 (column `delay` is int32)"],
    );
    refused(
        &expecting("not_null, column: origin"),
        &inputs,
        &[
            "view `v` has no column `origin` (declare it in `schema:`, and it is kept without being aggregated)",
        ],
    );
    refused(
        &expecting("not_null, column: delay_avg_1h"),
        &inputs,
        &[
            "view `v` has no column `delay_avg_1h` (expectations look at events before they are aggregated, whose \
           columns are tailnum, event_timestamp, created_timestamp, f, delay, diverted)",
        ],
    );
}

#[test]
fn a_column_with_the_name_of_another_one_is_refused() {
    refused(
        &undeclared(""),
        &[("delay", "int32"), ("F", "bool")],
        &["view `v` has two columns `F` (the first is at new.yaml:5:18)"],
    );
}

#[test]
fn views_that_declare_all_columns_want_nothing() {
    let declared = view("aggregations: [{ column: f, function: avg, windows: [1h] }]");
    assert!(read(&declared).wanted().is_empty());
    assert!(complete(&declared, &[]).is_ok());
}
