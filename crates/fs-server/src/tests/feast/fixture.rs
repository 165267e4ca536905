//! A view with a feature of every type, and clients that know bytes only.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Field, Schema};
use arrow::json::ReaderBuilder;
use fs_core::{Catalog, EventTime, FeatureView, KeyValue};
use fs_online::key::encode_key;
use fs_online::{OnlineStore, RowEncoder, RowLayout, RowOrder, RowWrite, ViewId};
use fs_testkit::catalog;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::tests::fixture::{HOUR, NOW, Running, Setup, definitions};

/// The features of `everything`.
pub(super) const EVERYTHING: [(&str, &str); 14] = [
    ("flag", "bool"),
    ("small", "int32"),
    ("large", "int64"),
    ("single", "float32"),
    ("double", "float64"),
    ("text", "string"),
    ("raw", "bytes"),
    ("moment", "timestamp"),
    ("flags", "array<bool>"),
    ("longs", "array<int64>"),
    ("doubles", "array<float64>"),
    ("texts", "array<string>"),
    ("raws", "array<bytes>"),
    ("moments", "array<timestamp>"),
];

/// `weather`, and: `everything` of `thing` (`id int64`), `globe` of nothing at all, `distances` of
/// `route` (`origin`, `dest`), the services `model`, `both` and `trip`.
pub(super) fn catalog() -> Catalog {
    let everything = EVERYTHING
        .iter()
        .fold(catalog::view("everything"), |view, (name, data_type)| {
            view.feature(name, data_type)
        });
    let more = catalog::project("flights")
        .entity(catalog::entity("thing").key("id", "int64"))
        .entity(
            catalog::entity("route")
                .key("origin", "string")
                .key("dest", "string"),
        )
        .source(catalog::source("things"))
        .view(everything.entity("thing").source("things"))
        .view(
            catalog::view("globe")
                .source("things")
                .feature("heat", "float64"),
        )
        .view(
            catalog::view("distances")
                .entity("route")
                .source("things")
                .feature("miles", "int32"),
        )
        .service(
            catalog::service("both")
                .only("distances", &["miles"])
                .only("weather", &["temp"]),
        )
        .service(catalog::service("trip").only("weather", &["temp"]).aliased(
            "weather",
            "there",
            &[("origin", "dest")],
        ))
        .build();
    let mut all = definitions();
    all.entities.extend(more.entities);
    all.sources.extend(more.sources);
    all.feature_views.extend(more.feature_views);
    all.feature_services.extend(more.feature_services);
    all
}

