//! Training sets over Flight.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, Float64Array, ListArray, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{Float64Type, Schema};
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::{FlightClient, FlightDescriptor, Ticket};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use fs_core::{EventTime, SEQUENCE, TimeRange, ViewName};
use fs_offline::{Replacement, TableSchema};
use futures::{StreamExt, TryStreamExt};
use tonic::{Code, Status};

use super::fixture::{HOUR, NOW, Running, Setup, definitions, spine};

mod reproduced;
mod unattended;

/// A server whose offline table has one row: EWR, 70 degrees, an hour and a half ago.
async fn with_history(setup: Setup) -> Running {
    setup.apply(&definitions()).await;
    observe(&setup, 70.0).await;
    setup.start().await
}

/// Commits that row, with this temperature.
async fn observe(setup: &Setup, temp: f64) {
    let catalog = definitions();
    let view = &catalog.feature_views[&"weather".parse::<ViewName>().unwrap()];
    let schema = TableSchema::of(&catalog, view);
    let fields = schema.columns().fields().iter();
    let fields: Vec<_> = fields
        .filter(|field| field.name() != SEQUENCE)
        .cloned()
        .collect();
    let time = |at: Option<i64>| -> ArrayRef {
        let times = arrow::array::TimestampMicrosecondArray::from(vec![at]);
        Arc::new(times.with_timezone("UTC"))
    };
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec!["EWR"])),
        time(Some(NOW - HOUR * 3 / 2)),
        time(None),
        Arc::new(Float64Array::from(vec![temp])),
        Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>([Some(
            [Some(9.0)],
        )])),
    ];
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    let rows = futures::stream::iter([Ok(batch.clone())]);
    let rows = Box::pin(RecordBatchStreamAdapter::new(batch.schema(), rows));
    let window = TimeRange::until(EventTime::from_micros(NOW));
    setup
        .offline
        .replace_window(&schema, Replacement::of(window, rows))
        .await
        .unwrap();
}

fn client(running: &Running) -> FlightClient {
    FlightClient::new(running.channel.clone())
}

async fn exchange(
    running: &Running,
    command: &str,
    spine: RecordBatch,
) -> Result<RecordBatch, Status> {
    let upload = FlightDataEncoderBuilder::new()
        .with_schema(spine.schema())
        .with_flight_descriptor(Some(FlightDescriptor::new_cmd(command.to_owned())))
        .build(futures::stream::iter([Ok(spine)]));
    let set = client(running).do_exchange(upload).await.map_err(status)?;
    let batches: Vec<RecordBatch> = set.try_collect().await.map_err(status)?;
    Ok(concat_batches(batches[0].schema_ref(), &batches).unwrap())
}

fn status(error: FlightError) -> Status {
    match error {
        FlightError::Tonic(status) => *status,
        other => panic!("{other}"),
    }
}

fn temps(batch: &RecordBatch, name: &str) -> Vec<Option<f64>> {
    let column = batch.column_by_name(name).unwrap();
    column.as_primitive::<Float64Type>().iter().collect()
}

/// Two times at which the row of EWR is there, one at which it is too old, and another airport.
fn rows() -> RecordBatch {
    let early = NOW - HOUR;
    spine(&[("EWR", early), ("EWR", NOW), ("JFK", early), ("EWR", early)])
}

const TEMPS: [Option<f64>; 4] = [Some(70.0), None, None, Some(70.0)];

