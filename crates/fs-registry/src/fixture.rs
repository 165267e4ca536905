//! Small catalogs for the tests of this crate.

use fs_core::{
    Aggregation, Catalog, EventTime, Feature, FeatureView, ServiceName, Window, Windows,
};
use serde_json::{Value, json};

/// Two views and a service of the flights.
pub(crate) fn flights() -> Catalog {
    catalog(json!({
        "project": "flights",
        "entities": {
            "airport": { "name": "airport", "join_keys": [{ "name": "origin", "type": "string" }] },
            "plane": { "name": "plane", "join_keys": [{ "name": "tailnum", "type": "string" }] }
        },
        "sources": {
            "planes": file_source("planes", &json!("parquet")),
            "weather": file_source("weather", &json!("parquet"))
        },
        "feature_views": {
            "plane_attributes": view("plane_attributes", "plane", "planes", &[
                ("year", "int32"), ("seats", "int64"),
            ]),
            "origin_weather": view("origin_weather", "airport", "weather", &[
                ("temp", "float64"), ("wind_speed", "float64"),
            ])
        },
        "feature_services": {
            "delay_model": { "name": "delay_model", "features": [
                { "view": "plane_attributes", "features": "all" },
                { "view": "origin_weather", "features": { "only": ["temp"] } },
                {
                    "view": "origin_weather", "as": "dest_weather",
                    "join_keys": { "origin": "dest" }, "features": { "only": ["temp", "wind_speed"] }
                }
            ] }
        }
    }))
}

/// A catalog that uses every field and every variant that there is.
pub(crate) fn everything() -> Catalog {
    let meta = json!({
        "description": "A directed airport pair", "owner": "ops@example.org",
        "tags": { "domain": "flights" }
    });
    let types = [
        "bool",
        "int32",
        "int64",
        "float32",
        "float64",
        "string",
        "bytes",
        "timestamp",
    ];
    let mut schema: Vec<Value> = Vec::new();
    for name in types {
        schema.push(json!({ "name": format!("{name}_one"), "type": name }));
        schema.push(json!({ "name": format!("{name}_many"), "type": format!("array<{name}>") }));
    }
    schema[0]["description"] = json!("Whether it rains");
    let keys = ["bool", "int32", "int64", "string", "bytes", "timestamp"]
        .map(|name| json!({ "name": format!("{name}_key"), "type": name }));
    let mut full = view("full", "route", "weather", &[]);
    full["schema"] = json!(schema);
    full["ttl"] = json!("1d3h");
    full["delay"] = json!("15m");
    full["point_in_time"] = json!("known_at");
    full["query"] = json!("SELECT *\nFROM weather");
    full["schedule"] = json!("*/15 * * * *");
    full["online"] = json!(false);
    full["meta"] = meta.clone();
    let mut global = view("global", "route", "merged", &[("n", "int64")]);
    global["entities"] = json!([]);
    global["ttl"] = json!(null);
    let mut weather = file_source("weather", &json!("parquet"));
    weather["created_timestamp_column"] = json!("created_at");
    weather["field_mapping"] = json!({ "wspd": "wind_speed" });
    weather["lateness"] = json!("2h");
    weather["meta"] = meta.clone();
    let other_source = |name: &str, kind: Value| json!({ "name": name, "kind": kind, "timestamp_field": "event_timestamp" });
    catalog(json!({
        "project": "flights",
        "entities": { "route": { "name": "route", "join_keys": keys, "meta": meta } },
        "sources": {
            "weather": weather,
            "planes": file_source("planes", &json!({ "csv": { "delimiter": ";" } })),
            "events": file_source("events", &json!("json")),
            "lake": other_source("lake", json!({ "format": "delta", "path": "s3://lake/events" })),
            "merged": other_source("merged", json!({ "format": "sql", "query": "SELECT * FROM lake" }))
        },
        "feature_views": { "full": full, "global": global },
        "feature_services": {
            "model_v1": { "name": "model_v1", "meta": meta, "features": [
                { "view": "global" },
                {
                    "view": "full", "as": "other", "join_keys": { "string_key": "dest" },
                    "features": { "only": ["string_one", "bool_many"] }
                }
            ] }
        }
    }))
}

