use std::collections::BTreeMap;

use fs_core::code::report;
use fs_core::{Coded, EventTime};
use fs_offline::TableVersion;

use super::*;

/// What `golden/record_v1.json` holds.
fn golden() -> Record {
    let weather = TableVersion {
        version: 4,
        id: "6f1c9a52-6a6f-4b8e-9d0d-0d3a1f2e4b5c".to_owned(),
    };
    Record {
        fs: "0.1.0".to_owned(),
        project: "flights".parse().unwrap(),
        versions: Versions {
            registry: 3,
            tables: BTreeMap::from([("origin_weather".parse().unwrap(), weather)]),
        },
        query: TrainingQuery {
            request: FeatureRequest::Service("delay_model_v1".parse().unwrap()),
            naming: Naming::Full,
            timestamp_field: Some("departure".to_owned()),
            origin: SpineOrigin::Given,
        },
        features: ["origin_weather:temp", "dest_weather:temp"]
            .map(|feature| feature.parse().unwrap())
            .to_vec(),
        spine_columns: ["origin", "dest", "departure", "late"]
            .map(str::to_owned)
            .to_vec(),
    }
}

#[test]
fn records_of_format_1_are_written_and_read_for_ever() {
    let json = include_str!("../../golden/record_v1.json").trim_end();
    assert_eq!(golden().to_json(), json);
    assert_eq!(Record::parse(json, "a test").unwrap(), golden());
}

#[test]
fn a_record_says_where_rows_came_from_that_nobody_gave() {
    let sql = SpineOrigin::Sql("SELECT 1".to_owned());
    let as_of = SpineOrigin::AsOf(EventTime::from_micros(1));
    for origin in [sql, as_of] {
        let mut record = golden();
        record.query.origin = origin;
        let again = Record::parse(&record.to_json(), "a test").unwrap();
        assert_eq!(again, record);
    }
}

#[test]
fn features_that_were_asked_for_one_by_one_are_the_request() {
    let mut record = golden();
    record.query.request = FeatureRequest::Features(record.features.clone());
    let json = record.to_json();
    assert!(!json.contains("feature_service"), "{json}");
    assert_eq!(Record::parse(&json, "a test").unwrap(), record);
}

#[test]
fn a_record_of_a_newer_fs_is_refused_before_the_rest_is_read() {
    let error = Record::parse(r#"{"format":2,"tables":"elsewhere"}"#, "`x.parquet`").unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("`x.parquet`") && text.contains("upgrade fs"),
        "{text}"
    );
    let error = Record::parse(r#"{"format":1,"tables":"elsewhere"}"#, "`x.parquet`").unwrap_err();
    assert!(report(&error).contains("elsewhere"), "{}", report(&error));
}

#[test]
fn the_record_is_beside_the_metadata_of_the_spine_and_takes_the_place_of_an_older_one() {
    let metadata = [("made", "by hand"), (RECORD, "long ago")];
    let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let spine = Schema::empty().with_metadata(metadata.into());
    let schema = golden().on(&spine);
    assert_eq!(schema.metadata()["made"], "by hand");
    assert_eq!(Record::of_schema(&schema).unwrap(), Some(golden()));
}

#[test]
fn a_record_of_another_project_is_refused() {
    let record = golden();
    record.check_project(&"flights".parse().unwrap()).unwrap();
    let error = record.check_project(&"shop".parse().unwrap()).unwrap_err();
    assert_eq!(error.code(), fs_core::Code::InvalidArgument);
}

#[tokio::test]
async fn a_file_without_a_record_says_what_to_give_instead() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [("set.csv", "user,clicks\n"), ("noise", "\u{0}\u{1}")] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let error = Recorded::open(&path).await.unwrap_err();
        assert!(matches!(error, Error::NoRecord { .. }), "{error}");
    }
    let path = folder.path().join("record.json");
    std::fs::write(&path, golden().to_json()).unwrap();
    let recorded = Recorded::open(&path).await.unwrap();
    assert_eq!(recorded.record, golden());
    let error = recorded.spine().await.unwrap_err().to_string();
    assert!(error.contains("--spine FILE"), "{error}");
}
