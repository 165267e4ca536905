//! `POST /push`, `POST /write-to-online-store`, and their gRPC.

use std::collections::HashMap;

use fs_core::Catalog;
use fs_proto::feast::grpc::grpc_feature_server_client::GrpcFeatureServerClient;
use fs_proto::feast::grpc::{PushRequest, WriteToOnlineStoreRequest};
use fs_proto::feast::types::Value as FeastValue;
use fs_proto::feast::types::value::Val;
use fs_testkit::catalog;
use serde_json::{Value, json};
use tonic::{Code, Request};

use super::fixture::{post, post_bytes, read, refusal};
use crate::tests::fixture::{Running, Setup};

/// A float that is another one when it is read in haste.
const GUST: f64 = 29.920_279_999_999_998;

/// `trips` and `fares` of `user`, from `rides`; `mean` of the same by a query.
fn definitions() -> Catalog {
    let rides = catalog::source("rides")
        .timestamp("at")
        .created("known")
        .mapped("fare_usd", "fare");
    let view = |name: &str| catalog::view(name).entity("user").source("rides");
    catalog::project("flights")
        .entity(catalog::entity("user").key("user", "int64"))
        .source(rides)
        .source(catalog::source("sums"))
        .view(
            view("trips")
                .feature("count", "int64")
                .feature("tags", "array<string>"),
        )
        .view(view("fares").feature("fare", "float64"))
        .view(view("mean").feature("mean", "float64").query("SELECT 1"))
        .view(
            catalog::view("total")
                .entity("user")
                .source("sums")
                .feature("total", "float64")
                .query("SELECT 1"),
        )
        .build()
}

async fn running() -> Running {
    let setup = Setup::new();
    setup.apply(&definitions()).await;
    setup.start().await
}

/// The values of `feature` for users 1 and 2.
async fn values(running: &Running, feature: &str) -> Value {
    let body = json!({ "features": [feature], "entities": { "user": [1, 2] } });
    read(running, &body).await["results"][1]["values"].clone()
}

fn rides(users: &[i64], at: i64) -> Value {
    let rows = users.len();
    json!({
        "user": users,
        "count": vec![at; rows],
        "tags": vec![json!(["a", null]); rows],
        "fare_usd": vec![GUST; rows],
        "at": vec![at; rows],
        "unrelated": vec![json!({}); rows],
    })
}

#[tokio::test]
async fn rows_pushed_to_a_source_reach_all_its_views() {
    let running = running().await;
    let body = json!({
        "push_source_name": "rides",
        "df": rides(&[1, 2], 10),
        "to": "online",
        "allow_registry_cache": true,
        "transform_on_write": true,
    });
    assert_eq!(post(&running, "/push", &body).await, (200, String::new()));
    assert_eq!(values(&running, "trips:count").await, json!([10, 10]));
    assert_eq!(
        values(&running, "trips:tags").await,
        json!([["a", null], ["a", null]])
    );
    let body = json!({ "features": ["fares:fare"], "entities": { "user": [1] } });
    let (_, answer) = post(&running, "/get-online-features", &body).await;
    assert!(
        answer.contains("\"values\":[29.920279999999998]"),
        "{answer}"
    );
}

#[tokio::test]
async fn the_newest_row_wins_whenever_it_comes_and_a_correction_too() {
    let running = running().await;
    let write = async |count: i64, at: &str, created: Value| {
        let body = json!({
            "feature_view_name": "trips",
            "df": {
                "user": [1],
                "count": [count],
                "tags": [null],
                "event_timestamp": [at],
                "created": [created],
            },
            "allow_registry_cache": false,
        });
        let done = post(&running, "/write-to-online-store", &body).await;
        assert_eq!(done, (200, "null".to_owned()));
        values(&running, "trips:count").await[0].clone()
    };
    assert_eq!(write(1, "1970-01-02T00:00:00", json!(null)).await, 1);
    assert_eq!(write(2, "1970-01-01T00:00:00", json!(null)).await, 1);
    assert_eq!(write(3, "1970-01-02T00:00:00.000001", json!(null)).await, 3);
    let created = json!("1970-01-13T00:00:00");
    assert_eq!(write(4, "1970-01-02T00:00:00.000001", created).await, 4);
}

#[tokio::test]
async fn a_push_goes_where_it_is_told_and_counts_once_under_its_key() {
    let running = running().await;
    let body = |to: &str, at: i64| {
        let df = rides(&[1, 2], at);
        json!({ "push_source_name": "trips", "df": df, "to": to }).to_string()
    };
    let push = async |to: &str, at: i64| {
        let body = body(to, at);
        let key = "Idempotency-Key: monday\r\n";
        let (status, _, answer) = post_bytes(&running, "/push", key, body.as_bytes()).await;
        assert_eq!(status, 200, "{answer}");
    };
    push("offline", 10).await;
    assert_eq!(values(&running, "trips:count").await, json!([null, null]));
    // The same key: the rows of the first are what counts.
    push("online_and_offline", 20).await;
    assert_eq!(values(&running, "trips:count").await, json!([10, 10]));
}

