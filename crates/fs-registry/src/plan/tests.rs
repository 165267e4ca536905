mod windows;

use std::sync::Arc;

use fs_core::{Catalog, Code, Coded, Selected};
use insta::assert_snapshot;

use super::*;
use crate::fixture::{at, everything, expected, flights, flights_with_ttl, service_of, view_of};

fn version(number: u64, catalog: &Catalog) -> Version {
    Version {
        number,
        applied_at: at(0),
        note: None,
        catalog: Arc::new(catalog.clone()),
    }
}

fn plan(old: &Catalog, new: &Catalog) -> Plan {
    Plan::between(Some(&version(3, old)), new).unwrap()
}

/// The plan of what `edit` does to the flights.
fn plan_of(edit: impl FnOnce(&mut Catalog)) -> Plan {
    let mut new = flights();
    edit(&mut new);
    plan(&flights(), &new)
}

fn feature(name: &str, data_type: &str) -> fs_core::Feature {
    fs_core::Feature {
        name: name.parse().unwrap(),
        data_type: data_type.parse().unwrap(),
        description: None,
    }
}

#[test]
fn the_first_plan_adds_everything() {
    let first = Plan::between(None, &flights()).unwrap();
    assert_eq!(first.base, None);
    assert_eq!(first.next_version(), 1);
    assert_snapshot!(first, @r"
    + entity airport
    + entity plane
    + source planes
    + source weather
    + feature_view origin_weather
    + feature_view plane_attributes
    + feature_service delay_model

    7 to add, 0 to change, 0 to remove
    ");
}

#[test]
fn the_same_definitions_are_nothing_to_do() {
    assert_snapshot!(plan(&flights(), &flights()), @"Nothing to do: version 3 says the same.");
    let nothing = Catalog::empty("flights".parse().unwrap());
    assert_snapshot!(Plan::between(None, &nothing).unwrap(), @"Nothing to do: nothing is defined.");
}

#[test]
fn a_change_is_shown_field_by_field() {
    let changed = plan_of(|catalog| {
        let weather = view_of(catalog, "origin_weather");
        weather.ttl = fs_core::Ttl::new("6h".parse().unwrap());
        weather.query = Some("SELECT *\nFROM weather\nWHERE temp IS NOT NULL".to_owned());
        weather.schema[0].description = Some("Air temperature".to_owned());
        weather.schema.reverse();
        weather.schema.push(feature("humidity", "float64"));
        weather.schema[2].description = Some("Relative humidity".to_owned());
        weather
            .meta
            .tags
            .insert("domain".to_owned(), "weather".to_owned());
        let planes = catalog.sources.get_mut("planes").unwrap();
        planes.lateness = "2h".parse().unwrap();
        catalog.sources.get_mut("weather").unwrap().kind = fs_core::SourceKind::Delta {
            path: "s3://lake/weather".to_owned(),
        };
        let model = service_of(catalog, "delay_model");
        model.features.swap(0, 2);
    });
    assert!(!changed.is_blocked());
    assert_snapshot!(changed, @r"
    ~ source planes
        + lateness: 2h
    ~ source weather
        ~ format: parquet -> delta
        ~ path: data/weather -> s3://lake/weather
    ~ feature_view origin_weather
        + query:
            + SELECT *
            + FROM weather
            + WHERE temp IS NOT NULL
        ~ schema (order): temp, wind_speed -> wind_speed, temp
        + schema.humidity: float64
        + schema.temp.description: Air temperature
        + tags.domain: weather
        ~ ttl: 3h -> 6h
    ~ feature_service delay_model
        ~ features (order): plane_attributes, origin_weather, dest_weather -> dest_weather, origin_weather, plane_attributes

    0 to add, 4 to change, 0 to remove

    To know:
      origin_weather: `humidity` is null in rows that are there already, until `fs materialize --backfill --views origin_weather`
      origin_weather: its query changes; rows that are there already stay as they are until they are materialized again
    ");
}

#[test]
fn changed_expectations_and_freshness_are_shown_one_by_one() {
    let mut new = expected();
    let weather = view_of(&mut new, "origin_weather");
    weather.freshness = Some("1h".parse().unwrap());
    weather
        .expectations
        .retain(|expectation| expectation.name != "few");
    weather.expectations[1].on_failure = fs_core::OnFailure::Warn;
    weather.expectations.swap(2, 3);
    let mut added = weather.expectations[0].clone();
    added.name = "another".to_owned();
    weather.expectations.push(added);
    assert_snapshot!(plan(&expected(), &new), @r"
    ~ feature_view origin_weather
        ~ expectations (order): key, cold, int, time, set, unique, sparse, old, wind -> key, cold, time, int, set, unique, sparse, old, wind
        + expectations.another: not_null origin, or fail
        ~ expectations.cold: between temp min -80.1 max 140, or quarantine -> between temp min -80.1 max 140, or warn
        - expectations.few: row_count min 1 max 100000, or warn
        ~ freshness: 2h -> 1h

    0 to add, 1 to change, 0 to remove
    ");
}

#[test]
fn a_feature_that_a_view_gains_is_to_be_backfilled_if_there_are_rows() {
    let gained = plan_of(|catalog| {
        let weather = view_of(catalog, "origin_weather");
        weather.schema.push(feature("humidity", "float64"));
        weather.schema.push(feature("gust", "float64"));
    });
    assert_snapshot!(gained, @r"
    ~ feature_view origin_weather
        + schema.gust: float64
        + schema.humidity: float64

    0 to add, 1 to change, 0 to remove

    To know:
      origin_weather: `humidity`, `gust` are null in rows that are there already, until `fs materialize --backfill --views origin_weather`
    ");
    let without_rows = gained.with_backfills_where(|view| view.as_str() != "origin_weather");
    assert!(!without_rows.to_string().contains("--backfill"));
}

#[test]
fn who_is_hurt_is_told_with_the_reason() {
    let hurting = plan_of(|catalog| {
        catalog.entities.get_mut("airport").unwrap().join_keys[0].key_type =
            fs_core::KeyType::Int32;
        let weather = view_of(catalog, "origin_weather");
        weather.schema.remove(1);
        let planes = view_of(catalog, "plane_attributes");
        planes.schema[0] = feature("year", "string");
        let mut copy = service_of(catalog, "delay_model").clone();
        copy.name = "delay_model_v2".parse().unwrap();
        catalog.feature_services.insert(copy.name.clone(), copy);
        for name in ["delay_model", "delay_model_v2"] {
            let features = &mut service_of(catalog, name).features;
            features[2].features = Selected::Only(vec!["temp".parse().unwrap()]);
        }
    });
    assert!(hurting.is_blocked());
    assert_snapshot!(hurting, @r"
    ~ entity airport
        ~ join_keys: origin string -> origin int32
    ~ feature_view origin_weather
        - schema.wind_speed: float64
    ~ feature_view plane_attributes
        ~ schema.year: int32 -> string
    ~ feature_service delay_model
        ~ features.dest_weather: temp, wind_speed of origin_weather -> temp of origin_weather
    + feature_service delay_model_v2

    1 to add, 4 to change, 0 to remove

    Services whose callers would lose features:
      delay_model
        plane_attributes:year: type changed int32 -> string
        origin_weather:temp: join key changed (origin string) -> (origin int32)
        dest_weather:temp: join key changed (origin from dest string) -> (origin from dest int32)
        dest_weather:wind_speed: removed
    Feature views whose stored rows cannot follow:
      origin_weather
        join keys change (origin string) -> (origin int32)
      plane_attributes
        feature `year` changes type int32 -> string
      give the changed view a new name and drop the old one when nobody reads it; or force the apply, remove its rows with `fs teardown --views NAME` and materialize it again
    ");
}

#[test]
fn a_removed_view_hurts_those_who_read_it_and_a_removed_service_its_callers() {
    let without_view = plan_of(|catalog| {
        catalog.feature_views.remove("origin_weather");
        service_of(catalog, "delay_model").features.truncate(1);
    });
    assert_snapshot!(without_view, @r"
    - feature_view origin_weather
    ~ feature_service delay_model
        - features.dest_weather: temp, wind_speed of origin_weather
        - features.origin_weather: temp

    0 to add, 1 to change, 1 to remove

    Services whose callers would lose features:
      delay_model
        origin_weather:temp: view removed
        dest_weather:temp: view removed
        dest_weather:wind_speed: view removed
    ");
    let without_service = plan_of(|catalog| catalog.feature_services.clear());
    assert_snapshot!(without_service, @r"
    - feature_service delay_model

    0 to add, 0 to change, 1 to remove

    Services whose callers would lose features:
      delay_model
        plane_attributes:year: service removed
        plane_attributes:seats: service removed
        origin_weather:temp: service removed
        dest_weather:temp: service removed
        dest_weather:wind_speed: service removed
    ");
}

#[test]
fn a_feature_that_leaves_the_service_or_changes_its_view_or_key_column_is_lost() {
    let edited = plan_of(|catalog| {
        let mut other = view_of(catalog, "origin_weather").clone();
        other.name = "forecast".parse().unwrap();
        catalog.feature_views.insert(other.name.clone(), other);
        let features = &mut service_of(catalog, "delay_model").features;
        features[0].features = Selected::Only(vec!["seats".parse().unwrap()]);
        features[1].alias = Some("origin_weather".parse().unwrap());
        features[1].view = "forecast".parse().unwrap();
        features[2]
            .join_keys
            .insert("origin".parse().unwrap(), "target".to_owned());
    });
    assert_snapshot!(edited, @r"
    + feature_view forecast
    ~ feature_service delay_model
        ~ features.dest_weather.join_keys.origin: dest -> target
        ~ features.origin_weather: temp -> temp of forecast
        ~ features.plane_attributes: * -> seats

    1 to add, 1 to change, 0 to remove

    Services whose callers would lose features:
      delay_model
        plane_attributes:year: no longer in the service
        origin_weather:temp: view changed origin_weather -> forecast
        dest_weather:temp: join key changed (origin from dest string) -> (origin from target string)
        dest_weather:wind_speed: join key changed (origin from dest string) -> (origin from target string)

    To know:
      delay_model: its callers have to send `target` as well
    ");
}

#[test]
fn a_view_that_nobody_reads_yet_hurts_nobody_but_its_table_still_cannot_follow() {
    let mut old = flights();
    old.feature_services.clear();
    let mut new = old.clone();
    view_of(&mut new, "plane_attributes").schema[1] = feature("seats", "int32");
    let plan = plan(&old, &new);
    assert!(plan.hurt.is_empty() && plan.is_blocked());
    assert_snapshot!(plan, @r"
    ~ feature_view plane_attributes
        ~ schema.seats: int64 -> int32

    0 to add, 1 to change, 0 to remove

    Feature views whose stored rows cannot follow:
      plane_attributes
        feature `seats` changes type int64 -> int32
      give the changed view a new name and drop the old one when nobody reads it; or force the apply, remove its rows with `fs teardown --views NAME` and materialize it again
    ");
}

#[test]
fn programs_read_the_plan_as_json() {
    let changed = plan_of(|catalog| {
        view_of(catalog, "plane_attributes").schema[0] = feature("year", "string");
        catalog.entities.get_mut("plane").unwrap().meta.owner = Some("ops@example.org".to_owned());
    });
    assert_snapshot!(serde_json::to_string_pretty(&changed).unwrap(), @r#"
    {
      "project": "flights",
      "base": 3,
      "changes": [
        {
          "kind": "entity",
          "name": "plane",
          "action": "changed",
          "fields": [
            {
              "path": "owner",
              "before": null,
              "after": "ops@example.org"
            }
          ]
        },
        {
          "kind": "feature_view",
          "name": "plane_attributes",
          "action": "changed",
          "fields": [
            {
              "path": "schema.year",
              "before": "int32",
              "after": "string"
            }
          ]
        }
      ],
      "hurt": [
        {
          "service": "delay_model",
          "lost": [
            {
              "feature": "plane_attributes:year",
              "reason": "type_changed",
              "before": "int32",
              "after": "string"
            }
          ]
        }
      ],
      "incompatible": [
        {
          "view": "plane_attributes",
          "reasons": [
            "feature `year` changes type int32 -> string"
          ]
        }
      ],
      "backfills": [],
      "notes": []
    }
    "#);
}

#[test]
fn a_service_that_does_not_resolve_is_refused() {
    let mut broken = flights();
    view_of(&mut broken, "origin_weather").schema.remove(0);
    let error = Plan::between(None, &broken).unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    assert_snapshot!(fs_core::code::report(&error), @"feature service `delay_model` cannot be resolved: view `origin_weather` has no feature `temp`");
}

#[test]
fn no_field_changes_unseen() {
    let old = serde_json::to_value(everything()).unwrap();
    let mut seen = 0;
    for pointer in leaves(&old, String::new()) {
        if pointer == "/project" {
            continue;
        }
        for wanted in ["int64", "1h", "other", "known_at"] {
            let mut edited = old.clone();
            let value = edited.pointer_mut(&pointer).unwrap();
            *value = match value {
                serde_json::Value::Bool(it) => serde_json::Value::Bool(!*it),
                _ => wanted.into(),
            };
            let Ok(new) = serde_json::from_value::<Catalog>(edited) else {
                continue;
            };
            // References that lead nowhere are refused, which is seen as well.
            let planned = Plan::between(Some(&version(3, &everything())), &new);
            let same = planned.is_ok_and(|plan| plan.is_empty());
            assert!(
                new == everything() || !same,
                "{pointer} = {wanted} went unseen"
            );
            seen += 1;
        }
    }
    assert!(seen > 100, "only {seen} edits made a catalog");
}

fn leaves(value: &serde_json::Value, at: String) -> Vec<String> {
    match value {
        serde_json::Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| leaves(value, format!("{at}/{name}")))
            .collect(),
        serde_json::Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, value)| leaves(value, format!("{at}/{index}")))
            .collect(),
        _ => vec![at],
    }
}

#[test]
fn a_longer_ttl_hurts_nobody() {
    assert!(!plan(&flights(), &flights_with_ttl("6h")).is_blocked());
}
