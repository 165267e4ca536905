//! What Feast's clients are told of what cannot be answered.

use fs_core::KeyValue;
use serde_json::{Value, json};

use super::fixture::{post, post_bytes, put, read, refusal, running, started};
use crate::tests::fixture::Setup;

const READ: &str = "/get-online-features";

#[tokio::test]
async fn what_there_is_not_is_404_with_the_exception_of_feast_and_the_nearest_name() {
    let running = running().await;
    let entities = json!({ "origin": ["EWR"] });
    for (asked, class, says) in [
        (
            json!({ "feature_service": "modle" }),
            "FeatureServiceNotFoundException",
            "did you mean `model`?",
        ),
        (
            json!({ "features": ["wether:temp"] }),
            "FeatureViewNotFoundException",
            "did you mean `weather`?",
        ),
        (
            json!({ "features": ["weather:tmp"] }),
            "FeastObjectNotFoundException",
            "did you mean `temp`?",
        ),
    ] {
        let mut body = asked;
        body["entities"] = entities.clone();
        let (status, answer) = post(&running, READ, &body).await;
        assert_eq!(status, 404, "{answer}");
        let (found, message) = refusal(&answer);
        assert_eq!(found, class);
        assert!(message.contains(says), "{message}");
    }
}

#[tokio::test]
async fn a_request_that_makes_no_sense_is_400_and_says_why() {
    let running = running().await;
    let temp = |entities: Value| json!({ "features": ["weather:temp"], "entities": entities });
    let thing = |entities: Value| json!({ "features": ["everything:small"], "entities": entities });
    for (body, says) in [
        (temp(json!({})), "entity column `origin` is missing"),
        (temp(json!({ "orign": ["EWR"] })), "did you mean `orign`?"),
        (temp(json!({ "origin": [] })), "there are no rows"),
        (
            temp(json!({ "origin": ["EWR"], "dest": [] })),
            "`origin` has 1 rows, but `dest` has 0",
        ),
        (
            temp(json!({ "origin": ["EWR", 7] })),
            "column `origin`, row 1: 7 is not of type string",
        ),
        (
            thing(json!({ "id": [1.5] })),
            "column `id`, row 0: 1.5 is not of type int64",
        ),
        (
            thing(json!({ "id": [{}] })),
            "row 0: an object is not of type int64",
        ),
        (json!({ "entities": {} }), "no features were asked for"),
        (
            json!({ "features": [], "entities": {} }),
            "no features were asked for",
        ),
        (
            json!({ "features": ["weather:temp"], "feature_service": "model", "entities": {} }),
            "either `feature_service` or `features`",
        ),
        (
            json!({ "features": ["weather.temp"], "entities": {} }),
            "write `view:feature`",
        ),
    ] {
        let (status, answer) = post(&running, READ, &body).await;
        assert_eq!(status, 400, "{body}: {answer}");
        let (class, message) = refusal(&answer);
        assert_eq!(class, "FeastError");
        assert!(message.contains(says), "{message}");
    }
    // After all that, it is still there.
    read(&running, &temp(json!({ "origin": ["EWR"] }))).await;
}

#[tokio::test]
async fn a_body_that_is_not_what_the_path_takes_is_422_with_a_detail() {
    let running = running().await;
    let bodies: [(&[u8], &str); 8] = [
        (b"", "json_invalid"),
        (b"{", "json_invalid"),
        (b"{\"entities\": {\"origin\": [\"\xff\"]}}", "json_invalid"),
        (b"[]", "value_error"),
        (b"{}", "value_error"),
        (b"{\"entities\": 1}", "value_error"),
        (b"{\"entities\": {\"origin\": \"EWR\"}}", "value_error"),
        (b"{\"entities\": {}, \"features\": 1}", "value_error"),
    ];
    for (body, kind) in bodies {
        for path in [READ, "/push", "/write-to-online-store"] {
            let (status, _, answer) = post_bytes(&running, path, "", body).await;
            assert_eq!(status, 422, "{path} {answer}");
            let answer: Value = serde_json::from_str(&answer).unwrap();
            let detail = &answer["detail"][0];
            if path == READ {
                assert_eq!(detail["type"], kind, "{answer}");
            }
            assert_eq!(detail["loc"], json!(["body"]));
            assert!(detail["msg"].is_string());
        }
    }
}

#[tokio::test]
async fn a_request_that_is_too_large_is_413_which_no_client_repeats() {
    let mut setup = Setup::new();
    setup.options.limits.rows = 2;
    setup.options.limits.values = 3;
    setup.options.limits.message_bytes = 10_000;
    let running = started(setup).await;
    put(&running, "everything", &[KeyValue::Int64(1)], 0, "{}").await;
    let ask = |features: &[&str], ids: Vec<i64>| json!({ "features": features, "entities": { "id": ids } });
    let two = ["everything:small", "everything:large"];
    for (body, says) in [
        (ask(&two[..1], vec![1; 3]), "3 rows, and the server takes 2"),
        (ask(&two, vec![1; 2]), "4 values"),
        (ask(&two, vec![1; 20_000]), "10000 bytes"),
    ] {
        let (status, answer) = post(&running, READ, &body).await;
        assert_eq!(status, 413, "{answer}");
        let (_, message) = refusal(&answer);
        assert!(message.contains(says), "{message}");
    }
    read(&running, &ask(&two[..1], vec![1, 2])).await;
}

#[tokio::test]
async fn a_store_that_is_away_is_503_and_an_empty_registry_409() {
    let running = running().await;
    let body = json!({ "features": ["weather:temp"], "entities": { "origin": ["EWR"] } });
    let away = &running.setup.store.away;
    away.store(true, std::sync::atomic::Ordering::SeqCst);
    let (status, answer) = post(&running, READ, &body).await;
    assert_eq!(status, 503);
    assert!(
        refusal(&answer)
            .1
            .contains("cannot read from the online store")
    );

    let empty = Setup::new().start().await;
    let (status, answer) = post(&empty, READ, &body).await;
    assert_eq!(status, 409);
    assert!(refusal(&answer).1.contains("run `fs apply` first"));
}

#[tokio::test]
async fn other_methods_and_paths_are_refused() {
    let running = running().await;
    assert_eq!(running.http_get(READ).await.0, 405);
    assert_eq!(post(&running, "/nothing", &json!({})).await.0, 404);
}
