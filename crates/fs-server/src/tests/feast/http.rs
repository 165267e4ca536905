//! `POST /get-online-features`.

use serde_json::{Value, json};

use super::fixture::{EVERYTHING, post, post_bytes, read, running};

fn names(answer: &Value) -> Vec<&str> {
    let names = answer["metadata"]["feature_names"].as_array().unwrap();
    names.iter().map(|name| name.as_str().unwrap()).collect()
}

#[tokio::test]
async fn values_of_every_type_are_written_as_feast_writes_them() {
    let running = running().await;
    let features: Vec<String> = EVERYTHING
        .iter()
        .map(|(name, _)| format!("everything:{name}"))
        .collect();
    let body = json!({ "features": features, "entities": { "id": [1, 2, 3] } });
    let (status, text) = post(&running, "/get-online-features", &body).await;
    assert_eq!(status, 200);
    let columns: [&str; 15] = [
        "1,2,3",
        "true",
        "-7",
        "9007199254740993",
        "0.10000000149011612",
        "1.0",
        r#""a\"é""#,
        r#""AP8=""#,
        "1",
        "[true,false]",
        "[1,null]",
        "[1.5,2.0]",
        r#"["","b"]"#,
        r#"["AA=="]"#,
        "[-1]",
    ];
    let result = |values: &str, statuses: &str, times: [&str; 3]| {
        let times = times
            .map(|time| format!("\"1970-01-01T00:00:{time}Z\""))
            .join(",");
        format!(r#"{{"values":[{values}],"statuses":[{statuses}],"event_timestamps":[{times}]}}"#)
    };
    let (key, features) = columns.split_first().unwrap();
    let mut results = vec![result(key, r#""PRESENT","PRESENT","PRESENT""#, ["00"; 3])];
    results.extend(features.iter().map(|value| {
        let values = format!("{value},null,null");
        let statuses = r#""PRESENT","NULL_VALUE","NOT_FOUND""#;
        result(&values, statuses, ["01.500", "02", "00"])
    }));
    let names: Vec<String> = std::iter::once("id")
        .chain(EVERYTHING.iter().map(|(name, _)| *name))
        .map(|name| format!("\"{name}\""))
        .collect();
    let expected = format!(
        r#"{{"results":[{}],"metadata":{{"feature_names":[{}]}}}}"#,
        results.join(","),
        names.join(",")
    );
    assert_eq!(text, expected);
}

#[tokio::test]
async fn a_status_says_why_a_value_is_not_there() {
    let running = running().await;
    let body = json!({
        "features": ["weather:temp"],
        "entities": { "origin": ["EWR", "BOS", "JFK", "LGA", null] },
    });
    let answer = read(&running, &body).await;
    let [key, temp] = answer["results"].as_array().unwrap().as_slice() else {
        panic!("{answer}");
    };
    let origins = json!(["EWR", "BOS", "JFK", "LGA", null]);
    assert_eq!(key["values"], origins);
    let statuses = ["PRESENT", "PRESENT", "PRESENT", "PRESENT", "NULL_VALUE"];
    assert_eq!(key["statuses"], json!(statuses));
    assert_eq!(temp["values"], json!([70.0, null, null, null, null]));
    let statuses = [
        "PRESENT",
        "NULL_VALUE",
        "NOT_FOUND",
        "OUTSIDE_MAX_AGE",
        "NOT_FOUND",
    ];
    assert_eq!(temp["statuses"], json!(statuses));
    let times = [
        "1970-01-12T13:46:39.999999Z",
        "1970-01-12T13:46:40Z",
        "1970-01-01T00:00:00Z",
        "1970-01-12T11:46:40Z",
        "1970-01-01T00:00:00Z",
    ];
    assert_eq!(temp["event_timestamps"], json!(times));
}

#[tokio::test]
async fn keys_come_first_and_features_in_the_order_asked_for() {
    let running = running().await;
    let entities = json!({ "dest": ["BOS", "BOS"], "origin": ["EWR", "EWR"] });
    let features = ["weather:temp", "distances:miles", "weather:gusts"];
    let body = json!({ "features": features, "entities": entities });
    let answer = read(&running, &body).await;
    let expected = ["origin", "dest", "temp", "miles", "gusts"];
    assert_eq!(names(&answer), expected);
    let values: Vec<&Value> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| &result["values"])
        .collect();
    // The same entity twice is answered twice.
    let expected = json!([
        ["EWR", "EWR"],
        ["BOS", "BOS"],
        [70.0, 70.0],
        [200, 200],
        [[70.0, 70.0], [70.0, 70.0]]
    ]);
    assert_eq!(json!(values), expected);

    let service = json!({ "feature_service": "both", "features": [], "entities": entities });
    let expected = ["origin", "dest", "miles", "temp"];
    assert_eq!(names(&read(&running, &service).await), expected);
}

#[tokio::test]
async fn names_are_full_and_versions_told_when_that_is_asked_for() {
    let running = running().await;
    let body = json!({
        "feature_service": "trip",
        "full_feature_names": true,
        "include_feature_view_version_metadata": true,
        "entities": { "origin": ["EWR"], "dest": ["BOS"] },
    });
    let answer = read(&running, &body).await;
    let expected = [
        "origin",
        "dest",
        "weather__temp",
        "there__temp",
        "there__gusts",
    ];
    assert_eq!(names(&answer), expected);
    let versions = json!([
        { "name": "weather", "version": 1 },
        { "name": "there", "version": 1 }
    ]);
    assert_eq!(answer["metadata"]["feature_view_metadata"], versions);
    // Each under its own key, with its own times.
    assert_eq!(answer["results"][2]["statuses"], json!(["PRESENT"]));
    assert_eq!(answer["results"][3]["statuses"], json!(["NULL_VALUE"]));
    assert_ne!(
        answer["results"][2]["event_timestamps"],
        answer["results"][3]["event_timestamps"]
    );
}

#[tokio::test]
async fn keys_are_taken_in_every_form_that_says_the_same() {
    let running = running().await;
    let body = json!({
        "features": ["everything:small"],
        "entities": { "id": [1, "1", 1.0], "unknown": ["x", "y", "z"] },
    });
    let answer = read(&running, &body).await;
    // What no feature is looked up by is left out.
    assert_eq!(names(&answer), ["id", "small"]);
    assert_eq!(answer["results"][0]["values"], json!([1, 1, 1]));
    assert_eq!(answer["results"][1]["values"], json!([-7, -7, -7]));
}

#[tokio::test]
async fn features_of_no_entity_are_the_same_for_every_row() {
    let running = running().await;
    let globe = |entities: Value| json!({ "features": ["globe:heat"], "entities": entities });
    let one = read(&running, &globe(json!({}))).await;
    assert_eq!(one["results"][0]["values"], json!([14.5]));
    let many = read(&running, &globe(json!({ "__dummy_id": ["", ""] }))).await;
    assert_eq!(many["results"][0]["values"], json!([14.5, 14.5]));
    assert_eq!(names(&many), ["heat"]);
    let beside = json!({
        "features": ["globe:heat", "weather:temp"],
        "entities": { "origin": ["EWR", "JFK"] },
    });
    let beside = read(&running, &beside).await;
    assert_eq!(beside["results"][1]["values"], json!([14.5, 14.5]));
    assert_eq!(beside["results"][2]["values"], json!([70.0, null]));
}

#[tokio::test]
async fn a_large_answer_is_that_of_its_rows_one_by_one() {
    let running = running().await;
    let features: Vec<String> = EVERYTHING
        .iter()
        .map(|(name, _)| format!("everything:{name}"))
        .collect();
    let ask = |ids: &[i64]| json!({ "features": features, "entities": { "id": ids } });
    let few = read(&running, &ask(&[1, 2, 3])).await;
    // Off the runtime's threads.
    let ids: Vec<i64> = [1, 2, 3].into_iter().cycle().take(3_000).collect();
    let many = read(&running, &ask(&ids)).await;
    for (few, many) in few["results"]
        .as_array()
        .unwrap()
        .iter()
        .zip(many["results"].as_array().unwrap())
    {
        for part in ["values", "statuses", "event_timestamps"] {
            let few = few[part].as_array().unwrap();
            let many = many[part].as_array().unwrap();
            assert_eq!(many.len(), 3_000);
            assert!(many.chunks(3).all(|rows| rows == few), "{part}");
        }
    }
}

#[tokio::test]
async fn an_answer_has_its_type_its_length_and_the_id_of_its_request() {
    let running = running().await;
    let body = json!({ "features": ["weather:temp"], "entities": { "origin": ["EWR"] } });
    let (status, head, text) = post_bytes(
        &running,
        "/get-online-features",
        "x-request-id: seven\r\n",
        body.to_string().as_bytes(),
    )
    .await;
    assert_eq!(status, 200);
    let head = head.to_lowercase();
    for line in [
        "content-type: application/json".to_owned(),
        format!("content-length: {}", text.len()),
        "x-request-id: seven".to_owned(),
    ] {
        assert!(head.contains(&line), "{head}");
    }
}
