//! Expectations and freshness: what they may not say.

use super::files::{SETTINGS, expect, problems, rendered, view};

/// A view with features of several types and this expectation.
fn with(expectation: &str) -> String {
    let schema = "schema: [{ name: f, type: int32 }, { name: ok, type: bool }, { name: raw, type: bytes }, \
                  { name: many, type: array<int64> }, { name: at, type: timestamp }]";
    view(&format!("expectations: [{{ {expectation} }}]"))
        .replace("schema: [{ name: f, type: int32 }]", schema)
}

#[test]
fn an_unknown_kind_is_refused_with_the_nearest_one() {
    expect(
        &with("expect: betwen, column: f, min: 1"),
        &["new.yaml:6:26: `betwen` is not a kind of expectation (did you mean `between`?)"],
    );
    expect(
        &with("column: f"),
        &["an expectation of view `v` needs `expect` (add `expect: not_null`)"],
    );
    expect(
        &view("expectations: [not_null]"),
        &["an expectation of view `v` must be a map, and this is text"],
    );
    expect(
        &view("expectations: { expect: unique }"),
        &["`expectations` must be a list, and this is a map"],
    );
}

#[test]
fn each_kind_has_its_own_fields() {
    expect(
        &with("expect: not_null"),
        &["expectation `not_null` of view `v` needs `column` (add `column: some_column`)"],
    );
    expect(
        &with("expect: unique, column: f"),
        &[
            "expectation `unique` of view `v` has no field `column` (its fields are expect, name, on_failure)",
        ],
    );
    expect(
        &with("expect: between, column: f"),
        &["expectation `between` of view `v` needs `min`, `max` or both"],
    );
    expect(
        &with("expect: between, column: f, mim: 1"),
        &["has no field `mim` (did you mean `min`?)"],
    );
    expect(&with("expect: row_count"), &["needs `min`, `max` or both"]);
    expect(&with("expect: in_set, column: f"), &["needs `values`"]);
    expect(
        &with("expect: in_set, column: f, values: []"),
        &["needs at least one value"],
    );
    expect(&with("expect: sql"), &["needs `predicate`"]);
    expect(
        &with("expect: null_fraction"),
        &["needs `column`", "needs `max`"],
    );
    expect(&with("expect: max_age"), &["needs `max`"]);
}

#[test]
fn a_column_that_the_view_does_not_have_is_refused_with_the_nearest_one() {
    expect(
        &with("expect: not_null, column: tailnun"),
        &["view `v` has no column `tailnun` (did you mean `tailnum`?)"],
    );
    for column in ["tailnum", "event_timestamp", "created_timestamp", "many"] {
        expect(&with(&format!("expect: not_null, column: {column}")), &[]);
    }
}

#[test]
fn the_time_column_of_the_source_has_another_name_in_the_view() {
    let source = "kind: source\nname: moves\nformat: json\npath: x\ntimestamp_field: t\n---\n";
    let moved = with("expect: not_null, column: t").replace("planes", "moves");
    expect(
        &format!("{source}{moved}"),
        &["view `v` has no column `t` (event time is called `event_timestamp` here)"],
    );
}

#[test]
fn a_column_of_what_could_not_be_read_is_let_pass() {
    let broken = with("expect: not_null, column: g").replace("int32", "int23");
    expect(
        &broken.replace("column: g", "column: f"),
        &["`int23` is not a type"],
    );
    let broken = with("expect: not_null, column: g").replace("name: f,", "name: f-f,");
    expect(&broken, &["`f-f` is not a name"]);
}

#[test]
fn values_have_the_type_of_their_column() {
    expect(
        &with("expect: between, column: f, min: 1.5, max: 3000000000"),
        &[
            "`1.5` is not a value of type int32 (column `f` is int32)",
            "`3000000000` is not a value of type int32",
        ],
    );
    expect(
        &with("expect: in_set, column: ok, values: [true, maybe]"),
        &["`maybe` is not a value of type bool"],
    );
    expect(
        &with("expect: between, column: at, min: 2013-01-01, max: tomorrow"),
        &["`tomorrow` is not a value of type timestamp"],
    );
    for column in ["raw", "many"] {
        expect(
            &with(&format!("expect: between, column: {column}, min: 1")),
            &[&format!("`between` cannot compare column `{column}`")],
        );
    }
}

#[test]
fn limits_that_leave_nothing_between_them_are_refused() {
    expect(
        &with("expect: between, column: f, min: 10, max: 9"),
        &["`min` 10 is greater than `max` 9"],
    );
    expect(
        &with("expect: row_count, min: 10, max: 9"),
        &["`min` 10 is greater than `max` 9"],
    );
    expect(&with("expect: row_count, min: 9, max: 9"), &[]);
}

