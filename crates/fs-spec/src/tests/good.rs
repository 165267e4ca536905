//! Repos without problems.

mod definitions;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs_core::{Catalog, Location, Meta};

use self::definitions::{entity, service, sources, views};
use super::files::{SETTINGS, read_files, with};
use crate::{OnlineStoreSettings, Place, RedisSettings, Settings};

const DEFINITIONS: &str = r#"
kind: entity
name: route
join_keys: [{ name: origin, type: string }, { name: dest, type: string }]
description: A directed airport pair
owner: ops@example.org
tags: { domain: flights }
---
kind: entity
name: origin_airport
join_keys: [{ name: origin, type: string }]
---
kind: source
name: weather
format: parquet                       # parquet | csv | json | delta | sql
path: data/weather.parquet            # file, folder, glob or URL
timestamp_field: event_timestamp
created_timestamp_column: created_timestamp   # optional
field_mapping: { wspd: wind_speed }           # optional, source column: name
lateness: 6h
---
kind: source
name: airports
format: csv
path: data/*.csv
delimiter: ";"
timestamp_field: seen
---
kind: source
name: stormy
format: sql
query: SELECT * FROM weather WHERE wind_speed > 40
timestamp_field: event_timestamp
---
kind: feature_view
name: origin_weather
entities: [origin_airport]
source: weather
ttl: 3h                               # 90s, 15m, 3h, 7d; absent: no limit
delay: 5m
point_in_time: known_at               # or event_time
schema:
  - { name: temp, type: float64, description: "Air temperature, degrees F" }
  - { name: wind_speed, type: float64 }
query: null                           # optional SQL over the source, evaluated by DataFusion
schedule: "*/15 * * * *"              # optional cron, UTC
freshness: 2h                         # optional
expectations:                         # optional
  - { expect: not_null, column: origin }
  - { expect: between, column: temp, min: -80, max: 140.5, on_failure: quarantine }
  - { expect: in_set, column: origin, values: [JFK, "", "1"] }
  - { expect: unique }
  - { expect: row_count, min: 1000 }
  - { expect: null_fraction, column: temp, max: 0.05, on_failure: warn }
  - { expect: max_age, max: 2d }
  - { expect: sql, predicate: "wind_speed >= 0", name: wind_is_positive }
online: true
---
kind: feature_view
name: storms
entities: []
source: stormy
ttl: 0
schema: [{ name: gusts, type: array<float64> }]
query: |
  SELECT event_timestamp, gusts FROM stormy
online: false
---
kind: feature_service
name: delay_model_v1
features:
  - storms                                            # the whole view
  - origin_weather: [wind_speed]                      # some of it
  - { view: origin_weather, as: dest_weather, join_keys: { origin: dest }, features: [temp] }
  - { view: storms, as: all_storms }
"#;

#[test]
fn every_field_of_the_format_ends_up_in_the_catalog() {
    let repo = read_files(&[("feature_store.yaml", SETTINGS), ("a.yaml", DEFINITIONS)]).unwrap();
    let meta = Meta {
        description: Some("A directed airport pair".to_owned()),
        owner: Some("ops@example.org".to_owned()),
        tags: BTreeMap::from([("domain".to_owned(), "flights".to_owned())]),
    };
    let entities = [
        entity("route", &["origin", "dest"], meta),
        entity("origin_airport", &["origin"], Meta::default()),
    ];
    let mut expected = Catalog::empty("flights".parse().unwrap());
    expected.entities = entities.map(|entity| (entity.name.clone(), entity)).into();
    expected.sources = sources().map(|source| (source.name.clone(), source)).into();
    expected.feature_views = views().map(|view| (view.name.clone(), view)).into();
    expected.feature_services = [(service().name, service())].into();
    assert_eq!(repo.catalog, expected);
}

