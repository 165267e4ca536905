//! `POST /materialize` and `POST /materialize-incremental`.

use std::sync::atomic::Ordering;

use fs_core::Catalog;
use fs_testkit::catalog;
use serde_json::{Value, json};

use super::fixture::{post, read, refusal};
use crate::tests::fixture::{Running, Setup};

/// `trips` of `user`, and `clicks` of the same rows.
fn definitions() -> Catalog {
    let view = |name: &str| {
        catalog::view(name)
            .entity("user")
            .source("log")
            .feature(name, "int64")
    };
    catalog::project("flights")
        .entity(catalog::entity("user").key("user", "int64"))
        .source(catalog::source("log").csv("log.csv"))
        .view(view("trips"))
        .view(view("clicks"))
        .build()
}

async fn running() -> Running {
    let setup = Setup::new();
    setup.apply(&definitions()).await;
    // The tests' now is 1970-01-12T13:46:40Z.
    let rows = "user,event_timestamp,trips,clicks\n\
                1,1970-01-02T00:00:00Z,1,10\n\
                2,1970-01-03T00:00:00Z,2,20\n\
                1,1970-01-04T00:00:00Z,3,30\n";
    std::fs::write(setup.folder.path().join("log.csv"), rows).unwrap();
    setup.start().await
}

async fn trips(running: &Running) -> Value {
    let body = json!({ "features": ["trips:trips"], "entities": { "user": [1, 2] } });
    read(running, &body).await["results"][1]["values"].clone()
}

#[tokio::test]
async fn a_window_is_materialized_with_both_of_its_ends() {
    let running = running().await;
    let body = json!({
        "start_ts": "1970-01-02T00:00:00",
        "end_ts": "1970-01-03T00:00:00+00:00",
        "feature_views": null,
        "disable_event_timestamp": false,
        "full_feature_names": false,
    });
    let done = post(&running, "/materialize", &body).await;
    assert_eq!(done, (200, "null".to_owned()));
    assert_eq!(trips(&running).await, json!([1, 2]));

    let rest = json!({ "end_ts": "1970-01-05", "feature_views": ["trips"] });
    let done = post(&running, "/materialize-incremental", &rest).await;
    assert_eq!(done, (200, "null".to_owned()));
    assert_eq!(trips(&running).await, json!([3, 2]));
}

#[tokio::test]
async fn all_rows_up_to_now_are_materialized_where_times_are_left_out() {
    let running = running().await;
    let body = json!({ "disable_event_timestamp": true, "feature_views": ["trips"] });
    assert_eq!(post(&running, "/materialize", &body).await.0, 200);
    assert_eq!(trips(&running).await, json!([3, 2]));
}

#[tokio::test]
async fn work_in_the_background_is_accepted_once_and_goes_on() {
    let running = running().await;
    let path = "/materialize-incremental?async=true";
    let body = json!({ "end_ts": "1970-01-05", "feature_views": ["trips"] });
    // The run waits where it asks what is published.
    running.setup.store.close_gate();
    let (status, answer) = post(&running, path, &body).await;
    assert_eq!(status, 202);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let accepted = json!({ "status": "accepted", "feature_views": ["trips"] });
    assert_eq!(answer, accepted);

    let everything = json!({ "end_ts": "1970-01-05", "feature_views": null });
    for (path, body) in [
        (path, &body),
        ("/materialize-incremental", &body),
        (path, &everything),
    ] {
        let (status, answer) = post(&running, path, body).await;
        assert_eq!(status, 409);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["feature_views"], json!(["trips"]));
        let error = answer["error"].as_str().unwrap();
        assert!(
            error.contains("being materialized already: `trips`"),
            "{error}"
        );
    }
    running.setup.store.open_gate();
    let done = async {
        while post(&running, "/materialize-incremental", &body).await.0 == 409 {
            tokio::task::yield_now().await;
        }
    };
    let patience = std::time::Duration::from_secs(30);
    tokio::time::timeout(patience, done).await.unwrap();
    assert_eq!(trips(&running).await, json!([3, 2]));
}

#[tokio::test]
async fn a_wrong_request_is_refused_and_changes_nothing() {
    let running = running().await;
    let window = |start: &str, end: &str| json!({ "start_ts": start, "end_ts": end });
    for (path, body, status, class, says) in [
        (
            "/materialize",
            json!({ "start_ts": "1970-01-02" }),
            400,
            "FeastError",
            "`end_ts` is missing",
        ),
        (
            "/materialize",
            window("1970-01-02", "soon"),
            400,
            "FeastError",
            "`end_ts` is no instant",
        ),
        (
            "/materialize",
            window("1970-01-02", "1970-01-02"),
            400,
            "FeastError",
            "`start_ts` must be before `end_ts`",
        ),
        (
            "/materialize-incremental",
            json!({ "end_ts": "1970-02-01" }),
            400,
            "FeastError",
            "lies in the future",
        ),
        (
            "/materialize-incremental",
            json!({ "end_ts": "1970-01-05", "feature_views": ["tirps"] }),
            404,
            "FeatureViewNotFoundException",
            "did you mean `trips`?",
        ),
        (
            "/materialize-incremental",
            json!({ "end_ts": "1970-01-05", "feature_views": ["trips"], "version": "v2" }),
            400,
            "FeastError",
            "`version` is not offered",
        ),
    ] {
        let (found, answer) = post(&running, path, &body).await;
        assert_eq!(found, status, "{answer}");
        let (found, message) = refusal(&answer);
        assert_eq!(found, class);
        assert!(message.contains(says), "{message}");
    }
    assert_eq!(trips(&running).await, json!([null, null]));
    assert_eq!(running.setup.store.reads.load(Ordering::SeqCst), 1);
}