#[test]
fn a_set_holds_each_value_once_and_no_null() {
    expect(
        &with("expect: in_set, column: f, values: [1, 2, 01]"),
        &["`1` is in the set twice"],
    );
    expect(
        &with("expect: in_set, column: f, values: [1, null]"),
        &[
            "a null passes anyway",
            "a value must be text, and this is nothing",
        ],
    );
}

#[test]
fn a_fraction_lies_between_0_and_1_and_rows_are_counted_in_whole_numbers() {
    expect(
        &with("expect: null_fraction, column: f, max: 5"),
        &["`5` is not a fraction: write a number from 0 to 1"],
    );
    expect(
        &with("expect: row_count, min: -1"),
        &["`-1` is not a number of rows"],
    );
    expect(
        &with("expect: max_age, max: 0"),
        &["`max` must be longer than that"],
    );
}

#[test]
fn a_window_cannot_go_to_quarantine() {
    for window in [
        "expect: row_count, min: 1",
        "expect: null_fraction, column: f, max: 0.5",
        "expect: max_age, max: 1d",
    ] {
        expect(
            &with(&format!("{window}, on_failure: quarantine")),
            &["there is no row to put into quarantine (write `on_failure: fail` or"],
        );
        expect(&with(&format!("{window}, on_failure: warn")), &[]);
    }
    expect(
        &with("expect: unique, on_failure: quarantin"),
        &["`quarantin` is not a value of `on_failure` (did you mean `quarantine`?)"],
    );
}

#[test]
fn two_expectations_of_one_name_are_refused() {
    let two = |expectations: &str| view(&format!("expectations: [{expectations}]"));
    expect(
        &two("{ expect: sql, predicate: f > 0 }, { expect: sql, predicate: f < 9 }"),
        &["view `v` has two expectations called `sql` (the first is at new.yaml:6:26; give"],
    );
    expect(
        &two("{ expect: sql, predicate: f > 0 }, { expect: sql, predicate: f < 9, name: small }"),
        &[],
    );
    expect(
        &two("{ expect: unique, name: not_null_f }, { expect: not_null, column: f }"),
        &["two expectations called `not_null_f`"],
    );
}

#[test]
fn a_predicate_that_is_none_is_refused() {
    for (predicate, problem) in [
        ("(f > 0", "`(` without its other half"),
        ("SELECT f", "`SELECT` belongs to a query"),
        ("f >", "stops after `>`"),
        ("ok = 'yes", "a ' that is never closed"),
    ] {
        expect(
            &with(&format!("expect: sql, predicate: \"{predicate}\"")),
            &[problem],
        );
    }
}

#[test]
fn freshness_is_a_length_of_time_and_longer_than_nothing() {
    expect(&view("freshness: 2h"), &[]);
    expect(&view("freshness: soon"), &["`soon` is not a duration"]);
    expect(
        &view("freshness: 0"),
        &["`freshness` must be longer than 0"],
    );
}

#[test]
fn problems_of_expectations_are_shown_with_all_the_others() {
    let definitions = r#"
kind: entity
name: airport
join_keys: [{ name: origin, type: string }]
---
kind: source
name: weather
format: parquet
path: data/weather.parquet
timestamp_field: seen_at
---
kind: feature_view
name: origin_weather
entities: [airport]
source: weather
schema: [{ name: temp, type: float64 }, { name: kind, type: string }]
freshness: 2 hours
expectations:
  - { expect: not_nul, column: temp }
  - { expect: between, column: tmep, min: -80 }
  - { expect: between, column: temp, min: cold, max: 140, on_failure: drop }
  - { expect: between, column: temp, min: 140, max: -80, name: swapped }
  - { expect: in_set, column: kind, value: [rain, snow] }
  - { expect: row_count, min: 1k, on_failure: quarantine }
  - { expect: max_age, column: seen_at, max: 2d }
  - { expect: not_null, column: seen_at }
  - { expect: sql, predicate: "wind_speed >= 0 AND" }
  - { expect: unique }
  - { expect: unique }
"#;
    insta::assert_snapshot!(rendered(&[
        ("feature_store.yaml", SETTINGS),
        ("definitions.yaml", definitions),
    ]));
}

#[test]
fn the_name_of_an_expectation_is_a_name() {
    let found = problems(&with("expect: unique, name: my-name"));
    assert!(found[0].contains("`my-name` is not a name"), "{found:?}");
}
