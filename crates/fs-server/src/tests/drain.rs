//! Shutdown.

use std::time::Duration;

use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::fixture::{Setup, ask, definitions, running, service};

const NOT_SERVING: i32 = 2;

#[tokio::test]
async fn what_has_begun_is_finished_while_health_says_that_nothing_new_should_come() {
    let mut running = running().await;
    let mut health = HealthClient::new(running.channel.clone());
    let watch = HealthCheckRequest {
        service: fs_proto::SERVICE.to_owned(),
    };
    let mut watch = health.watch(watch).await.unwrap().into_inner();
    watch.message().await.unwrap();

    let store = running.setup.store.clone();
    store.close_gate();
    let mut client = running.client();
    let request = ask(service("model"), &["EWR"]);
    let begun = tokio::spawn(async move { client.get_online_features(request).await });
    store.begun.notified().await;
    running.stop();

    let told = watch.message().await.unwrap().unwrap();
    assert_eq!(told.status, NOT_SERVING);
    let (code, body) = running.http_get("/health").await;
    assert_eq!(code, 503);
    assert!(body.contains("draining"), "{body}");
    assert!(!begun.is_finished());

    store.open_gate();
    let answer = begun.await.unwrap().unwrap().into_inner();
    assert_eq!(answer.row_count, 1);
    running.ended().await.unwrap();
}

#[tokio::test]
async fn what_takes_longer_than_the_drain_is_cut_off_as_unavailable() {
    let mut setup = Setup::new();
    setup.options.drain_time = Duration::from_millis(20);
    setup.apply(&definitions()).await;
    let mut running = setup.start().await;
    let store = running.setup.store.clone();
    store.close_gate();
    let mut client = running.client();
    let request = ask(service("model"), &["EWR"]);
    let begun = tokio::spawn(async move { client.get_online_features(request).await });
    store.begun.notified().await;
    running.stop();
    let cut_off = begun.await.unwrap().unwrap_err();
    assert_eq!(cut_off.code(), Code::Unavailable);
    assert!(
        cut_off.message().contains("shutting down"),
        "{}",
        cut_off.message()
    );
    running.ended().await.unwrap();
}

#[tokio::test]
async fn an_idle_server_stops_at_once() {
    let mut running = running().await;
    running.stop();
    running.ended().await.unwrap();
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let running = running().await;
    let mut setup = Setup::new();
    setup.options.http_addr = running.http.parse().unwrap();
    let error = setup.bind().await.unwrap_err().to_string();
    assert!(
        error.contains(&running.http) && error.contains("HTTP"),
        "{error}"
    );
}