/// `flights` with every kind of expectation and of literal, and a freshness objective.
pub(crate) fn expected() -> Catalog {
    let mut catalog = flights();
    let weather = view_of(&mut catalog, "origin_weather");
    weather.freshness = Some("2h".parse().unwrap());
    let limits = |literal: Value| json!({ "expect": "between", "column": "temp", "min": literal });
    let expectations = [
        (
            "key",
            json!({ "expect": "not_null", "column": "origin" }),
            "fail",
        ),
        (
            "cold",
            json!({
                "expect": "between", "column": "temp",
                "min": { "float": "-80.1" }, "max": { "float": "140" }
            }),
            "quarantine",
        ),
        ("int", limits(json!({ "int": -3 })), "fail"),
        (
            "time",
            limits(json!({ "timestamp": at(0).as_micros() })),
            "fail",
        ),
        (
            "set",
            json!({
                "expect": "in_set", "column": "origin",
                "values": [{ "string": "JFK" }, { "bool": true }]
            }),
            "fail",
        ),
        ("unique", json!({ "expect": "unique" }), "fail"),
        (
            "few",
            json!({ "expect": "row_count", "min": 1, "max": 100_000 }),
            "warn",
        ),
        (
            "sparse",
            json!({ "expect": "null_fraction", "column": "temp", "max": "0.05" }),
            "warn",
        ),
        ("old", json!({ "expect": "max_age", "max": "2d" }), "fail"),
        (
            "wind",
            json!({ "expect": "sql", "predicate": "wind_speed >= 0" }),
            "fail",
        ),
    ];
    weather.expectations = expectations
        .map(|(name, check, on_failure)| {
            let expectation = json!({ "name": name, "check": check, "on_failure": on_failure });
            serde_json::from_value(expectation).unwrap()
        })
        .into();
    catalog
}

/// `flights` with windows: every function, a filter, several windows, and a service that reads some.
pub(crate) fn windowed() -> Catalog {
    let mut catalog = flights();
    let column = |name: &str| (name != "*").then(|| name.parse().unwrap());
    let aggregation = |name: &str, function: Value, windows: &[&str]| {
        let windows: Vec<Window> = windows.iter().map(|text| text.parse().unwrap()).collect();
        let function = serde_json::from_value(function).unwrap();
        Aggregation::new(column(name), function, &windows).unwrap()
    };
    let mut aggregations = vec![
        aggregation("arr_delay", json!("avg"), &["1h", "1d"]),
        aggregation("*", json!("count"), &["1h", "lifetime"]),
    ];
    aggregations[0].filter = Some("NOT diverted".to_owned());
    aggregations[0].description = Some("How late on average".to_owned());
    let others = [
        json!("sum"),
        json!("min"),
        json!("max"),
        json!("stddev_samp"),
        json!("stddev_pop"),
        json!("var_samp"),
        json!("var_pop"),
        json!("first"),
        json!("last"),
        json!({ "last_n": { "n": 3 } }),
        json!({ "first_n": { "n": 1000 } }),
        json!("count_distinct"),
        json!("approx_count_distinct"),
        json!({ "approx_percentile": { "p": "0.95" } }),
        json!({ "top_k": { "k": 5 } }),
    ];
    aggregations.extend(others.map(|function| aggregation("arr_delay", function, &["7d"])));
    let input = |name: &str, data_type: &str| Feature {
        name: name.parse().unwrap(),
        data_type: data_type.parse().unwrap(),
        description: None,
    };
    let windows = Windows {
        inputs: vec![input("arr_delay", "float64"), input("diverted", "bool")],
        aggregations,
    };
    let mut delays = flights().feature_views["plane_attributes"].clone();
    delays.name = "plane_delays".parse().unwrap();
    delays.ttl = None;
    delays.schema = windows.schema().unwrap();
    delays.windows = Some(windows);
    catalog.feature_views.insert(delays.name.clone(), delays);
    let late = json!({ "name": "late_model", "features": [
        { "view": "plane_delays", "features": { "only": ["arr_delay_avg_1h", "count_1h"] } }
    ] });
    let late: fs_core::FeatureService = serde_json::from_value(late).unwrap();
    catalog.feature_services.insert(late.name.clone(), late);
    catalog
}

/// `flights` with another TTL on every view: a change that hurts nobody.
pub(crate) fn flights_with_ttl(ttl: &str) -> Catalog {
    let mut catalog = flights();
    for view in catalog.feature_views.values_mut() {
        view.ttl = fs_core::Ttl::new(ttl.parse().unwrap());
    }
    catalog
}

pub(crate) fn view_of<'a>(catalog: &'a mut Catalog, name: &str) -> &'a mut FeatureView {
    catalog.feature_views.get_mut(name).unwrap()
}

pub(crate) fn service_of<'a>(
    catalog: &'a mut Catalog,
    name: &str,
) -> &'a mut fs_core::FeatureService {
    let name: ServiceName = name.parse().unwrap();
    catalog.feature_services.get_mut(&name).unwrap()
}

/// Midnight of 1 April 2013, `seconds` later.
pub(crate) fn at(seconds: i64) -> EventTime {
    let midnight: EventTime = "2013-04-01".parse().unwrap();
    EventTime::from_micros(midnight.as_micros() + seconds * 1_000_000)
}

fn catalog(json: Value) -> Catalog {
    serde_json::from_value(json).unwrap()
}

fn file_source(name: &str, file_format: &Value) -> Value {
    json!({
        "name": name,
        "kind": { "format": "files", "file_format": file_format, "path": format!("data/{name}") },
        "timestamp_field": "event_timestamp"
    })
}

fn view(name: &str, entity: &str, source: &str, features: &[(&str, &str)]) -> Value {
    let schema: Vec<Value> = features
        .iter()
        .map(|(name, data_type)| json!({ "name": name, "type": data_type }))
        .collect();
    json!({
        "name": name, "entities": [entity], "source": source, "ttl": "3h", "schema": schema,
        "online": true
    })
}
