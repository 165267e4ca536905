//! DuckDB makes the same training sets, in its own way, from the files that the rows came from.
//!
//! Rows are compared one by one, and every column of each: see `clients/duckdb_training_set.py`. What
//! the definitions say is said here once more, by hand, in the words of SQL.

use std::fs::read;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use fs_integration::{Online, Repo, duckdb_training_set, write_skewed_events, write_skewed_spine};
use serde_json::{Map, Value, json};

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A view as DuckDB needs to know it.
struct View<'a> {
    label: &'a str,
    /// `SELECT` of its columns from the file `data/NAME.parquet`, and where.
    columns: &'a str,
    file: &'a str,
    condition: &'a str,
    keys: &'a [(&'a str, &'a str)],
    is_created: bool,
    ttl: Option<i64>,
    delay: i64,
    is_known_at: bool,
    features: &'a [&'a str],
}

/// What the others start from: no TTL, no delay, visible from the event time on.
const PLAIN: View<'_> = View {
    label: "",
    columns: "",
    file: "",
    condition: "true",
    keys: &[],
    is_created: true,
    ttl: None,
    delay: 0,
    is_known_at: false,
    features: &[],
};

impl View<'_> {
    fn spec(&self, repo: &Repo) -> Value {
        let file = repo.file(&format!("data/{}.parquet", self.file));
        let times = if self.is_created {
            "event_timestamp, created_timestamp"
        } else {
            "event_timestamp"
        };
        json!({
            "rows": format!(
                "SELECT {}, {times}, file_row_number \
                 FROM read_parquet('{}', file_row_number = true) WHERE {}",
                self.columns,
                file.display(),
                self.condition
            ),
            "keys": self.keys,
            "created": self.is_created,
            "ttl": self.ttl,
            "delay": self.delay,
            "known_at": self.is_known_at,
        })
    }
}

