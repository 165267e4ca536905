//! Health, reflection and metrics.

use fs_registry::Force;
use tonic::Code;
use tonic_health::ServingStatus;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

use super::fixture::{Running, Setup, ask, definitions, running, service};

pub(super) async fn status(running: &Running, service: &str) -> ServingStatus {
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    let mut client = HealthClient::new(running.channel.clone());
    let answer = client.check(request).await.unwrap().into_inner();
    match answer.status {
        1 => ServingStatus::Serving,
        2 => ServingStatus::NotServing,
        _ => ServingStatus::Unknown,
    }
}

#[tokio::test]
async fn a_server_with_definitions_is_healthy_on_both_ports() {
    let running = running().await;
    for name in ["", fs_proto::SERVICE] {
        assert_eq!(
            status(&running, name).await,
            ServingStatus::Serving,
            "{name}"
        );
    }
    let (code, body) = running.http_get("/health").await;
    assert_eq!(code, 200);
    assert_eq!(
        body,
        r#"{"status":"serving","project":"flights","registry_version":1,"online_store":{"store":"redis at 127.0.0.1:1","reachable":true}}"#
    );
}

#[tokio::test]
async fn before_the_first_apply_the_server_is_there_and_says_what_to_do() {
    let running = Setup::new().start().await;
    assert_eq!(status(&running, "").await, ServingStatus::Serving);
    let request = ask(service("model"), &["EWR"]);
    let refused = running
        .client()
        .get_online_features(request.clone())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(
        refused.message().contains("run `fs apply` first"),
        "{}",
        refused.message()
    );
    let (code, body) = running.http_get("/health").await;
    assert_eq!(code, 503);
    assert!(body.contains("nothing_applied"), "{body}");

    let plan = running.setup.registry.plan(&definitions()).await.unwrap();
    let now = fs_core::Clock::now(running.setup.clock.as_ref());
    running
        .setup
        .registry
        .apply(&plan, Force::No, now, None)
        .await
        .unwrap();
    assert_eq!(running.reloader.reload().await.unwrap(), Some(1));
    running.client().get_online_features(request).await.unwrap();
    assert_eq!(running.http_get("/health").await.0, 200);
}

#[tokio::test]
async fn reflection_lists_the_services() {
    let running = running().await;
    let request = ServerReflectionRequest {
        message_request: Some(MessageRequest::ListServices(String::new())),
        ..ServerReflectionRequest::default()
    };
    let mut client = ServerReflectionClient::new(running.channel.clone());
    let requests = tokio_stream::iter([request]);
    let mut answers = client
        .server_reflection_info(requests)
        .await
        .unwrap()
        .into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response;
    let Some(MessageResponse::ListServicesResponse(list)) = answer else {
        panic!("{answer:?}");
    };
    let names: Vec<&str> = list
        .service
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    assert!(names.contains(&fs_proto::SERVICE), "{names:?}");
    assert!(names.contains(&"grpc.health.v1.Health"), "{names:?}");
}

#[tokio::test]
async fn metrics_count_requests_and_rows_by_status() {
    let running = running().await;
    let request = ask(service("model"), &["EWR", "JFK"]);
    running.client().get_online_features(request).await.unwrap();
    let (code, body) = running.http_get("/metrics").await;
    assert_eq!(code, 200);
    for series in [
        r#"fs_server_requests_total{method="GetOnlineFeatures",code="OK"}"#,
        r#"fs_serving_rows_total{view="weather",status="NOT_FOUND"}"#,
        r#"fs_serving_stage_seconds_bucket{stage="store",le="0.001"}"#,
        "fs_server_training_sets_in_flight ",
        // Which one depends on the tests beside this one: metrics belong to the process.
        "fs_server_registry_version ",
    ] {
        assert!(body.contains(series), "{series} is not in\n{body}");
    }
}
