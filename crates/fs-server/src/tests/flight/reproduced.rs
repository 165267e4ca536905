//! Training sets that carry their record, are made again from it, and are kept under a name.

use arrow_flight::FlightData;
use fs_core::DatasetName;
use fs_offline::{Dataset, Error as OfflineError};
use fs_training::Record;
use serde_json::{Value, json};

use super::*;

const MODEL: &str = r#"{"feature_service":"model"}"#;

fn record(batch: &RecordBatch) -> Record {
    Record::of_schema(&batch.schema()).unwrap().unwrap()
}

async fn saved(running: &Running, name: &str) -> Result<Dataset, OfflineError> {
    let name: DatasetName = name.parse().unwrap();
    running.setup.offline.show_dataset(&name).await
}

/// The messages of an exchange, as they come.
async fn messages(running: &Running, command: &str) -> Vec<FlightData> {
    let upload = FlightDataEncoderBuilder::new()
        .with_flight_descriptor(Some(FlightDescriptor::new_cmd(command.to_owned())))
        .build(futures::stream::iter([Ok(rows())]));
    let upload = upload.map(Result::unwrap);
    let mut client =
        arrow_flight::flight_service_client::FlightServiceClient::new(running.channel.clone());
    let answer = client.do_exchange(upload).await.unwrap().into_inner();
    answer.try_collect().await.unwrap()
}

#[tokio::test]
async fn the_record_is_in_the_schema_and_beside_the_message_that_brings_it() {
    let running = with_history(Setup::new()).await;
    let set = exchange(&running, MODEL, rows()).await.unwrap();
    let record = record(&set);
    assert_eq!(
        (record.project.as_str(), record.versions.registry),
        ("flights", 1)
    );
    assert_eq!(record.spine_columns, ["origin", "event_timestamp", "label"]);
    let messages = messages(&running, MODEL).await;
    assert_eq!(messages[0].app_metadata, record.to_json());
}

#[tokio::test]
async fn a_set_comes_again_after_other_rows_and_other_definitions() {
    let running = with_history(Setup::new()).await;
    let before = exchange(&running, MODEL, rows()).await.unwrap();
    observe(&running.setup, 20.0).await;
    let mut without = definitions();
    without.feature_services.clear();
    running.setup.apply(&without).await;
    running.reloader.reload().await.unwrap();
    let refused = exchange(&running, MODEL, rows()).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);

    let command = json!({ "at_versions": record(&before).to_value() }).to_string();
    let again = exchange(&running, &command, rows()).await.unwrap();
    assert_eq!(again, before);
    // Other features, at the same versions.
    let temp = r#""features":["weather:temp"]"#;
    let command = format!(r#"{{{temp},"at_versions":{}}}"#, record(&before).to_json());
    let other = exchange(&running, &command, rows()).await.unwrap();
    assert_eq!(temps(&other, "temp"), TEMPS);
}

#[tokio::test]
async fn what_is_fetched_is_what_was_described_whatever_came_in_between() {
    let running = with_history(Setup::new()).await;
    let receipt = upload(&running, rows()).await.unwrap();
    let command = json!({ "feature_service": "model", "spine": receipt["spine"] });
    let descriptor = FlightDescriptor::new_cmd(command.to_string());
    let info = client(&running).get_flight_info(descriptor).await.unwrap();
    observe(&running.setup, 20.0).await;
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    let set = client(&running).do_get(ticket).await.unwrap();
    let batches: Vec<RecordBatch> = set.try_collect().await.unwrap();
    assert_eq!(temps(&batches[0], "temp"), TEMPS);
    assert_eq!(info.app_metadata, record(&batches[0]).to_json());
}

#[tokio::test]
async fn a_record_that_does_not_fit_is_refused_and_says_why() {
    let running = with_history(Setup::new()).await;
    let set = exchange(&running, MODEL, rows()).await.unwrap();
    let good = record(&set).to_value();
    let with = |field: &str, value: Value| {
        let mut record = good.clone();
        record[field] = value;
        json!({ "at_versions": record }).to_string()
    };
    let other = json!({ "weather": { "version": 0, "id": "another" } });
    for (command, code, complaint) in [
        (
            with("project", json!("shop")),
            Code::InvalidArgument,
            "is of project `shop`",
        ),
        (
            with("registry_version", json!(9)),
            Code::NotFound,
            "no version 9",
        ),
        (with("tables", other), Code::NotFound, "made again since"),
        (
            with("tables", json!({})),
            Code::InvalidArgument,
            "`weather` is recorded",
        ),
        (
            with("format", json!(9)),
            Code::InvalidArgument,
            "upgrade fs",
        ),
        (with("colour", json!(1)), Code::InvalidArgument, "colour"),
    ] {
        let refused = exchange(&running, &command, rows()).await.unwrap_err();
        assert_eq!(refused.code(), code, "{}", refused.message());
        assert!(
            refused.message().contains(complaint),
            "{}",
            refused.message()
        );
    }
}

#[tokio::test]
async fn a_set_is_saved_while_it_is_sent_and_a_name_that_is_taken_is_refused_at_once() {
    let running = with_history(Setup::new()).await;
    let command = r#"{"feature_service":"model","save":"late_flights"}"#;
    let set = exchange(&running, command, rows()).await.unwrap();
    let dataset = saved(&running, "late_flights").await.unwrap();
    assert_eq!(
        (dataset.rows, dataset.saved_at),
        (4, Some(EventTime::from_micros(NOW)))
    );
    assert_eq!(dataset.record, Some(record(&set).to_json()));
    let refused = exchange(&running, command, rows()).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("fs datasets drop late_flights"));
    let command = r#"{"feature_service":"model","save":"late flights"}"#;
    let refused = exchange(&running, command, rows()).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn a_set_that_cannot_be_saved_ends_with_the_reason_and_not_as_if_it_were_whole() {
    let running = with_history(Setup::new()).await;
    let command = r#"{"feature_service":"model","save":"late_flights"}"#;
    let odd = rows().columns()[..2].to_vec();
    let of_day = arrow::array::Time64MicrosecondArray::from(vec![1; 4]);
    let odd = RecordBatch::try_from_iter([
        ("origin", Arc::clone(&odd[0])),
        ("event_timestamp", Arc::clone(&odd[1])),
        ("of_day", Arc::new(of_day) as ArrayRef),
    ]);
    let refused = exchange(&running, command, odd.unwrap()).await.unwrap_err();
    assert!(
        refused.message().contains("`of_day`"),
        "{}",
        refused.message()
    );
    let none = saved(&running, "late_flights").await.unwrap_err();
    assert!(matches!(none, OfflineError::NoSuchDataset { .. }), "{none}");
}
