//! What every call gets, whatever it asks for: an id, a deadline, a clear error.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::{BufMut, Bytes};
use fs_proto::v1::feature_store_client::FeatureStoreClient;
use fs_proto::v1::{GetOnlineFeaturesRequest, GetOnlineFeaturesResponse};
use tonic::client::Grpc;
use tonic::codec::{Codec, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::{Code, Request, Status};
use tonic_prost::ProstDecoder;

use crate::grpc;

use super::fixture::{Running, Setup, ask, definitions, running, service};

fn id(metadata: &MetadataMap) -> &str {
    metadata.get("x-request-id").unwrap().to_str().unwrap()
}

fn with_id(
    request: GetOnlineFeaturesRequest,
    id: &'static str,
) -> Request<GetOnlineFeaturesRequest> {
    let mut request = Request::new(request);
    let metadata = request.metadata_mut();
    metadata.insert("x-request-id", id.parse().unwrap());
    request
}

#[tokio::test]
async fn every_answer_has_the_id_of_its_request() {
    let running = running().await;
    let mut client = running.client();
    let request = with_id(ask(service("model"), &["EWR"]), "order-7");
    let answer = client.get_online_features(request).await.unwrap();
    assert_eq!(id(answer.metadata()), "order-7");

    let request = with_id(ask(service("nothing"), &["EWR"]), "order-8");
    let refused = client.get_online_features(request).await.unwrap_err();
    assert_eq!(id(refused.metadata()), "order-8");

    let (_, head, _) = running
        .http_get_with("/health", "x-request-id: h-1\r\n")
        .await;
    assert!(head.contains("x-request-id: h-1"), "{head}");
}

#[tokio::test]
async fn a_request_without_an_id_is_given_one() {
    let running = running().await;
    let mut client = running.client();
    let mut ids = Vec::new();
    for _ in 0..2 {
        let request = ask(service("model"), &["EWR"]);
        let answer = client.get_online_features(request).await.unwrap();
        ids.push(id(answer.metadata()).to_owned());
    }
    assert_eq!(ids[0].len(), 16);
    assert_ne!(ids[0], ids[1]);
    let (_, head, _) = running.http_get_with("/no-such-page", "").await;
    assert!(head.contains("x-request-id: "), "{head}");
}

#[tokio::test]
async fn the_deadline_of_the_client_ends_the_work_and_is_told_as_such() {
    let running = running().await;
    let store = running.setup.store.clone();
    store.close_gate();
    // Without a connection, at whose other end a client would give up by itself before.
    let mut client = FeatureStoreClient::new(grpc::service(running.shared.clone()));
    for _ in 0..20 {
        let mut request = Request::new(ask(service("model"), &["EWR"]));
        let metadata = request.metadata_mut();
        metadata.insert("grpc-timeout", "20m".parse().unwrap());
        let late = client.get_online_features(request).await.unwrap_err();
        assert_eq!(late.code(), Code::DeadlineExceeded, "{late:?}");
        assert!(late.message().contains("20 ms"), "{late:?}");
    }
    assert_eq!(store.waiting.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_deadline_that_is_longer_than_the_servers_is_the_servers() {
    let mut setup = Setup::new();
    setup.options.limits.request_time = Duration::from_millis(20);
    setup.apply(&definitions()).await;
    let running = setup.start().await;
    running.setup.store.close_gate();
    let mut request = Request::new(ask(service("model"), &["EWR"]));
    request.set_timeout(Duration::from_mins(1));
    let late = running.client().get_online_features(request).await;
    let late = late.unwrap_err();
    assert!(late.message().contains("20 ms"), "{late:?}");
}

#[tokio::test]
async fn the_work_of_a_client_that_goes_away_stops() {
    let running = running().await;
    let store = running.setup.store.clone();
    store.close_gate();
    let mut client = running.client();
    let request = ask(service("model"), &["EWR"]);
    let asked = tokio::spawn(async move { client.get_online_features(request).await });
    store.begun.notified().await;
    assert_eq!(store.waiting.load(Ordering::SeqCst), 1);
    assert_eq!(running.shared.admission.levels()[0].inside, 1);

    asked.abort();
    let stopped = async {
        while running.shared.admission.levels()[0].inside > 0 {
            tokio::task::yield_now().await;
        }
    };
    let patience = Duration::from_secs(10);
    tokio::time::timeout(patience, stopped).await.unwrap();
    assert_eq!(store.waiting.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn what_is_too_much_is_refused_with_the_limit_and_not_to_be_tried_again() {
    let mut setup = Setup::new();
    setup.options.limits.rows = 3;
    setup.options.limits.values = 4;
    setup.apply(&definitions()).await;
    let running = setup.start().await;
    for (origins, says) in [
        (&["a", "b", "c", "d"][..], "4 rows, and the server takes 3"),
        (&["a", "b", "c"], "6 values (3 rows of 2 features)"),
    ] {
        let request = ask(service("model"), origins);
        let refused = running.client().get_online_features(request).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert!(refused.message().contains(says), "{}", refused.message());
        assert_eq!(
            refused.metadata().get("grpc-retry-pushback-ms").unwrap(),
            "-1"
        );
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_is_refused_and_the_connection_goes_on() {
    let mut setup = Setup::new();
    setup.options.limits.message_bytes = 1_000;
    setup.apply(&definitions()).await;
    let running = setup.start().await;
    let large = "x".repeat(2_000);
    let request = ask(service("model"), &[&large]);
    let refused = running.client().get_online_features(request).await;
    assert!(refused.unwrap_err().message().contains("1000"));
    let request = ask(service("model"), &["EWR"]);
    running.client().get_online_features(request).await.unwrap();
}

#[tokio::test]
async fn what_is_no_request_gets_a_clear_error_and_the_server_lives() {
    let running = running().await;
    for path in [
        "/no.such.Service/Method",
        "/fs.v1.FeatureStore/NoSuchMethod",
        "/",
    ] {
        let refused = send(&running, path, Bytes::new()).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unimplemented, "{path}");
        assert!(!refused.message().is_empty(), "{path}");
    }
    let path = "/fs.v1.FeatureStore/GetOnlineFeatures";
    for garbage in [
        // A length that is longer than the message.
        &b"\x0a\xff\xff\xff\x7f"[..],
        // A field number of 0, and a wire type that there is not.
        b"\x00",
        b"\x0f",
        // A name of a service that is not UTF-8.
        b"\x0a\x02\xff\xfe",
    ] {
        let garbage = Bytes::from_static(garbage);
        let refused = send(&running, path, garbage.clone()).await.unwrap_err();
        assert!(
            matches!(refused.code(), Code::InvalidArgument | Code::Internal),
            "{garbage:?}: {refused:?}"
        );
        assert!(!refused.message().is_empty(), "{garbage:?}");
    }
    let request = ask(service("model"), &["EWR"]);
    running.client().get_online_features(request).await.unwrap();
}

/// Sends bytes as a message, whatever they are.
async fn send(
    running: &Running,
    path: &'static str,
    bytes: Bytes,
) -> Result<GetOnlineFeaturesResponse, Status> {
    let mut grpc = Grpc::new(running.channel.clone());
    grpc.ready().await.unwrap();
    let path = path.parse().unwrap();
    let answer = grpc.unary(Request::new(bytes), path, RawCodec).await?;
    Ok(answer.into_inner())
}

#[derive(Default)]
struct RawCodec;

impl Codec for RawCodec {
    type Encode = Bytes;
    type Decode = GetOnlineFeaturesResponse;
    type Encoder = RawEncoder;
    type Decoder = ProstDecoder<GetOnlineFeaturesResponse>;

    fn encoder(&mut self) -> RawEncoder {
        RawEncoder
    }

    fn decoder(&mut self) -> Self::Decoder {
        ProstDecoder::default()
    }
}

struct RawEncoder;

impl Encoder for RawEncoder {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, bytes: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(bytes);
        Ok(())
    }
}
