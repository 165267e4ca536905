//! Clients that know nothing of this project: pyarrow over Flight, grpcio over the protos.

use anyhow::Result;
use fs_integration::{Online, Repo, flight_client, grpc_client, read_parquet};
use serde_json::json;

fn repo() -> Result<Repo> {
    Repo::flights("foreign", &Online::Embedded)?.materialized("2013-01-01", "2013-02-01")
}

#[test]
fn pyarrow_gets_the_same_training_set_by_exchange_and_by_upload() -> Result<()> {
    let repo = repo()?;
    let server = repo.serve(&[])?;
    let spine = repo.file("data/label_spine.parquet");
    let ours = repo.file("ours.parquet");
    repo.json(&[
        "get-historical-features",
        "--service",
        "delay_model_v1",
        "--spine",
        &spine.display().to_string(),
        "--out",
        &ours.display().to_string(),
    ])?;
    let command = json!({ "feature_service": "delay_model_v1" });
    for mode in ["exchange", "upload"] {
        let out = repo.file(&format!("{mode}.parquet"));
        let told = flight_client(mode, &server.grpc, &spine, &command, &out)?;
        assert_eq!(told["rows"], 80_776, "{mode}");
        assert!(
            read_parquet(&out)?.same_rows(&read_parquet(&ours)?),
            "{mode} gives other rows"
        );
    }
    Ok(())
}

#[test]
fn grpcio_needs_only_the_proto_files() -> Result<()> {
    let repo = repo()?;
    let server = repo.serve(&["--now", "2013-02-01"])?;
    let keys = |values: &[&str]| json!({ "strings": { "values": values } });
    let answer = grpc_client(
        &server.grpc,
        &json!({
            "features": { "features": ["plane_attributes:year", "plane_attributes:manufacturer"] },
            "entities": [{ "name": "tailnum", "values": keys(&["N14228", "NOPLANE"]) }],
        }),
    )?;
    assert_eq!(answer["row_count"], 2);
    assert_eq!(answer["columns"][0]["name"], "year");
    assert_eq!(
        answer["columns"][0]["values"]["int32s"]["values"],
        json!([1999, 0])
    );
    assert_eq!(
        answer["columns"][1]["values"]["strings"]["values"][0],
        "BOEING"
    );
    // PRESENT and NOT_FOUND, a byte each.
    assert_eq!(answer["columns"][0]["statuses"], "AQM=");

    let refused = grpc_client(
        &server.grpc,
        &json!({
            "features": { "features": ["plane_attributes:yaer"] },
            "entities": [{ "name": "tailnum", "values": keys(&["N14228"]) }],
        }),
    )?;
    assert_eq!(refused["code"], "NOT_FOUND");
    let message = refused["message"].as_str().unwrap_or_default();
    assert!(message.contains("did you mean `year`?"), "{message}");
    Ok(())
}
