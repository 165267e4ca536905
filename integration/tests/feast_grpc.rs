//! gRPC clients of Feast: stubs of the feast package, and stubs generated from our protos.

use anyhow::{Context, Result};
use fs_integration::{Online, Repo, feast_grpc, feast_protos_compared};
use serde_json::{Value, json};

#[test]
fn our_protos_are_those_of_feast_as_far_as_they_go() -> Result<()> {
    let compared = feast_protos_compared()?;
    assert_eq!(compared["different"], json!({}), "{compared}");
    assert!(compared["compared"].as_u64() > Some(100), "{compared}");
    Ok(())
}

#[test]
fn stubs_of_feast_and_of_our_protos_read_and_write() -> Result<()> {
    let repo =
        Repo::flights("feast_grpc", &Online::Embedded)?.materialized("2013-01-01", "2013-02-01")?;
    let server = repo.serve(&["--now", "2013-02-01"])?;
    let texts = |values: &[&str]| {
        let values = values.iter().map(|text| json!({ "string_val": text }));
        json!({ "val": values.collect::<Vec<_>>() })
    };
    let read = json!({
        "features": { "val": ["plane_attributes:year", "plane_attributes:manufacturer"] },
        "entities": { "tailnum": texts(&["N14228", "NOPLANE"]) },
    });
    let plane = |tailnum: &str, year: i64| {
        json!({
            "tailnum": { "string_val": tailnum },
            "year": { "int64_val": year.to_string() },
            "manufacturer": { "string_val": "CESSNA" },
            "model": { "null_val": "NULL" },
            "seats": { "int32_val": 4 },
            "engines": {},
            "event_timestamp": { "unix_timestamp_val": "1358000000" },
        })
    };
    let written = json!({
        "features": { "val": ["plane_attributes:year", "plane_attributes:model"] },
        "entities": { "tailnum": texts(&["NEW-theirs", "NEW-ours"]) },
    });
    for (which, year) in [("theirs", 1981), ("ours", 1982)] {
        let row = plane(&format!("NEW-{which}"), year);
        let both = json!({
            "feature_view_name": "plane_attributes",
            "typed_features": row,
            "features": { "tailnum": "x" },
        });
        let push =
            json!({ "stream_feature_view": "planes", "to": "online", "typed_features": row });
        let calls = json!([
            ["ServingService", "GetOnlineFeatures", read],
            ["GrpcFeatureServer", "GetOnlineFeatures", read],
            ["ServingService", "GetFeastServingInfo", {}],
            ["GrpcFeatureServer", "Push", push, { "idempotency-key": which }],
            ["GrpcFeatureServer", "WriteToOnlineStore", both],
            ["GrpcFeatureServer", "GetOnlineFeatures", written],
            ["ServingService", "GetOnlineFeatures", { "feature_service": "weather_olny" }],
        ]);
        let calls = calls.as_array().context("a list")?.iter();
        let calls: Vec<Value> = calls.map(with_metadata).collect();
        let answers = feast_grpc(which, &server.grpc, &json!(calls))?;

        let epoch = "1970-01-01T00:00:00Z";
        assert_eq!(answers[0], answers[1]);
        let names = json!(["tailnum", "year", "manufacturer"]);
        assert_eq!(answers[0]["metadata"]["feature_names"]["val"], names);
        let key = &answers[0]["results"][0];
        assert_eq!(key["event_timestamps"], json!([epoch, epoch]));
        let year_of = &answers[0]["results"][1];
        assert_eq!(year_of["values"], json!([{ "int32_val": 1999 }, {}]));
        assert_eq!(year_of["statuses"], json!(["PRESENT", "NOT_FOUND"]));
        assert_ne!(year_of["event_timestamps"][0], json!(epoch));
        assert_eq!(year_of["event_timestamps"][1], json!(epoch));
        let maker = &answers[0]["results"][2]["values"];
        assert_eq!(maker[0], json!({ "string_val": "BOEING" }));

        assert!(answers[2]["version"].is_string());
        assert_eq!(answers[3], json!({ "status": true }), "{answers}");
        assert_eq!(answers[4]["code"], "INVALID_ARGUMENT");
        let years = &answers[5]["results"][1];
        let mine = usize::from(which == "ours");
        assert_eq!(years["values"][mine], json!({ "int32_val": year }));
        assert_eq!(answers[5]["results"][2]["statuses"][mine], "NULL_VALUE");
        assert_eq!(answers[6]["code"], "NOT_FOUND");
        let message = answers[6]["message"].as_str().unwrap_or_default();
        assert!(
            message.contains("did you mean `weather_only`?"),
            "{message}"
        );
    }
    Ok(())
}

/// Every call has metadata, if only none.
fn with_metadata(call: &Value) -> Value {
    let mut call = call.as_array().cloned().unwrap_or_default();
    call.resize(4, Value::Null);
    json!(call)
}