/// The same for all views of a training set, whose columns are called as `name` says.
fn spec(repo: &Repo, views: &[View<'_>], name: impl Fn(&str, &str) -> String) -> Value {
    let mut columns = Vec::new();
    let mut specs = Map::new();
    for view in views {
        specs.insert(view.label.to_owned(), view.spec(repo));
        for feature in view.features {
            columns.push(json!([name(view.label, feature), view.label, feature]));
        }
    }
    json!({ "time": "event_timestamp", "views": specs, "columns": columns })
}

/// Compares, and returns what the views of the training set are like.
fn same_as_duckdb(training_set: &Path, spine: &Path, spec: &Value) -> Result<Value> {
    let told = duckdb_training_set(training_set, spine, spec)?;
    ensure!(
        told["different"] == json!({}),
        "DuckDB finds other values: {told:#}"
    );
    Ok(told)
}

fn get(repo: &Repo, spine: &Path, wanted: &[&str], out: &Path) -> Result<Value> {
    let (spine, out) = (spine.display().to_string(), out.display().to_string());
    let args = ["get-historical-features", "--spine", &spine, "--out", &out];
    repo.json(&[&args[..], wanted].concat())
}

fn flights() -> [View<'static>; 5] {
    let plane = &[("tailnum", "tailnum")];
    let origin = &[("origin", "origin")];
    [
        View {
            label: "plane_attributes",
            columns: "tailnum, year, manufacturer, model, seats, engines",
            file: "planes",
            keys: plane,
            is_created: false,
            features: &["year", "manufacturer", "model", "seats", "engines"],
            ..PLAIN
        },
        View {
            label: "plane_last_arrival",
            columns: "tailnum, arr_delay AS last_arr_delay, dest AS last_dest, \
                      air_time AS last_air_time",
            file: "flight_outcomes",
            keys: plane,
            ttl: Some(2 * DAY),
            features: &["last_arr_delay", "last_dest", "last_air_time"],
            ..PLAIN
        },
        View {
            label: "route_last_arrival",
            columns: "origin, dest, arr_delay AS route_arr_delay, air_time AS route_air_time, \
                      carrier AS route_carrier",
            file: "flight_outcomes",
            keys: &[("origin", "origin"), ("dest", "dest")],
            ttl: Some(7 * DAY),
            features: &["route_arr_delay", "route_air_time", "route_carrier"],
            ..PLAIN
        },
        View {
            label: "origin_weather",
            columns: "origin, temp, wind_speed, wind_gust, precip, visib, pressure",
            file: "weather",
            keys: origin,
            ttl: Some(3 * HOUR),
            is_known_at: true,
            features: &[
                "temp",
                "wind_speed",
                "wind_gust",
                "precip",
                "visib",
                "pressure",
            ],
            ..PLAIN
        },
        View {
            label: "origin_last_heavy_delay",
            columns: "origin, dep_delay AS heavy_dep_delay",
            file: "departures",
            condition: "dep_delay >= 60",
            keys: origin,
            ttl: Some(DAY),
            features: &["heavy_dep_delay"],
            ..PLAIN
        },
    ]
}

#[test]
fn duckdb_makes_the_training_set_of_the_demo_from_the_files_of_the_flights() -> Result<()> {
    let repo = Repo::flights("duckdb", &Online::Embedded)?;
    let repo = repo.materialized("2013-01-01", "2013-04-01")?;
    let views = flights();
    let features = views.iter().flat_map(|view| {
        let of_view = view.features.iter();
        of_view.map(|feature| format!("{}:{feature}", view.label))
    });
    let features = features.collect::<Vec<_>>().join(",");
    let (spine, out) = (
        repo.file("data/label_spine.parquet"),
        repo.file("out.parquet"),
    );
    get(&repo, &spine, &["--features", &features], &out)?;
    let told = same_as_duckdb(
        &out,
        &spine,
        &spec(&repo, &views, |_, name| name.to_owned()),
    )?;
    assert_eq!(
        (&told["rows"], &told["columns"]),
        (&json!(80_776), &json!(11 + 18))
    );
    // The data have what is hard to get right.
    let of = |view: &str, what: &str| told["views"][view][what].as_u64();
    assert!(of("plane_last_arrival", "null_keys") > Some(0));
    assert!(of("plane_last_arrival", "at_their_last_microsecond") > Some(0));
    assert!(of("route_last_arrival", "tied_rows") > Some(0));

    let weather = views
        .into_iter()
        .find(|view| view.label == "origin_weather");
    let weather = View {
        label: "weather",
        features: &["temp", "wind_speed", "precip"],
        ..weather.context("the weather")?
    };
    let service = ["--service", "weather_only", "--full-feature-names"];
    get(&repo, &spine, &service, &out)?;
    same_as_duckdb(&out, &spine, &spec(&repo, &[weather], full))?;
    Ok(())
}

fn full(view: &str, feature: &str) -> String {
    format!("{view}__{feature}")
}

const ENTITIES: &str = "
kind: entity
name: shelf
join_keys: [{ name: store, type: string }, { name: item, type: int64 }]
---
kind: entity
name: item
join_keys: [{ name: item, type: int64 }]
---
kind: source
name: events
format: parquet
path: data/events.parquet
timestamp_field: event_timestamp
created_timestamp_column: created_timestamp
---
kind: feature_service
name: all
features:
  - plain
  - delayed
  - known
  - known_and_delayed
  - by_item
  - { view: known, as: other, join_keys: { store: other_store, item: other_item } }
";

/// The definition of a view of the generated events.
fn definition(view: &View<'_>) -> String {
    let entity = if view.keys.len() == 2 {
        "shelf"
    } else {
        "item"
    };
    let ttl = view.ttl.map(|ttl| format!("ttl: {}m\n", ttl / MINUTE));
    let ttl = ttl.unwrap_or_default();
    let since = if view.is_known_at {
        "known_at"
    } else {
        "event_time"
    };
    format!(
        "---\nkind: feature_view\nname: {}\nentities: [{entity}]\nsource: events\n\
         {ttl}delay: {}m\npoint_in_time: {since}\n\
         schema: [{{ name: n, type: int64 }}, {{ name: x, type: float64 }}, {{ name: s, type: string }}]\n",
        view.label,
        view.delay / MINUTE
    )
}

/// Of the generated views.
const TTL: i64 = 10 * MINUTE;
const DELAY: i64 = 2 * MINUTE;
const SHELF: &[(&str, &str)] = &[("store", "store"), ("item", "item")];
const EVENTS: View<'_> = View {
    columns: "store, item, n, x, s",
    file: "events",
    keys: SHELF,
    features: &["n", "x", "s"],
    ttl: Some(TTL),
    ..PLAIN
};

