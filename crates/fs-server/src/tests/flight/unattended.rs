//! Training sets whose rows nobody sends: those of a query, and every key as of an instant.

use fs_core::EventTime;
use fs_training::Record;
use serde_json::json;

use super::*;

/// An exchange of a command alone.
async fn ask(running: &Running, command: &str) -> Result<RecordBatch, Status> {
    let empty = RecordBatch::new_empty(Arc::new(Schema::empty()));
    exchange(running, command, empty).await
}

fn as_of(at: i64) -> String {
    let at = EventTime::from_micros(at).to_string();
    json!({ "features": ["weather:temp"], "as_of": at }).to_string()
}

#[tokio::test]
async fn every_key_as_of_an_instant_needs_no_rows_and_is_made_again_from_its_record() {
    let running = with_history(Setup::new()).await;
    let set = ask(&running, &as_of(NOW - HOUR)).await.unwrap();
    assert_eq!(temps(&set, "temp"), [Some(70.0)]);
    let fetched = client(&running)
        .do_get(Ticket::new(as_of(NOW - HOUR)))
        .await;
    let fetched: Vec<RecordBatch> = fetched.unwrap().try_collect().await.unwrap();
    assert_eq!(fetched[0], set);

    observe(&running.setup, 20.0).await;
    let record = Record::of_schema(&set.schema()).unwrap().unwrap();
    let command = json!({ "at_versions": record.to_value() }).to_string();
    assert_eq!(ask(&running, &command).await.unwrap(), set);
    let now = ask(&running, &as_of(NOW - HOUR)).await.unwrap();
    assert_eq!(temps(&now, "temp"), [Some(20.0)]);
}

#[tokio::test]
async fn the_rows_of_a_query_are_described_and_fetched_without_an_upload() {
    let running = with_history(Setup::new()).await;
    let sql =
        "SELECT origin, TIMESTAMP '2001-09-09T00:46:40Z' AS event_timestamp FROM views.weather";
    let command = json!({ "features": ["weather:temp"], "spine_sql": sql }).to_string();
    let descriptor = FlightDescriptor::new_cmd(command.clone());
    let info = client(&running).get_flight_info(descriptor).await.unwrap();
    assert_eq!(info.total_records, -1);
    let ticket = info.endpoint[0].ticket.clone().unwrap();
    let set = client(&running).do_get(ticket).await.unwrap();
    let set: Vec<RecordBatch> = set.try_collect().await.unwrap();
    assert_eq!(set[0].num_rows(), 1);
    let record = Record::of_schema(&set[0].schema()).unwrap().unwrap();
    assert_eq!(record.to_value()["spine"]["sql"], sql);
    assert_eq!(ask(&running, &command).await.unwrap(), set[0]);
}

#[tokio::test]
async fn a_command_names_one_spine_and_no_more() {
    let running = with_history(Setup::new()).await;
    let refused = exchange(&running, &as_of(NOW), rows()).await.unwrap_err();
    assert!(refused.message().contains("comes with another"));
    let both = r#"{"feature_service":"model","as_of":"2013-01-01","spine_sql":"SELECT 1"}"#;
    let refused = ask(&running, both).await.unwrap_err();
    assert!(refused.message().contains("names two"), "{refused}");
    let refused = ask(&running, r#"{"feature_service":"model","as_of":"noon"}"#).await;
    assert!(
        refused
            .unwrap_err()
            .message()
            .contains("`as_of` is no instant")
    );
    let refused = ask(&running, r#"{"feature_service":"model"}"#)
        .await
        .unwrap_err();
    assert!(refused.message().contains("no spine came"), "{refused}");
    let sql = r#"{"feature_service":"model","spine_sql":"DROP TABLE weather"}"#;
    let refused = ask(&running, sql).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
}
