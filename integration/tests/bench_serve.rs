//! The load generator against a served repo: what it counts, and what it says of wrong questions.

use anyhow::Result;
use fs_integration::{Online, Repo, Served};
use serde_json::Value;

const ENTITIES: [&str; 4] = [
    "--entities",
    "data/label_spine.parquet",
    "--columns",
    "origin",
];
const ROWS: u64 = 10;
const FEATURES: u64 = 3;

fn served() -> Result<(Repo, Served)> {
    let repo = Repo::flights("load", &Online::Embedded)?;
    let repo = repo.materialized("2013-01-01", "2013-01-08")?;
    let server = repo.serve(&["--now", "2013-01-08"])?;
    Ok((repo, server))
}

/// Runs `fs bench-serve` for half a second, every answer checked.
fn bench(repo: &Repo, where_to: &[&str], load: &[&str]) -> Result<Value> {
    let spine = repo.file(ENTITIES[1]);
    let spine = spine.to_string_lossy();
    let entities = [ENTITIES[0], &spine, ENTITIES[2], ENTITIES[3]];
    let question = ["--service", "weather_only", "--entities-per-request", "10"];
    let rest = [
        "--duration",
        "500ms",
        "--warm-up",
        "100ms",
        "--check-every",
        "1",
    ];
    repo.json(
        &[
            &["bench-serve"],
            where_to,
            &question,
            &entities,
            &rest,
            load,
        ]
        .concat(),
    )
}

fn number(report: &Value, pointer: &str) -> u64 {
    report.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

/// Everything was answered, and every answer had a present value for every entity and feature.
fn assert_answered(report: &Value, columns: u64) {
    let requests = number(report, "/requests");
    assert!(requests > 0, "{report:#}");
    assert_eq!(report["errors"], Value::Array(Vec::new()), "{report:#}");
    assert_eq!(number(report, "/checked/answers"), requests, "{report:#}");
    let values: u64 = ["PRESENT", "NULL_VALUE", "NOT_FOUND", "OUTSIDE_MAX_AGE"]
        .map(|status| number(report, &format!("/checked/values/{status}")))
        .iter()
        .sum();
    assert_eq!(values, requests * ROWS * columns, "{report:#}");
    assert!(number(report, "/checked/values/PRESENT") > 0, "{report:#}");
}

#[test]
fn every_wire_is_loaded_and_every_answer_checked() -> Result<()> {
    let (repo, server) = served()?;
    let grpc = ["--grpc", server.grpc.as_str()];
    let feast = [grpc[0], grpc[1], "--wire", "feast"];
    let http = ["--http", server.http.as_str()];
    assert_answered(&bench(&repo, &grpc, &["--in-flight", "4"])?, FEATURES);
    // Feast's answers have the keys as columns, too.
    assert_answered(&bench(&repo, &feast, &[])?, FEATURES + 1);
    assert_answered(&bench(&repo, &http, &["--connections", "2"])?, FEATURES + 1);
    Ok(())
}

#[test]
fn an_open_loop_asks_as_often_as_it_was_told_to() -> Result<()> {
    let (repo, server) = served()?;
    let plan = ["--rate", "100", "--arrivals", "constant"];
    let report = bench(&repo, &["--grpc", &server.grpc], &plan)?;
    assert_answered(&report, FEATURES);
    assert_eq!(number(&report, "/requests"), 50);
    Ok(())
}

#[test]
fn a_question_that_the_server_refuses_is_an_error_with_its_words() -> Result<()> {
    let (repo, server) = served()?;
    let unknown = [
        "bench-serve",
        "--grpc",
        &server.grpc,
        "--service",
        "weather_onyl",
        "--key",
        "origin=0..9",
        "--duration",
        "200ms",
        "--warm-up",
        "0",
    ];
    let error = repo.refused(&unknown, 2)?;
    let message = error["message"].as_str().unwrap_or_default();
    assert!(message.contains("NOT_FOUND"), "{message}");
    assert!(message.contains("weather_onyl"), "{message}");
    Ok(())
}

#[test]
fn a_server_that_is_not_there_is_said_to_be_so() -> Result<()> {
    let repo = Repo::empty("nobody", &Online::Embedded)?;
    let nobody = [
        "bench-serve",
        "--http",
        "127.0.0.1:1",
        "--service",
        "s",
        "--key",
        "id=0..9",
    ];
    let error = repo.refused(&nobody, 2)?;
    assert_eq!(error["code"], "UNAVAILABLE");
    Ok(())
}
