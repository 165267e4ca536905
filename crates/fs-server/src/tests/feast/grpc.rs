//! `feast.serving.ServingService` and `GrpcFeatureServer`.

use std::collections::HashMap;

use fs_proto::feast::grpc::grpc_feature_server_client::GrpcFeatureServerClient;
use fs_proto::feast::serving::get_online_features_request::Kind;
use fs_proto::feast::serving::serving_service_client::ServingServiceClient;
use fs_proto::feast::serving::{
    FeatureList, FieldStatus, GetFeastServingInfoRequest, GetOnlineFeaturesRequest,
    GetOnlineFeaturesResponse,
};
use fs_proto::feast::types::value::Val;
use fs_proto::feast::types::{
    BoolList, BytesList, DoubleList, Int64List, Map, RepeatedValue, StringList, Value,
};
use prost_types::Timestamp;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::fixture::{EVERYTHING, running};
use crate::tests::fixture::Running;

fn value(val: Val) -> Value {
    Value { val: Some(val) }
}

fn texts(values: &[&str]) -> RepeatedValue {
    let value = |text: &&str| value(Val::StringVal((*text).to_owned()));
    RepeatedValue {
        val: values.iter().map(value).collect(),
    }
}

fn ask(features: &[&str], entities: &[(&str, RepeatedValue)]) -> GetOnlineFeaturesRequest {
    let val = features.iter().map(|&feature| feature.to_owned()).collect();
    let entities = entities.iter().cloned();
    GetOnlineFeaturesRequest {
        kind: Some(Kind::Features(FeatureList { val })),
        entities: entities
            .map(|(name, values)| (name.to_owned(), values))
            .collect(),
        ..GetOnlineFeaturesRequest::default()
    }
}

async fn read(
    running: &Running,
    request: GetOnlineFeaturesRequest,
) -> Result<GetOnlineFeaturesResponse, tonic::Status> {
    let mut client = ServingServiceClient::new(running.channel.clone());
    Ok(client.get_online_features(request).await?.into_inner())
}

fn names(answer: &GetOnlineFeaturesResponse) -> Vec<&str> {
    let metadata = answer.metadata.as_ref().unwrap();
    let names = &metadata.feature_names.as_ref().unwrap().val;
    names.iter().map(String::as_str).collect()
}

#[tokio::test]
async fn values_of_every_type_come_with_statuses_and_times() {
    let running = running().await;
    let features: Vec<String> = EVERYTHING
        .iter()
        .map(|(name, _)| format!("everything:{name}"))
        .collect();
    let features: Vec<&str> = features.iter().map(String::as_str).collect();
    let ids = [1, 2, 3].map(|id| value(Val::Int64Val(id))).to_vec();
    let ids = RepeatedValue { val: ids };
    let answer = read(&running, ask(&features, &[("id", ids.clone())])).await;
    let answer = answer.unwrap();

    let all: Vec<&str> = std::iter::once("id")
        .chain(EVERYTHING.iter().map(|(name, _)| *name))
        .collect();
    assert_eq!(names(&answer), all);
    let times = |times: [(i64, i32); 3]| {
        times
            .map(|(seconds, nanos)| Timestamp { seconds, nanos })
            .to_vec()
    };
    assert_eq!(answer.results[0].values, ids.val);
    assert_eq!(answer.results[0].statuses, [1, 1, 1]);
    assert_eq!(answer.results[0].event_timestamps, times([(0, 0); 3]));
    let longs = RepeatedValue {
        val: vec![value(Val::Int64Val(1)), Value::default()],
    };
    let expected = [
        Val::BoolVal(true),
        Val::Int32Val(-7),
        Val::Int64Val(9_007_199_254_740_993),
        Val::FloatVal(0.1),
        Val::DoubleVal(1.0),
        Val::StringVal("a\"é".to_owned()),
        Val::BytesVal(vec![0, 255].into()),
        Val::UnixTimestampVal(1),
        Val::BoolListVal(BoolList {
            val: vec![true, false],
        }),
        // The typed lists have no room for a null.
        Val::ListVal(longs),
        Val::DoubleListVal(DoubleList {
            val: vec![1.5, 2.0],
        }),
        Val::StringListVal(StringList {
            val: vec![String::new(), "b".to_owned()],
        }),
        Val::BytesListVal(BytesList {
            val: vec![vec![0].into()],
        }),
        Val::UnixTimestampListVal(Int64List { val: vec![-1] }),
    ];
    for (result, expected) in answer.results[1..].iter().zip(expected) {
        let values = [value(expected), Value::default(), Value::default()];
        assert_eq!(result.values, values);
        let statuses = [
            FieldStatus::Present,
            FieldStatus::NullValue,
            FieldStatus::NotFound,
        ];
        assert_eq!(result.statuses, statuses.map(|status| status as i32));
        let expected = times([(1, 500_000_000), (2, 0), (0, 0)]);
        assert_eq!(result.event_timestamps, expected);
    }
}

