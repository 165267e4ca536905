//! Aggregations: what they become, and what they may not say.

use super::files::{expect, view, with};

/// A windowed view with some declared columns and these aggregations.
fn windowed(aggregations: &str) -> String {
    view(&format!("aggregations: [{aggregations}]")).replace(
        "schema: [{ name: f, type: int32 }]",
        "schema: [{ name: f, type: int32 }, { name: word, type: string }, { name: ok, type: bool }, \
         { name: many, type: array<int64> }]",
    )
}

fn one(aggregation: &str) -> String {
    windowed(&format!("{{ {aggregation} }}"))
}

#[test]
fn a_feature_is_called_after_its_column_function_and_window_as_written() {
    let definitions = windowed(
        "{ column: f, function: avg, windows: [60m, 7d, lifetime], description: How much }, \
         { column: \"*\", function: count, windows: [1h] }, \
         { column: word, function: last_n, n: 3, windows: [1w], name: words }, \
         { column: ok, function: avg, windows: [1h30m], name: share }, \
         { column: f, function: approx_percentile, p: 0.95, windows: [1d] }, \
         { column: word, function: top_k, k: 5, windows: [1d] }",
    );
    let repo = with(&definitions).unwrap();
    let view = &repo.catalog.feature_views["v"];
    let features = view.schema.iter();
    let features: Vec<String> = features
        .map(|feature| format!("{} {}", feature.name, feature.data_type))
        .collect();
    assert_eq!(
        features,
        [
            "f_avg_60m float64",
            "f_avg_7d float64",
            "f_avg_lifetime float64",
            "count_1h int64",
            "words_1w array<string>",
            "share_1h30m float64",
            "f_approx_percentile_1d float64",
            "word_top_k_1d array<string>",
        ]
    );
    assert_eq!(view.schema[0].description.as_deref(), Some("How much"));
    let windows = view.windows.as_ref().unwrap();
    let (aggregation, window) = windows.feature("words_1w").unwrap();
    assert_eq!(aggregation.to_string(), "last_n(word, 3)");
    assert_eq!(window.window, "7d".parse().unwrap());
}

#[test]
fn declared_columns_are_kept_by_name_whether_they_are_read_or_not() {
    let repo = with(&one("column: word, function: last, windows: [1h]")).unwrap();
    let stored = repo.catalog.feature_views["v"].stored();
    let stored: Vec<&str> = stored.iter().map(|input| input.name.as_str()).collect();
    assert_eq!(stored, ["f", "many", "ok", "word"]);
}

#[test]
fn an_unknown_function_is_refused_with_the_nearest_one() {
    expect(
        &one("column: f, function: agv, windows: [1h]"),
        &["new.yaml:6:39: `agv` is not a function (did you mean `avg`?)"],
    );
    for (theirs, ours) in [
        ("mean", "avg"),
        ("stddev", "stddev_samp"),
        ("median", "approx_percentile"),
        ("Latest", "last"),
    ] {
        expect(
            &one(&format!("column: f, function: {theirs}, windows: [1h]")),
            &[&format!(
                "`{theirs}` is not a function (did you mean `{ours}`?)"
            )],
        );
    }
    expect(
        &one("column: f, function: frobnicate, windows: [1h]"),
        &["(functions are count, sum, avg, min, max, stddev_samp,"],
    );
}

#[test]
fn a_function_that_does_not_fit_its_column_says_what_it_takes() {
    expect(
        &one("column: word, function: sum, windows: [1h]"),
        &[
            "`sum` does not fit a column of type string: it takes int32, int64, float32 and float64 \
           (column `word` is string)",
        ],
    );
    expect(
        &one("column: many, function: max, windows: [1h]"),
        &["`max` does not fit a column of type array<int64>: it takes everything but arrays"],
    );
    expect(
        &one("column: \"*\", function: sum, windows: [1h]"),
        &[
            "`sum` needs a column: only `count` takes `*` (name the column, or write `function: count`)",
        ],
    );
}

#[test]
fn a_window_is_longer_than_nothing_and_there_once() {
    for text in ["0", "0s", "-1h"] {
        expect(
            &one(&format!("column: f, function: sum, windows: [{text}]")),
            &[&format!(
                "new.yaml:6:54: `{text}` is not a window: it is longer than nothing"
            )],
        );
    }
    expect(
        &one("column: f, function: sum, windows: [an hour]"),
        &[
            "`an hour` is not a window: write a number and a unit, such as 90s, 1h or 7d, or `lifetime`",
        ],
    );
    expect(
        &one("column: f, function: sum, windows: [1h, 1h]"),
        &["new.yaml:6:58: the window `1h` is there twice (the first is at new.yaml:6:54)"],
    );
    expect(
        &one("column: f, function: sum, windows: [1h, 60m]"),
        &["the window `60m` is as long as `1h`"],
    );
    expect(
        &one("column: f, function: sum"),
        &["aggregation `sum(f)` of view `v` needs `windows` (add `windows: [1h, 7d]`)"],
    );
    expect(
        &one("column: f, function: sum, windows: []"),
        &["aggregation `sum(f)` of view `v` needs at least one window"],
    );
    expect(
        &one("column: f, function: sum, windows: 1h"),
        &["`windows` must be a list, and this is text"],
    );
}

