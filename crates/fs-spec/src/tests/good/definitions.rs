//! What the definitions of the good repo say.

use std::collections::BTreeMap;

use fs_core::{
    Check, CsvOptions, DataType, Entity, Expectation, Feature, FeatureService, FeatureView,
    FileFormat, JoinKey, KeyType, Literal, Meta, OnFailure, PointInTime, ScalarType, Selected,
    ServiceEntry, Source, SourceKind, Span, Ttl,
};

fn feature(name: &str, data_type: DataType, description: Option<&str>) -> Feature {
    Feature {
        name: name.parse().unwrap(),
        data_type,
        description: description.map(str::to_owned),
    }
}

pub(super) fn entity(name: &str, keys: &[&str], meta: Meta) -> Entity {
    Entity {
        name: name.parse().unwrap(),
        join_keys: keys
            .iter()
            .map(|key| JoinKey {
                name: key.parse().unwrap(),
                key_type: KeyType::String,
            })
            .collect(),
        meta,
    }
}

fn source(name: &str, kind: SourceKind, timestamp_field: &str) -> Source {
    Source {
        name: name.parse().unwrap(),
        kind,
        timestamp_field: timestamp_field.to_owned(),
        created_timestamp_column: None,
        field_mapping: BTreeMap::new(),
        lateness: Span::ZERO,
        meta: Meta::default(),
    }
}

pub(super) fn sources() -> [Source; 3] {
    let weather = SourceKind::Files {
        file_format: FileFormat::Parquet,
        path: "data/weather.parquet".to_owned(),
    };
    let airports = SourceKind::Files {
        file_format: FileFormat::Csv(CsvOptions { delimiter: ';' }),
        path: "data/*.csv".to_owned(),
    };
    let stormy = SourceKind::Sql {
        query: "SELECT * FROM weather WHERE wind_speed > 40".to_owned(),
    };
    [
        Source {
            created_timestamp_column: Some("created_timestamp".to_owned()),
            field_mapping: BTreeMap::from([("wspd".to_owned(), "wind_speed".to_owned())]),
            lateness: "6h".parse().unwrap(),
            ..source("weather", weather, "event_timestamp")
        },
        source("airports", airports, "seen"),
        source("stormy", stormy, "event_timestamp"),
    ]
}

fn expectations() -> Vec<Expectation> {
    let column = |name: &str| name.to_owned();
    let number = |text: &str| Literal::Float(text.parse().unwrap());
    let checks = [
        Check::NotNull {
            column: column("origin"),
        },
        Check::Between {
            column: column("temp"),
            min: Some(number("-80")),
            max: Some(number("140.5")),
        },
        Check::InSet {
            column: column("origin"),
            values: ["JFK", "", "1"]
                .map(|text| Literal::String(text.to_owned()))
                .into(),
        },
        Check::Unique {},
        Check::RowCount {
            min: Some(1000),
            max: None,
        },
        Check::NullFraction {
            column: column("temp"),
            max: "0.05".parse().unwrap(),
        },
        Check::MaxAge {
            max: "2d".parse().unwrap(),
        },
        Check::Sql {
            predicate: "wind_speed >= 0".to_owned(),
        },
    ];
    let names = [
        ("not_null_origin", OnFailure::Fail),
        ("between_temp", OnFailure::Quarantine),
        ("in_set_origin", OnFailure::Fail),
        ("unique", OnFailure::Fail),
        ("row_count", OnFailure::Fail),
        ("null_fraction_temp", OnFailure::Warn),
        ("max_age", OnFailure::Fail),
        ("wind_is_positive", OnFailure::Fail),
    ];
    checks
        .into_iter()
        .zip(names)
        .map(|(check, (name, on_failure))| Expectation {
            name: name.to_owned(),
            check,
            on_failure,
        })
        .collect()
}

pub(super) fn views() -> [FeatureView; 2] {
    let float = DataType::Scalar(ScalarType::Float64);
    [
        FeatureView {
            name: "origin_weather".parse().unwrap(),
            entities: vec!["origin_airport".parse().unwrap()],
            source: "weather".parse().unwrap(),
            ttl: Ttl::new("3h".parse().unwrap()),
            delay: "5m".parse().unwrap(),
            point_in_time: PointInTime::KnownAt,
            schema: vec![
                feature("temp", float, Some("Air temperature, degrees F")),
                feature("wind_speed", float, None),
            ],
            windows: None,
            query: None,
            schedule: Some("*/15 * * * *".to_owned()),
            freshness: Some("2h".parse().unwrap()),
            expectations: expectations(),
            online: true,
            meta: Meta::default(),
        },
        FeatureView {
            name: "storms".parse().unwrap(),
            entities: vec![],
            source: "stormy".parse().unwrap(),
            ttl: None,
            delay: Span::ZERO,
            point_in_time: PointInTime::EventTime,
            schema: vec![feature("gusts", DataType::Array(ScalarType::Float64), None)],
            windows: None,
            query: Some("SELECT event_timestamp, gusts FROM stormy\n".to_owned()),
            schedule: None,
            freshness: None,
            expectations: Vec::new(),
            online: false,
            meta: Meta::default(),
        },
    ]
}

pub(super) fn service() -> FeatureService {
    let entry = |view: &str, alias: Option<&str>, features: Selected| ServiceEntry {
        view: view.parse().unwrap(),
        alias: alias.map(|alias| alias.parse().unwrap()),
        join_keys: BTreeMap::new(),
        features,
    };
    let only = |feature: &str| Selected::Only(vec![feature.parse().unwrap()]);
    FeatureService {
        name: "delay_model_v1".parse().unwrap(),
        features: vec![
            entry("storms", None, Selected::All),
            entry("origin_weather", None, only("wind_speed")),
            ServiceEntry {
                join_keys: BTreeMap::from([("origin".parse().unwrap(), "dest".to_owned())]),
                ..entry("origin_weather", Some("dest_weather"), only("temp"))
            },
            entry("storms", Some("all_storms"), Selected::All),
        ],
        meta: Meta::default(),
    }
}