#[test]
fn relative_paths_of_the_settings_are_below_the_root() {
    let settings = "\
project: flights
registry: { path: s3://bucket/registry }
offline_store: { path: ../offline }
online_store: { type: embedded, path: .fs/online }
engine: { type: local, memory_limit: 2GiB }
";
    let repo = read_files(&[("feature_store.yaml", settings)]).unwrap();
    let root = Path::new("/repo");
    let expected = Settings {
        project: "flights".parse().unwrap(),
        registry: Location::parse(root, "s3://bucket/registry").unwrap(),
        offline_store: Location::parse(root, "../offline").unwrap(),
        online_store: OnlineStoreSettings::Embedded {
            path: PathBuf::from("/repo/.fs/online"),
        },
        memory_limit: Some(2 << 30),
    };
    assert_eq!(repo.settings, expected);
}

#[test]
fn a_redis_store_has_a_url_that_may_come_from_the_environment() {
    let settings = SETTINGS.replace(
        "{ type: embedded, path: .fs/online }",
        "{ type: redis, url: \"${REDIS:-redis://127.0.0.1:6379}\" }",
    );
    let repo = read_files(&[("feature_store.yaml", &settings)]).unwrap();
    let url = "redis://127.0.0.1:6379".to_owned();
    assert_eq!(
        repo.settings.online_store,
        OnlineStoreSettings::Redis(RedisSettings {
            url,
            ..RedisSettings::default()
        })
    );
}

#[test]
fn a_redis_store_says_how_it_is_reached_and_used() {
    let settings = SETTINGS.replace(
        "{ type: embedded, path: .fs/online }",
        "
  type: redis
  url: rediss://me:secret@a:7000,b:7001
  cluster: true
  tls: { ca_file: certs/ca.pem, cert_file: certs/me.pem, key_file: /etc/me.key }
  connections: 4
  connect_timeout: 250ms
  read_timeout: 1s500ms
  write_timeout: 1m
  expiry: false",
    );
    let repo = read_files(&[("feature_store.yaml", &settings)]).unwrap();
    let expected = RedisSettings {
        url: "rediss://me:secret@a:7000,b:7001".to_owned(),
        cluster: true,
        ca_file: Some(PathBuf::from("/repo/certs/ca.pem")),
        client: Some((
            PathBuf::from("/repo/certs/me.pem"),
            PathBuf::from("/etc/me.key"),
        )),
        connections: Some(4),
        connect_timeout: Some(Duration::from_millis(250)),
        read_timeout: Some(Duration::from_millis(1_500)),
        write_timeout: Some(Duration::from_mins(1)),
        expiry: Some(false),
    };
    assert!(!format!("{:?}", repo.settings).contains("secret"));
    assert_eq!(
        repo.settings.online_store,
        OnlineStoreSettings::Redis(expected)
    );
}

#[test]
fn a_value_from_the_environment_is_text_and_never_yaml() {
    let repo =
        with("kind: entity\nname: e\njoin_keys: [{ name: k, type: int64 }]\nowner: ${YAML}\n");
    let catalog = repo.unwrap().catalog;
    assert_eq!(catalog.entities["e"].meta.owner.as_deref(), Some("[a, b]"));
}

#[test]
fn an_alias_stands_for_what_its_anchor_holds() {
    let repo = with(
        "kind: entity\nname: e\njoin_keys: &keys [{ name: k, type: int64 }]\n---\n\
         kind: entity\nname: f\njoin_keys: &own [{ name: l, type: int64 }]\ntags: {a: &t x, b: *t}\n",
    );
    let tags = &repo.unwrap().catalog.entities["f"].meta.tags;
    assert_eq!(tags["b"], "x");
}

#[test]
fn every_place_has_a_position_and_falls_back_to_what_it_belongs_to() {
    let repo = read_files(&[("feature_store.yaml", SETTINGS), ("a.yaml", DEFINITIONS)]).unwrap();
    let at = |place: Place| repo.positions.get(&place).to_string();
    let view = || "origin_weather".parse().unwrap();
    assert_eq!(
        at(Place::SourcePath("weather".parse().unwrap())),
        "a.yaml:16:7"
    );
    assert_eq!(
        at(Place::ViewFeature(view(), "temp".parse().unwrap())),
        "a.yaml:43:13"
    );
    assert_eq!(
        at(Place::ViewFeatureType(view(), "temp".parse().unwrap())),
        "a.yaml:43:25"
    );
    assert_eq!(at(Place::ViewQuery(view())), "a.yaml:36:7");
    let expectation = |name: &str| Place::ViewExpectation(view(), name.to_owned());
    assert_eq!(at(expectation("between_temp")), "a.yaml:50:15");
    assert_eq!(at(expectation("gone")), "a.yaml:36:7");
    assert_eq!(at(Place::OfflineStore), "feature_store.yaml:3:24");
    assert_eq!(at(Place::Settings), "feature_store.yaml:1:1");
    let place = Place::SourcePath("weather".parse().unwrap());
    let problem = repo.problem_at(&place, "there is no such file", None);
    assert_eq!(problem.to_string(), "a.yaml:16:7: there is no such file");
}

#[test]
fn a_folder_is_read_without_its_hidden_parts() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    std::fs::create_dir_all(root.join("views/deep")).unwrap();
    std::fs::create_dir_all(root.join(".fs")).unwrap();
    std::fs::write(root.join("feature_store.yaml"), SETTINGS).unwrap();
    std::fs::write(root.join("views/deep/a.yml"), super::files::GOOD).unwrap();
    std::fs::write(root.join(".fs/junk.yaml"), "not: [a definition").unwrap();
    std::fs::write(root.join("README.md"), "no: [yaml").unwrap();
    let definitions = crate::load(root, &|_| None).unwrap();
    assert_eq!(definitions.catalog().feature_views.len(), 1);
    let repo = definitions.complete(BTreeMap::new()).unwrap();
    assert!(repo.root.is_absolute());
}

#[test]
fn a_folder_without_settings_says_how_to_get_some() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("nowhere");
    for root in [folder.path(), &missing] {
        let error = crate::load(root, &|_| None).unwrap_err().to_string();
        assert!(error.contains("fs init") && error.contains("-C"), "{error}");
    }
}

#[test]
fn settings_can_be_read_while_definitions_are_broken() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("feature_store.yaml"), SETTINGS).unwrap();
    std::fs::write(folder.path().join("broken.yaml"), "kind: [").unwrap();
    let settings = crate::load_settings(folder.path(), &|_| None).unwrap();
    assert_eq!(settings.project.as_str(), "flights");
    assert!(crate::load(folder.path(), &|_| None).is_err());
}

#[test]
fn the_example_repo_has_no_problems() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../feature_repo");
    let definitions = crate::load(&root, &|_| None).unwrap();
    assert!(definitions.catalog().feature_views.len() >= 5);
}
