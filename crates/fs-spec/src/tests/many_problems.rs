//! What people read when a repo has many problems.

use super::files::{rendered, with};
use crate::{Problem, Style, render};

const SETTINGS: &str = "\
project: my-flights
registry: { pth: .fs/registry }
offline_store: { path: \"ftp://host/x\" }
online_store: { type: reddis, url: x }
engine: { type: ballista, url: \"df://host:50050\" }
";

const DEFINITIONS: &str = r#"
kind: entity
name: route
join_keys: [{ name: origin, type: string }, { name: dest, type: float64 }]
---
kind: entity
name: plane
joinkeys: [{ name: tailnum, type: string }]
---
kind: source
name: weather
format: parquett
path: data/weather.parquet
timestamp_field: event_timestamp
---
kind: source
name: orders
format: kafka
timestamp_field: t
---
kind: source
name: a
format: sql
query: |
  SELECT * FROM b -- not c
timestamp_field: t
---
kind: source
name: b
format: sql
query: SELECT * FROM a JOIN weather USING (origin)
timestamp_field: t
---
kind: feature_view
name: origin_weather
entities: [rout]
source: wether
ttl: 3 bananas
point_in_time: knownat
schema:
  - { name: temp, type: flaot64, desc: "Air temperature" }
  - { name: wind speed, type: float64 }
  - { type: int32 }
schedule: "*/15 * * *"
online: yes
online: true
---
kind: feature_view
name: carrier_delays
entities: [route]
source: weather
aggregations:
  - { column: arr_delay, function: mean, windows: [1h] }
  - { column: "*", function: sum, windows: [0s, 1h] }
---
kind: on_demand_feature_view
name: wind_load
---
kind: featureservice
name: typo
"#;

const SERVICES: &str = r"
kind: feature_service
name: model
owner: ${OWNER}
features:
  - origin_wether
  - wind_load
  - origin_weather:temp
  - { view: carrier_delays, as: 9lives, join_key: { origin: dest } }
---
kind: entity
name: route
join_keys: [{ name: x, type: int32 }]
---
kind: entity
name: [broken
";

#[test]
fn every_problem_of_every_file_is_shown_in_one_run() {
    insta::assert_snapshot!(rendered(&[
        ("feature_store.yaml", SETTINGS),
        ("definitions.yaml", DEFINITIONS),
        ("services/models.yaml", SERVICES),
    ]));
}

fn one_problem() -> Vec<Problem> {
    with("kind: entity\nname: e\njoin_keys: [{ name: k, type: int64 }]\ndescripton: é ü\n")
        .unwrap_err()
}

#[test]
fn colours_are_added_for_terminals() {
    let plain = render(&one_problem(), Style::Plain);
    let colored = render(&one_problem(), Style::Colored);
    assert!(!plain.contains('\u{1b}') && colored.contains('\u{1b}'));
    assert!(plain.ends_with("1 problem in 1 file\n"), "{plain}");
}

#[test]
fn programs_get_the_same_as_json() {
    let json = serde_json::to_value(one_problem()).unwrap();
    let expected = serde_json::json!([{
        "file": "new.yaml",
        "line": 4,
        "column": 1,
        "end_column": 11,
        "message": "entity `e` has no field `descripton`",
        "help": "did you mean `description`?",
    }]);
    assert_eq!(json, expected);
}

#[test]
fn the_caret_stands_below_characters_and_not_below_bytes() {
    let definitions =
        "kind: entity\nname: e\njoin_keys: [{ name: k, type: int64 }]\ntags: { é: x, ü: [1] }\n";
    let text = render(&with(definitions).unwrap_err(), Style::Plain);
    insta::assert_snapshot!(text);
}