#[tokio::test]
async fn a_wrong_push_is_refused_and_writes_nothing() {
    let running = running().await;
    let push =
        |name: &str, df: Value, to: &str| json!({ "push_source_name": name, "df": df, "to": to });
    let without = |column: &str| {
        let mut df = rides(&[1, 2], 10);
        df.as_object_mut().unwrap().remove(column);
        df
    };
    let with = |column: &str, values: Value| {
        let mut df = rides(&[1, 2], 10);
        df[column] = values;
        df
    };
    for (body, status, class, says) in [
        (
            push("ridse", rides(&[1], 1), "online"),
            422,
            "PushSourceNotFoundException",
            "did you mean `rides`?",
        ),
        (
            push("sums", rides(&[1], 1), "online"),
            422,
            "PushSourceNotFoundException",
            "no feature view takes rows",
        ),
        (
            push("rides", rides(&[1], 1), "everywhere"),
            400,
            "FeastError",
            "`everywhere` is no place to push to",
        ),
        (
            push("rides", without("count"), "online"),
            400,
            "FeastError",
            "column `count` of view `trips` is missing",
        ),
        (
            push("rides", with("count", json!([1, "x"])), "online"),
            400,
            "FeastError",
            "column `count`, row 1: the text \"x\" is not of type int64",
        ),
        (
            push("rides", with("count", json!([1, {}])), "online"),
            400,
            "FeastError",
            "row 1: an object is not",
        ),
        (
            push("rides", with("user", json!([1, null])), "online"),
            400,
            "FeastError",
            "column `user` is null in row 1",
        ),
        (
            push("rides", with("at", json!([null, 1])), "online"),
            400,
            "FeastError",
            "is null in row 0",
        ),
    ] {
        let (found, answer) = post(&running, "/push", &body).await;
        assert_eq!(found, status, "{answer}");
        let (found, message) = refusal(&answer);
        assert_eq!(found, class, "{message}");
        assert!(message.contains(says), "{message}");
    }
    let body = json!({ "feature_view_name": "rides", "df": rides(&[1], 1) });
    let (status, answer) = post(&running, "/write-to-online-store", &body).await;
    assert_eq!(status, 404);
    assert_eq!(refusal(&answer).0, "FeatureViewNotFoundException");

    assert_eq!(values(&running, "trips:count").await, json!([null, null]));
    assert_eq!(values(&running, "fares:fare").await, json!([null, null]));
}

fn typed(values: &[(&str, Option<Val>)]) -> HashMap<String, FeastValue> {
    let value = |(name, val): &(&str, Option<Val>)| {
        let val = val.clone();
        ((*name).to_owned(), FeastValue { val })
    };
    values.iter().map(value).collect()
}

#[tokio::test]
async fn a_row_is_written_over_grpc_with_types_or_as_texts() {
    let running = running().await;
    let mut client = GrpcFeatureServerClient::new(running.channel.clone());
    let row = typed(&[
        ("user", Some(Val::Int32Val(1))),
        ("count", Some(Val::Int64Val(7))),
        ("tags", None),
        ("fare", Some(Val::FloatVal(0.5))),
        ("at", Some(Val::UnixTimestampVal(10))),
    ]);
    let push = PushRequest {
        typed_features: row.clone(),
        stream_feature_view: "rides".to_owned(),
        to: "online_and_offline".to_owned(),
        ..PushRequest::default()
    };
    let mut request = Request::new(push.clone());
    let key = "row-1".parse().unwrap();
    request.metadata_mut().insert("idempotency-key", key);
    assert!(client.push(request).await.unwrap().into_inner().status);
    assert_eq!(values(&running, "trips:count").await, json!([7, null]));
    assert_eq!(values(&running, "fares:fare").await, json!([0.5, null]));

    let texts = [
        ("user", "2"),
        ("fare", "2.5"),
        ("event_timestamp", "1970-01-02T00:00:00"),
    ];
    let texts = texts.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let write = WriteToOnlineStoreRequest {
        features: HashMap::from(texts),
        feature_view_name: "fares".to_owned(),
        ..WriteToOnlineStoreRequest::default()
    };
    let written = client.write_to_online_store(write.clone()).await.unwrap();
    assert!(written.into_inner().status);
    assert_eq!(values(&running, "fares:fare").await, json!([0.5, 2.5]));

    let both = WriteToOnlineStoreRequest {
        typed_features: row,
        ..write
    };
    let refused = client.write_to_online_store(both).await.unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("`typed_features`"), "{refused}");

    let unknown = PushRequest {
        stream_feature_view: "ridse".to_owned(),
        ..push
    };
    let refused = client.push(unknown).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    assert!(
        refused.message().contains("did you mean `rides`?"),
        "{refused}"
    );
}