#[tokio::test]
async fn a_spine_goes_in_and_comes_back_with_features_beside_it() {
    let running = with_history(Setup::new()).await;
    let set = exchange(&running, r#"{"feature_service":"model"}"#, rows())
        .await
        .unwrap();
    assert_eq!(set.num_rows(), 4);
    assert_eq!(set.columns()[..3], rows().columns()[..]);
    assert_eq!(temps(&set, "temp"), TEMPS);

    let full = r#"{"features":["weather:temp"],"full_feature_names":true}"#;
    let set = exchange(&running, full, rows()).await.unwrap();
    assert_eq!(temps(&set, "weather__temp"), TEMPS);
    assert_eq!(set.num_columns(), 4);
}

#[tokio::test]
async fn a_long_spine_comes_back_in_order_and_complete() {
    let running = with_history(Setup::new()).await;
    let long: Vec<(&str, i64)> = (0..50_000).map(|row| ("EWR", NOW - HOUR - row)).collect();
    let set = exchange(&running, r#"{"feature_service":"model"}"#, spine(&long))
        .await
        .unwrap();
    assert_eq!(set.columns()[..3], spine(&long).columns()[..]);
    assert_eq!(temps(&set, "temp"), vec![Some(70.0); 50_000]);
}

#[tokio::test]
async fn an_uploaded_spine_is_described_and_fetched_by_its_ticket() {
    let running = with_history(Setup::new()).await;
    let receipt = upload(&running, rows()).await.unwrap();
    let spine = receipt["spine"].as_str().unwrap();
    let command = format!(r#"{{"feature_service":"model","spine":"{spine}"}}"#);

    let descriptor = FlightDescriptor::new_cmd(command);
    let info = client(&running)
        .get_flight_info(descriptor.clone())
        .await
        .unwrap();
    assert_eq!(info.total_records, 4);
    let schema = info.clone().try_decode_schema().unwrap();
    let record: serde_json::Value = serde_json::from_slice(&info.app_metadata).unwrap();
    assert_eq!(record["registry_version"], 1);
    assert_eq!(
        client(&running).get_schema(descriptor).await.unwrap(),
        schema
    );

    let ticket = info.endpoint[0].ticket.clone().unwrap();
    let set = client(&running).do_get(ticket).await.unwrap();
    let batches: Vec<RecordBatch> = set.try_collect().await.unwrap();
    let names = |schema: &Schema| -> Vec<(String, arrow::datatypes::DataType)> {
        let fields = schema.fields().iter();
        fields
            .map(|field| (field.name().clone(), field.data_type().clone()))
            .collect()
    };
    assert_eq!(names(batches[0].schema_ref()), names(&schema));
    assert_eq!(temps(&batches[0], "temp"), TEMPS);
}

async fn upload(running: &Running, spine: RecordBatch) -> Result<serde_json::Value, Status> {
    let upload = FlightDataEncoderBuilder::new()
        .with_flight_descriptor(Some(FlightDescriptor::new_cmd("{}")))
        .build(futures::stream::iter([Ok(spine)]));
    let mut client = client(running);
    let mut results = client.do_put(upload).await.map_err(status)?;
    let result = results.next().await.unwrap().map_err(status)?;
    Ok(serde_json::from_slice(&result.app_metadata).unwrap())
}

#[tokio::test]
async fn an_upload_that_is_too_old_is_not_found_and_says_what_to_do() {
    let running = with_history(Setup::new()).await;
    let receipt = upload(&running, rows()).await.unwrap();
    let age = running.setup.options.limits.upload_age + Duration::from_secs(1);
    let age = i64::try_from(age.as_micros()).unwrap();
    running.setup.clock.set(EventTime::from_micros(NOW + age));
    let command = format!(
        r#"{{"feature_service":"model","spine":{}}}"#,
        receipt["spine"]
    );
    let refused = client(&running)
        .do_get(Ticket::new(command))
        .await
        .unwrap_err();
    let refused = status(refused);
    assert_eq!(refused.code(), Code::NotFound);
    assert!(
        refused.message().contains("upload it again"),
        "{}",
        refused.message()
    );
}

#[tokio::test]
async fn a_wrong_command_or_spine_is_refused_and_says_what_to_do() {
    let running = with_history(Setup::new()).await;
    for (command, code, complaint) in [
        ("", Code::InvalidArgument, "a training set needs a command"),
        ("model", Code::InvalidArgument, "write JSON such as"),
        (
            "{}",
            Code::InvalidArgument,
            "either `feature_service` or `features`",
        ),
        (
            r#"{"feature_service":"modle"}"#,
            Code::NotFound,
            "did you mean `model`?",
        ),
        (
            r#"{"feature_service":"model","spine":"x"}"#,
            Code::InvalidArgument,
            "comes with another",
        ),
        (
            r#"{"feature_service":"model","timestamp_field":"event_time"}"#,
            Code::InvalidArgument,
            "did you mean `event_timestamp`?",
        ),
    ] {
        let refused = exchange(&running, command, rows()).await.unwrap_err();
        assert_eq!(refused.code(), code, "{command}: {}", refused.message());
        assert!(
            refused.message().contains(complaint),
            "{}",
            refused.message()
        );
    }
    let keyless = rows().project(&[1, 2]).unwrap();
    let refused = exchange(&running, r#"{"feature_service":"model"}"#, keyless)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(
        refused.message().contains("no column `origin`"),
        "{}",
        refused.message()
    );
}

#[tokio::test]
async fn a_view_without_a_history_is_refused_with_the_command_that_makes_one() {
    let setup = Setup::new();
    setup.apply(&definitions()).await;
    let running = setup.start().await;
    let command = r#"{"feature_service":"model"}"#;
    let refused = exchange(&running, command, rows()).await.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(
        refused.message().contains("fs materialize"),
        "{}",
        refused.message()
    );
}

#[tokio::test]
async fn a_spine_over_the_limit_is_refused() {
    let mut setup = Setup::new();
    setup.options.limits.spine_bytes = 100;
    let running = with_history(setup).await;
    let command = r#"{"feature_service":"model"}"#;
    for refused in [
        exchange(&running, command, rows()).await.unwrap_err(),
        upload(&running, rows()).await.unwrap_err(),
    ] {
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert!(
            refused.message().contains("100 bytes"),
            "{}",
            refused.message()
        );
    }
}

#[tokio::test]
async fn training_sets_beyond_the_limit_wait_for_their_turn() {
    let mut setup = Setup::new();
    setup.options.limits.training_sets = 1;
    let running = with_history(setup).await;
    let command = r#"{"feature_service":"model"}"#;
    let both = tokio::join!(
        exchange(&running, command, rows()),
        exchange(&running, command, rows())
    );
    assert_eq!(temps(&both.0.unwrap(), "temp"), TEMPS);
    assert_eq!(temps(&both.1.unwrap(), "temp"), TEMPS);
}

#[tokio::test]
async fn what_is_not_offered_says_what_to_use_instead() {
    let running = with_history(Setup::new()).await;
    let descriptor = FlightDescriptor::new_cmd("{}");
    let refused = client(&running)
        .poll_flight_info(descriptor)
        .await
        .unwrap_err();
    let refused = status(refused);
    assert_eq!(refused.code(), Code::Unimplemented);
    assert!(
        refused.message().contains("use GetFlightInfo"),
        "{}",
        refused.message()
    );
}
