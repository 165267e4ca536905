//! New registry versions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fs_proto::v1::GetServingInfoRequest;

use super::fixture::{Setup, ask, definitions, more_definitions, running, service};

#[tokio::test]
async fn a_new_version_is_served_without_dropping_a_request() {
    let running = running().await;
    let stop = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..4)
        .map(|_| {
            let (mut client, stop) = (running.client(), stop.clone());
            tokio::spawn(async move {
                let mut versions = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    let request = ask(service("model"), &["EWR"]);
                    let answer = client.get_online_features(request).await.unwrap();
                    versions.push(answer.into_inner().registry_version);
                }
                versions
            })
        })
        .collect();

    running.setup.apply(&more_definitions()).await;
    assert_eq!(running.reloader.reload().await.unwrap(), Some(2));
    let request = ask(service("next"), &["EWR"]);
    let answer = running.client().get_online_features(request).await.unwrap();
    assert_eq!(answer.into_inner().registry_version, 2);

    stop.store(true, Ordering::SeqCst);
    for load in load {
        let versions = load.await.unwrap();
        assert!(versions.is_sorted(), "{versions:?}");
    }
}

#[tokio::test]
async fn a_request_keeps_the_version_it_began_with() {
    let running = running().await;
    let store = &running.setup.store;
    store.close_gate();
    let mut client = running.client();
    let request = ask(service("model"), &["EWR"]);
    let early = tokio::spawn(async move { client.get_online_features(request).await });
    store.begun.notified().await;

    running.setup.apply(&more_definitions()).await;
    running.reloader.reload().await.unwrap();
    store.open_gate();
    assert_eq!(
        early.await.unwrap().unwrap().into_inner().registry_version,
        1
    );
}

#[tokio::test]
async fn newer_versions_are_found_without_being_told() {
    let mut setup = Setup::new();
    setup.options.reload_interval = Duration::from_millis(1);
    setup.apply(&definitions()).await;
    let running = setup.start().await;
    running.setup.apply(&more_definitions()).await;
    let found = async {
        loop {
            let info = running
                .client()
                .get_serving_info(GetServingInfoRequest {})
                .await;
            if info.unwrap().into_inner().registry_version == 2 {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(10), found)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_registry_that_cannot_be_read_leaves_the_last_version_in_place() {
    let running = running().await;
    let versions = running
        .setup
        .folder
        .path()
        .join("registry/flights/versions");
    std::fs::write(versions.join("00000000000000000002.json"), "{").unwrap();
    assert!(running.reloader.reload().await.is_err());
    let request = ask(service("model"), &["EWR"]);
    let answer = running.client().get_online_features(request).await.unwrap();
    assert_eq!(answer.into_inner().registry_version, 1);
}