/// A server with those definitions, the weather of three airports, and two things.
pub(super) async fn running() -> Running {
    let running = started(Setup::new()).await;
    running.put("EWR", NOW - 1, Some(70.0)).await;
    running.put("LGA", NOW - 2 * HOUR, Some(60.0)).await;
    running.put("BOS", NOW, None).await;
    let thing = r#"{"flag": true, "small": -7, "large": 9007199254740993, "single": 0.1, "double": 1.0,
        "text": "a\"é", "raw": "00ff", "moment": 1500000, "flags": [true, false], "longs": [1, null],
        "doubles": [1.5, 2.0], "texts": ["", "b"], "raws": ["00"], "moments": [-1]}"#;
    put(
        &running,
        "everything",
        &[KeyValue::Int64(1)],
        1_500_000,
        thing,
    )
    .await;
    put(
        &running,
        "everything",
        &[KeyValue::Int64(2)],
        2_000_000,
        "{}",
    )
    .await;
    let route = ["EWR", "BOS"].map(|end| KeyValue::String(end.to_owned()));
    put(&running, "distances", &route, 0, r#"{"miles": 200}"#).await;
    put(&running, "globe", &[], 1, r#"{"heat": 14.5}"#).await;
    running
}

pub(super) async fn started(setup: Setup) -> Running {
    setup.apply(&catalog()).await;
    setup.start().await
}

/// Publishes a row, given as arrow reads it: bytes are hexadecimal, times are microseconds.
pub(super) async fn put(running: &Running, view: &str, key: &[KeyValue], event: i64, row: &str) {
    let catalog = catalog();
    let view = &catalog.feature_views[view];
    let order = RowOrder {
        event: EventTime::from_micros(event),
        created: None,
        sequence: 0,
    };
    let layout = RowLayout::of_view(view);
    let columns = batch(view, row);
    let row = RowEncoder::new(&layout)
        .encode(columns.columns(), &[order])
        .unwrap()
        .remove(0);
    let id = ViewId::new(catalog.project.clone(), view.name.clone());
    let store = &running.setup.store.inner;
    store.prepare(&id, &layout).await.unwrap();
    let row = RowWrite::newest(encode_key(key), row);
    store.write(&id, vec![row], None).await.unwrap();
}

fn batch(view: &FeatureView, row: &str) -> RecordBatch {
    let field = |feature: &fs_core::Feature| {
        Field::new(feature.name.as_str(), feature.data_type.to_arrow(), true)
    };
    let schema = Schema::new(view.schema.iter().map(field).collect::<Vec<_>>());
    let mut decoder = ReaderBuilder::new(Arc::new(schema))
        .build_decoder()
        .unwrap();
    decoder.decode(row.as_bytes()).unwrap();
    decoder.flush().unwrap().unwrap()
}

/// `POST path` over HTTP: the status, the head and the body.
pub(super) async fn post_bytes(
    running: &Running,
    path: &str,
    headers: &str,
    body: &[u8],
) -> (u16, String, String) {
    let mut stream = tokio::net::TcpStream::connect(&running.http).await.unwrap();
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: fs\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // A server that refuses a body need not read it.
    stream.write_all(body).await.ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), body.to_owned())
}

/// `POST path` with a body of JSON.
pub(super) async fn post(running: &Running, path: &str, body: &Value) -> (u16, String) {
    let body = body.to_string();
    let (status, _, answer) = post_bytes(running, path, "", body.as_bytes()).await;
    (status, answer)
}

/// The answer to a read over HTTP.
pub(crate) async fn read(running: &Running, body: &Value) -> Value {
    let (status, answer) = post(running, "/get-online-features", body).await;
    assert_eq!(status, 200, "{answer}");
    serde_json::from_str(&answer).unwrap()
}

/// The message of a refusal in Feast's shape, and the class of its exception.
pub(super) fn refusal(body: &str) -> (String, String) {
    let inner: String = serde_json::from_str(body).unwrap();
    let detail: Value = serde_json::from_str(&inner).unwrap();
    assert_eq!(detail["module"], "feast.errors");
    let text = |field: &str| detail[field].as_str().unwrap().to_owned();
    (text("class"), text("message"))
}

/// Sends and receives bytes, whatever they are.
#[derive(Debug, Default)]
pub(super) struct RawCodec;

impl tonic::codec::Codec for RawCodec {
    type Encode = bytes::Bytes;
    type Decode = bytes::Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl tonic::codec::Encoder for RawCodec {
    type Item = bytes::Bytes;
    type Error = tonic::Status;

    fn encode(
        &mut self,
        item: bytes::Bytes,
        out: &mut tonic::codec::EncodeBuf<'_>,
    ) -> Result<(), tonic::Status> {
        bytes::BufMut::put(out, item);
        Ok(())
    }
}

impl tonic::codec::Decoder for RawCodec {
    type Item = bytes::Bytes;
    type Error = tonic::Status;

    fn decode(
        &mut self,
        from: &mut tonic::codec::DecodeBuf<'_>,
    ) -> Result<Option<bytes::Bytes>, tonic::Status> {
        let length = bytes::Buf::remaining(from);
        Ok(Some(bytes::Buf::copy_to_bytes(from, length)))
    }
}
