//! The online store away, and back; and slow.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tonic::Code;
use tonic_health::ServingStatus;

use super::fixture::{Setup, ask, definitions, running, service};
use super::health::status;

#[tokio::test]
async fn requests_are_unavailable_while_the_store_is_away_and_answered_when_it_is_back() {
    let running = running().await;
    let request = ask(service("model"), &["EWR"]);
    running.setup.store.away.store(true, Ordering::SeqCst);
    let refused = running
        .client()
        .get_online_features(request.clone())
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    let text = refused.message();
    assert!(
        text.contains("redis at 127.0.0.1:1") && text.contains("connection refused"),
        "{text}"
    );
    let (code, body) = running.http_get("/health").await;
    assert_eq!(code, 503);
    assert!(
        body.contains("online_store_unreachable") && body.contains("refused"),
        "{body}"
    );
    assert_eq!(status(&running, "").await, ServingStatus::Serving);

    running.setup.store.away.store(false, Ordering::SeqCst);
    running.client().get_online_features(request).await.unwrap();
    assert_eq!(running.http_get("/health").await.0, 200);
}

#[tokio::test]
async fn a_store_that_hangs_ends_in_a_deadline_and_not_in_a_hanging_request() {
    let mut setup = Setup::new();
    setup.options.limits.request_time = Duration::from_millis(20);
    setup.apply(&definitions()).await;
    let running = setup.start().await;
    running.setup.store.close_gate();
    let request = ask(service("model"), &["EWR"]);
    let late = running
        .client()
        .get_online_features(request.clone())
        .await
        .unwrap_err();
    assert_eq!(late.code(), Code::DeadlineExceeded);
    assert!(late.message().contains("20 ms"), "{}", late.message());
    running.setup.store.open_gate();
    running.client().get_online_features(request).await.unwrap();
}