fn generated() -> [View<'static>; 6] {
    [
        View {
            label: "plain",
            ..EVENTS
        },
        View {
            label: "delayed",
            delay: DELAY,
            ..EVENTS
        },
        View {
            label: "known",
            is_known_at: true,
            ..EVENTS
        },
        View {
            label: "known_and_delayed",
            is_known_at: true,
            delay: DELAY,
            ..EVENTS
        },
        View {
            label: "by_item",
            keys: &[("item", "item")],
            ttl: None,
            ..EVENTS
        },
        // The view `known` by another name, looked up by other columns.
        View {
            label: "other",
            keys: &[("other_store", "store"), ("other_item", "item")],
            is_known_at: true,
            ..EVENTS
        },
    ]
}

#[test]
fn duckdb_agrees_on_skewed_keys_ties_nulls_and_edges_with_little_memory_too() -> Result<()> {
    let repo = Repo::empty("duckdb", &Online::Embedded)?;
    let views = generated();
    let definitions: String = views[..5].iter().map(definition).collect();
    repo.write("definitions.yaml", &format!("{ENTITIES}{definitions}"))?;
    std::fs::create_dir(repo.file("data"))?;
    let rows = 5_000;
    write_skewed_events(&repo.file("data/events.parquet"), rows)?;
    let spine = repo.file("data/spine.parquet");
    write_skewed_spine(&spine, 4_000, rows, &[0, DELAY, TTL])?;
    // Two commits, and so two files.
    repo.apply()?;
    repo.json(&["materialize", "2013-01-01", "2013-01-02"])?;
    repo.json(&["materialize", "2013-01-02", "2013-02-01"])?;

    let out = repo.file("out.parquet");
    let wanted = ["--service", "all", "--full-feature-names"];
    get(&repo, &spine, &wanted, &out)?;
    let told = same_as_duckdb(&out, &spine, &spec(&repo, &views, full))?;
    assert_eq!(
        (&told["rows"], &told["columns"]),
        (&json!(4_000), &json!(6 + 18))
    );
    for view in views.iter().map(|view| view.label) {
        let told = &told["views"][view];
        let at_least = |what: &str, rows: u64| {
            ensure!(
                told[what].as_u64() >= Some(rows),
                "{view} has few {what}: {told}"
            );
            Ok(())
        };
        at_least("matched", 1_000)?;
        at_least("tied_rows", 100)?;
        at_least("null_keys", 100)?;
        at_least("at_their_first_microsecond", 5)?;
        if view != "by_item" {
            at_least("at_their_last_microsecond", 5)?;
        }
    }

    // What does not fit goes to disk, and the file is the same.
    repo.edit("feature_store.yaml", "1GiB", "64KiB")?;
    let little = repo.file("little.parquet");
    let told = get(
        &repo,
        &spine,
        &[&wanted[..], &["--explain"]].concat(),
        &little,
    )?;
    let plan = told["plan"].as_str().context("a plan was asked for")?;
    ensure!(
        plan.contains("joined_on_disk=") && plan.contains("windows="),
        "{plan}"
    );
    ensure!(
        read(&out)? == read(&little)?,
        "little memory gives another training set"
    );
    Ok(())
}