#[test]
fn two_features_of_one_name_are_refused_also_across_aggregations() {
    expect(
        &windowed(
            "{ column: \"*\", function: count, windows: [1h] }, \
             { column: \"*\", function: count, windows: [1h], filter: ok }",
        ),
        &[
            "view `v` has two features `count_1h` (the first is at new.yaml:6:58; give one aggregation \
           another `name`)",
        ],
    );
    let alias = "{ column: f, function: sum, windows: &w [1h] }, \
                 { column: f, function: sum, windows: *w }";
    expect(&windowed(alias), &["view `v` has two features `f_sum_1h`"]);
}

#[test]
fn parameters_go_with_their_functions_only() {
    expect(
        &one("column: f, function: last_n, windows: [1h]"),
        &["aggregation `last_n(f)` of view `v` needs `n` for `last_n` (add `n: 3`)"],
    );
    expect(
        &one("column: f, function: avg, n: 3, windows: [1h]"),
        &["`n` is nothing that `avg` takes (it goes with last_n and first_n; leave it out)"],
    );
    expect(
        &one("column: f, function: top_k, n: 3, windows: [1h]"),
        &[
            "aggregation `top_k(f)` of view `v` needs `k` for `top_k` (add `k: 5`)",
            "`n` is nothing that `top_k` takes",
        ],
    );
    expect(
        &one("column: f, function: first_n, n: 1001, windows: [1h]"),
        &["`1001` is not a length of a list: write a whole number from 1 to 1000"],
    );
    expect(
        &one("column: f, function: approx_percentile, p: 95, windows: [1h]"),
        &["`95` is not a percentile: write a number between 0 and 1"],
    );
}

#[test]
fn a_ttl_does_not_go_with_windows() {
    let definitions = one("column: f, function: sum, windows: [1h]");
    expect(
        &format!("{definitions}ttl: 3h\n"),
        &[
            "new.yaml:7:1: view `v` has `aggregations`, whose windows say how far back they look, and a `ttl` \
           (leave `ttl` out)",
        ],
    );
    assert!(with(&format!("{definitions}ttl: 0\n")).is_ok());
}

#[test]
fn a_filter_is_a_condition() {
    for (filter, problem) in [
        ("SELECT 1", "`SELECT` belongs to a query"),
        ("ok AND", "this condition stops after `AND`"),
        ("(ok", "this condition has a `(` without its other half"),
    ] {
        expect(
            &one(&format!(
                "column: f, function: sum, windows: [1h], filter: \"{filter}\""
            )),
            &[problem],
        );
    }
}

#[test]
fn keys_and_times_are_nothing_to_aggregate() {
    expect(
        &one("column: tailnum, function: count_distinct, windows: [1h]"),
        &["`tailnum` is a join key of view `v`: all events of one window have the same"],
    );
    expect(
        &one("column: event_timestamp, function: max, windows: [1h]"),
        &[
            "`event_timestamp` is a column that every offline table has already (give it another name: `query: \
           SELECT *, event_timestamp AS some_name FROM …`)",
        ],
    );
    expect(
        &one("column: arr delay, function: max, windows: [1h]"),
        &[
            "`arr delay` is not a name: start with a letter and go on with letters, digits and `_` (give it a name \
           with the `field_mapping` of the source",
        ],
    );
}

#[test]
fn a_view_has_a_schema_or_aggregations() {
    let without = |field: &str| view(field).replace("schema: [{ name: f, type: int32 }]\n", "");
    expect(&without(""), &["view `v` needs `schema`"]);
    for nothing in ["aggregations: []", "aggregations:"] {
        expect(
            &without(nothing),
            &["view `v` needs at least one aggregation"],
        );
    }
    expect(
        &without("agregations: []"),
        &["view `v` has no field `agregations` (did you mean `aggregations`?)"],
    );
    expect(
        &without("aggregations: [count]"),
        &["an aggregation of view `v` must be a map, and this is text"],
    );
    expect(
        &one("column: f, fucntion: sum, windows: [1h]"),
        &["an aggregation of view `v` has no field `fucntion` (did you mean `function`?)"],
    );
}

#[test]
fn a_service_takes_features_of_aggregations_by_name() {
    let service = |feature: &str| {
        format!(
            "{}---\nkind: feature_service\nname: m\nfeatures: [{{ view: v, features: [{feature}] }}]\n",
            one("column: f, function: sum, windows: [1h, 1d]")
        )
    };
    assert!(with(&service("f_sum_1d")).is_ok());
    expect(
        &service("f_sum_2d"),
        &["view `v` has no feature `f_sum_2d` (did you mean `f_sum_1d`?)"],
    );
}