#[tokio::test]
async fn both_services_give_the_same_answer() {
    let running = running().await;
    let entities = HashMap::from([
        ("origin".to_owned(), texts(&["EWR", "BOS", "JFK", "LGA"])),
        ("dest".to_owned(), texts(&["BOS"; 4])),
    ]);
    let request = GetOnlineFeaturesRequest {
        kind: Some(Kind::FeatureService("trip".to_owned())),
        entities,
        full_feature_names: true,
        include_feature_view_version_metadata: true,
        ..GetOnlineFeaturesRequest::default()
    };
    let one = read(&running, request.clone()).await.unwrap();
    let mut server = GrpcFeatureServerClient::new(running.channel.clone());
    let other = server.get_online_features(request).await.unwrap();
    assert_eq!(one, other.into_inner());

    let expected = [
        "origin",
        "dest",
        "weather__temp",
        "there__temp",
        "there__gusts",
    ];
    assert_eq!(names(&one), expected);
    assert_eq!(one.results[2].statuses, [1, 2, 3, 4]);
    let views = one.metadata.unwrap().feature_view_metadata;
    let views: Vec<_> = views
        .iter()
        .map(|view| (view.name.as_str(), view.version))
        .collect();
    assert_eq!(views, [("weather", 1), ("there", 1)]);
}

#[tokio::test]
async fn a_key_may_come_in_another_type_that_says_the_same() {
    let running = running().await;
    let ids = vec![
        value(Val::Int32Val(1)),
        value(Val::Int64Val(1)),
        value(Val::StringVal("1".to_owned())),
        value(Val::NullVal(0)),
        Value::default(),
    ];
    let ids = [("id", RepeatedValue { val: ids })];
    let answer = read(&running, ask(&["everything:small"], &ids))
        .await
        .unwrap();
    let present = value(Val::Int32Val(-7));
    let values = [
        present.clone(),
        present.clone(),
        present,
        Value::default(),
        Value::default(),
    ];
    assert_eq!(answer.results[1].values, values);
    assert_eq!(answer.results[0].statuses, [1, 1, 1, 2, 2]);
    assert_eq!(answer.results[1].statuses, [1, 1, 1, 3, 3]);
}

#[tokio::test]
async fn a_wrong_request_is_refused_with_the_code_and_the_reason() {
    let running = running().await;
    let temp = |entities: &[(&str, RepeatedValue)]| ask(&["weather:temp"], entities);
    let map = RepeatedValue {
        val: vec![value(Val::MapVal(Map::default()))],
    };
    let empty = GetOnlineFeaturesRequest::default();
    for (request, code, says) in [
        (empty, Code::InvalidArgument, "either `feature_service`"),
        (ask(&[], &[]), Code::InvalidArgument, "no features were"),
        (
            ask(&["wether:temp"], &[]),
            Code::NotFound,
            "did you mean `weather`?",
        ),
        (temp(&[]), Code::InvalidArgument, "`origin` is missing"),
        (
            temp(&[("origin", RepeatedValue::default())]),
            Code::InvalidArgument,
            "there are no rows",
        ),
        (
            temp(&[("origin", map)]),
            Code::InvalidArgument,
            "column `origin`, row 0: a map is not of type string",
        ),
        (
            temp(&[("origin", texts(&["EWR"])), ("dest", texts(&[]))]),
            Code::InvalidArgument,
            "every column needs one value per row",
        ),
    ] {
        let status = read(&running, request).await.unwrap_err();
        assert_eq!(status.code(), code, "{status}");
        assert!(status.message().contains(says), "{}", status.message());
    }
}

#[tokio::test]
async fn what_is_no_message_is_refused_and_the_server_lives() {
    use bytes::Bytes;
    use tonic::codegen::http::uri::PathAndQuery;

    let running = running().await;
    for path in [
        "/feast.serving.ServingService/GetOnlineFeatures",
        "/GrpcFeatureServer/GetOnlineFeatures",
        "/GrpcFeatureServer/Push",
    ] {
        for body in [&b"\xff\xff\xff\xff"[..], b"\x0a\x02\xff\xfe", b"\x0a\x7f"] {
            let mut grpc = tonic::client::Grpc::new(running.channel.clone());
            grpc.ready().await.unwrap();
            let codec = super::fixture::RawCodec;
            let request = tonic::Request::new(Bytes::from_static(body));
            let path = PathAndQuery::from_static(path);
            let answer = grpc.unary(request, path, codec).await;
            let status = answer.unwrap_err();
            assert_eq!(status.code(), Code::Internal);
            assert!(status.message().contains("cannot be read"), "{status}");
        }
    }
    let answer = read(&running, ask(&["globe:heat"], &[])).await.unwrap();
    assert_eq!(answer.results.len(), 1);
}

#[tokio::test]
async fn the_services_are_known_to_health_checks_and_tell_their_version() {
    let running = running().await;
    let mut health = HealthClient::new(running.channel.clone());
    for service in fs_proto::SERVICES {
        let service = service.to_owned();
        let answer = health.check(HealthCheckRequest { service }).await.unwrap();
        assert_eq!(answer.into_inner().status, 1);
    }
    let mut client = ServingServiceClient::new(running.channel.clone());
    let info = client.get_feast_serving_info(GetFeastServingInfoRequest {});
    let version = info.await.unwrap().into_inner().version;
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
}
