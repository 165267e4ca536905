//! What definitions get wrong about each other: one rule, one test.

use super::files::{GOOD, SETTINGS, entity, expect, read_files, same, service, source, sql, view};

#[test]
fn known_at_needs_a_source_with_created_times() {
    expect(
        &view("point_in_time: known_at"),
        &["new.yaml:6:16: `point_in_time: known_at` needs to know when a row became known"],
    );
}

#[test]
fn two_definitions_of_one_name_are_refused_and_the_second_says_where_the_first_is() {
    expect(
        &entity("").replace("name: e", "name: plane"),
        &["new.yaml:2:7: entity `plane` is defined twice (the first is at good.yaml:2:7)"],
    );
    expect(
        &entity("").replace("name: e", "name: Plane"),
        &["entity `Plane` and entity `plane` differ only in letter case"],
    );
}

#[test]
fn a_source_and_a_view_may_have_one_name() {
    expect(&view("").replace("name: v", "name: planes"), &[]);
}

#[test]
fn two_features_of_a_view_differ_in_more_than_letter_case() {
    let twice = view("").replace("}]", "}, { name: F, type: int64 }]");
    expect(
        &twice,
        &["new.yaml:5:44: view `v` has two features `F` (the first is at new.yaml:5:18)"],
    );
}

#[test]
fn two_join_keys_of_an_entity_differ_in_more_than_letter_case() {
    let twice = entity("").replace("}]", "}, { name: K, type: int64 }]");
    expect(&twice, &["entity `e` has two join keys `K`"]);
}

#[test]
fn a_feature_has_neither_the_name_of_a_join_key_nor_of_a_time_column() {
    expect(
        &view("").replace("name: f", "name: Tailnum"),
        &["feature `Tailnum` has the name of a join key of entity `plane`"],
    );
    let of_time = format!(
        "{}---\n{}",
        source("format: json\npath: x"),
        view("")
            .replace("source: planes", "source: s")
            .replace("name: f", "name: t")
    );
    expect(
        &of_time,
        &["feature `t` has the name of the `timestamp_field` of source `s`"],
    );
    expect(
        &view("").replace("name: f", "name: event_timestamp"),
        &["every offline table has already"],
    );
}

#[test]
fn two_entities_of_a_view_do_not_share_a_join_key() {
    let definitions = format!(
        "{}---\n{}",
        entity("").replace("name: k", "name: dest"),
        view("").replace("[plane]", "[route, e]")
    );
    expect(
        &definitions,
        &[
            "new.yaml:8:19: join key `dest` of entity `e` has the name of a join key of entity `route`",
        ],
    );
    expect(
        &view("").replace("[plane]", "[plane, plane]"),
        &["view `v` has entity `plane` twice"],
    );
}

#[test]
fn unknown_entities_sources_views_and_features_are_refused_with_the_nearest_ones() {
    expect(
        &view("").replace("[plane]", "[plan]"),
        &["new.yaml:3:12: there is no entity `plan` (did you mean `plane`?)"],
    );
    expect(
        &view("").replace("source: planes", "source: plans"),
        &["new.yaml:4:9: there is no source `plans` (did you mean `planes`?)"],
    );
    expect(
        &service("[plane_atributes]"),
        &["new.yaml:3:12: there is no view `plane_atributes` (did you mean `plane_attributes`?)"],
    );
    expect(
        &service("[plane_attributes: [yaer]]"),
        &["new.yaml:3:31: view `plane_attributes` has no feature `yaer` (did you mean `year`?)"],
    );
}

#[test]
fn a_file_that_cannot_be_read_to_its_end_makes_no_reference_unknown() {
    let found = read_files(&[
        ("feature_store.yaml", SETTINGS),
        ("bad.yaml", "kind: entity\nname: [\n"),
        (
            "good.yaml",
            &GOOD.replace("entities: [plane]", "entities: [other]"),
        ),
    ]);
    let found: Vec<String> = found.unwrap_err().iter().map(ToString::to_string).collect();
    same(&found, &["bad.yaml:3:1: this is not YAML"]);
}

#[test]
fn a_join_key_map_names_keys_of_the_view() {
    expect(
        &service("[{ view: plane_attributes, join_keys: { tail: other } }]"),
        &["new.yaml:3:51: view `plane_attributes` has no join key `tail`"],
    );
    expect(
        &service("[{ view: plane_attributes, join_keys: { tailnum: other } }]"),
        &[],
    );
}

#[test]
fn two_views_of_a_service_have_two_labels() {
    expect(
        &service("[plane_attributes, { view: plane_attributes, features: [year] }]"),
        &["new.yaml:3:38: service `m` has two views called `plane_attributes`"],
    );
    expect(
        &service("[plane_attributes, { view: plane_attributes, as: other }]"),
        &[],
    );
}

#[test]
fn a_feature_is_taken_once() {
    expect(
        &service("[plane_attributes: [year, year]]"),
        &["new.yaml:3:37: service `m` takes `plane_attributes:year` twice"],
    );
}

#[test]
fn one_column_of_a_service_cannot_hold_keys_of_two_types() {
    let definitions = format!(
        "{}---\n{}---\n{}",
        entity(""),
        view("").replace("[plane]", "[e]"),
        service("[plane_attributes, { view: v, join_keys: { k: tailnum } }]")
    );
    expect(
        &definitions,
        &["service `m` cannot be answered: the key column `tailnum` would have to be string"],
    );
}

#[test]
fn a_feature_of_a_view_is_not_written_with_a_colon() {
    expect(
        &service("[\"plane_attributes:year\"]"),
        &["`plane_attributes:year` is not the name of a view (write `plane_attributes: [year]`)"],
    );
    expect(
        &service("[veiw: planes]"),
        &["after `veiw:` comes a list of its features"],
    );
}

#[test]
fn sql_sources_in_a_circle_are_refused_and_the_circle_is_named() {
    let circle = sql("a", "SELECT * FROM b")
        + &sql("b", "SELECT * FROM C")
        + &sql("c", "SELECT * FROM x, a");
    expect(
        &circle,
        &["new.yaml:4:8: sql sources select from each other in a circle: a -> b -> c -> a"],
    );
    expect(&sql("a", "SELECT * FROM a"), &["in a circle: a -> a"]);
}

#[test]
fn sql_sources_that_share_a_source_are_no_circle() {
    let diamond = sql("a", "SELECT * FROM b, c")
        + &sql("b", "SELECT * FROM d")
        + &sql("c", "SELECT * FROM d")
        + &sql("d", "SELECT * FROM planes");
    expect(&diamond, &[]);
}
