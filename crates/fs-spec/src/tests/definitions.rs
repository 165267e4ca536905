//! What a single definition gets wrong: one rule, one test.

use super::files::{entity, expect, service, source, view};

#[test]
fn an_unknown_field_is_refused_with_the_nearest_one() {
    expect(
        &view("tll: 3h"),
        &["new.yaml:6:1: view `v` has no field `tll` (did you mean `ttl`?)"],
    );
}

#[test]
fn a_missing_field_is_asked_for_with_an_example() {
    expect(
        "kind: entity\nname: e\n",
        &[
            "new.yaml:1:1: entity `e` needs `join_keys` (add `join_keys: [{ name: user_id, type: int64 }]`)",
        ],
    );
}

#[test]
fn a_key_given_twice_is_refused() {
    expect(
        &entity("owner: a\nowner: b"),
        &["new.yaml:5:1: `owner` is given twice (the first is at new.yaml:4:1)"],
    );
}

#[test]
fn what_is_not_yaml_is_refused_at_its_position() {
    expect(
        "kind: entity\nname: [a\n",
        &["new.yaml:3:1: this is not YAML"],
    );
    expect(&entity("owner: !!str x"), &["YAML tags are not supported"]);
    expect("{ a: b }: c", &["new.yaml:1:1: a key must be text"]);
}

#[test]
fn an_unset_variable_is_refused_where_it_stands() {
    expect(
        &entity("description: by ${UNSET}"),
        &["new.yaml:4:17: the environment variable `UNSET` is not set"],
    );
    expect(&entity("owner: ${SET}\ndescription: $${UNSET}"), &[]);
}

#[test]
fn an_unquoted_variable_in_braces_says_that_quotes_help() {
    expect(
        "kind: entity\nname: e\ntags: { a: ${SET} }\n",
        &["put a value that holds `${…}` in quotes"],
    );
}

#[test]
fn a_value_of_the_wrong_kind_is_refused() {
    expect(
        &entity("tags: [a]"),
        &["new.yaml:4:7: `tags` must be a map, and this is a list"],
    );
    expect(
        &entity("owner: { a: b }"),
        &["`owner` must be text, and this is a map"],
    );
    expect(&view("online: yes"), &["`online` must be true or false"]);
    expect("- a\n", &["a definition is a map, and this is a list"]);
}

#[test]
fn a_bad_name_is_refused() {
    expect(
        "kind: entity\nname: my-entity\njoin_keys: [{ name: k, type: int64 }]\n",
        &["new.yaml:2:7: `my-entity` is not a name"],
    );
}

#[test]
fn a_bad_type_is_refused_with_the_nearest_one() {
    expect(
        &view("").replace("int32", "int23"),
        &["new.yaml:5:27: `int23` is not a type (did you mean `int32`?)"],
    );
    expect(
        &entity("").replace("int64", "float64"),
        &["`float64` cannot be the type of a join key"],
    );
}

#[test]
fn three_bananas_are_no_ttl() {
    expect(
        &view("ttl: 3 bananas"),
        &["new.yaml:6:6: `3 bananas` is not a duration"],
    );
    expect(&view("delay: -1h"), &["`-1h` is not a duration"]);
}

#[test]
fn a_bad_schedule_is_refused() {
    expect(
        &view("schedule: \"61 * * * *\""),
        &["61 is not a minute: it goes from 0 to 59"],
    );
    expect(&view("schedule: hourly"), &["write five fields"]);
}

#[test]
fn a_word_that_is_none_is_refused_with_the_nearest_one() {
    expect(
        &source("path: x\nformat: parquett"),
        &["new.yaml:5:9: `parquett` is not a format (did you mean `parquet`?)"],
    );
    expect(
        "kind: entitty\nname: e\n",
        &["`entitty` is not a kind (did you mean `entity`?)"],
    );
    expect("name: e\n", &["this definition has no `kind`"]);
}

#[test]
fn grammar_of_later_versions_is_refused_by_name() {
    let not_yet = "is not supported by this version of fs yet";
    for (definitions, thing) in [
        (view("request: []"), "`request` of view `v`"),
        (
            "kind: on_demand_feature_view\nname: o\n".to_owned(),
            "`kind: on_demand_feature_view`",
        ),
        (source("format: kafka"), "the format `kafka`"),
    ] {
        expect(&definitions, &[&format!("{thing} {not_yet}")]);
    }
}

#[test]
fn what_refers_to_a_definition_of_a_later_kind_is_not_complained_about_twice() {
    let both = format!(
        "{}---\nkind: on_demand_feature_view\nname: o\n",
        service("[o]")
    );
    expect(
        &both,
        &["new.yaml:5:7: `kind: on_demand_feature_view` is not supported"],
    );
}

#[test]
fn an_entity_needs_at_least_one_join_key() {
    expect(
        "kind: entity\nname: e\njoin_keys: []\n",
        &["entity `e` needs at least one join key"],
    );
}

#[test]
fn a_view_needs_at_least_one_feature_and_a_service_at_least_one_view() {
    let empty = view("").replace("{ name: f, type: int32 }", "");
    expect(&empty, &["view `v` needs at least one feature"]);
    expect(&service("[]"), &["service `m` needs at least one view"]);
    expect(
        &service("[{ view: plane_attributes, features: [] }]"),
        &["chooses no feature"],
    );
}

#[test]
fn fields_of_one_format_are_refused_for_another() {
    expect(
        &source("format: sql\npath: x\nquery: SELECT 1"),
        &["so it has no `path`"],
    );
    expect(
        &source("format: json\npath: x\nquery: SELECT 1"),
        &["so it has no `query`"],
    );
    expect(
        &source("format: json\npath: x\ndelimiter: ;"),
        &["so it has no `delimiter`"],
    );
    expect(&source("format: sql"), &["source `s` needs `query`"]);
    expect(&source("format: delta"), &["source `s` needs `path`"]);
}

#[test]
fn a_delimiter_is_one_ascii_character() {
    expect(&source("format: csv\npath: x\ndelimiter: \"\\t\""), &[]);
    expect(
        &source("format: csv\npath: x\ndelimiter: ab"),
        &["must be one ASCII character"],
    );
    expect(
        &source("format: csv\npath: x\ndelimiter: é"),
        &["must be one ASCII character"],
    );
}

#[test]
fn two_columns_cannot_be_mapped_to_one_name() {
    expect(
        &source("format: json\npath: x\nfield_mapping: { a: c, b: c }"),
        &["the columns `a` and `b` would both be called `c`"],
    );
}

#[test]
fn event_and_created_time_are_different_columns() {
    expect(
        &source("format: json\npath: x\ncreated_timestamp_column: t"),
        &["`t` is the `timestamp_field` already"],
    );
}
