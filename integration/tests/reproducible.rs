//! Training sets that carry what they were made of, and are made again from it.

use std::fs::read;
use std::path::Path;

use anyhow::{Result, ensure};
use fs_integration::{Online, Repo, flight_client, parquet_record, read_parquet};
use serde_json::{Value, json};

const SERVICE: &str = "delay_model_v1";

fn repo() -> Result<Repo> {
    Repo::flights("reproducible", &Online::Embedded)?.materialized("2013-01-01", "2013-02-01")
}

/// `fs get-historical-features … --out OUT`
fn get(repo: &Repo, args: &[&str], out: &Path) -> Result<Value> {
    let out = out.display().to_string();
    let all = [&["get-historical-features"], args, &["--out", &out]].concat();
    repo.json(&all)
}

fn same_bytes(one: &Path, other: &Path) -> Result<()> {
    let (first, second) = (read(one)?, read(other)?);
    ensure!(
        first == second,
        "{} and {} differ",
        one.display(),
        other.display()
    );
    Ok(())
}

#[test]
fn a_training_set_is_reproduced_byte_for_byte_here_and_by_a_server() -> Result<()> {
    let repo = repo()?;
    let spine = repo.file("data/label_spine.parquet").display().to_string();
    let first = repo.file("first.parquet");
    let told = get(&repo, &["--service", SERVICE, "--spine", &spine], &first)?;
    assert_eq!(told["record"]["registry_version"], 1);

    // More rows arrive, and the definitions change.
    repo.json(&["materialize", "2013-02-01", "2013-03-01"])?;
    repo.edit("feature_views.yaml", "ttl: 3h", "ttl: 1h")?;
    repo.json(&["apply", "--force"])?;

    let at = first.display().to_string();
    let again = repo.file("again.parquet");
    get(&repo, &["--at-versions", &at], &again)?;
    same_bytes(&first, &again)?;
    let server = repo.serve(&[])?;
    let url = format!("http://{}", server.grpc);
    let remote = repo.file("remote.parquet");
    get(&repo, &["--at-versions", &at, "--server", &url], &remote)?;
    same_bytes(&first, &remote)?;

    let now = repo.file("now.parquet");
    let told = get(&repo, &["--service", SERVICE, "--spine", &spine], &now)?;
    assert_eq!(told["record"]["registry_version"], 2);
    ensure!(read(&first)? != read(&now)?, "nothing had changed");
    Ok(())
}

#[test]
fn pyarrow_reads_the_record_and_gets_the_training_set_again() -> Result<()> {
    let repo = repo()?;
    let server = repo.serve(&[])?;
    let spine = repo.file("data/label_spine.parquet");
    let first = repo.file("first.parquet");
    let args = [
        "--service",
        SERVICE,
        "--spine",
        &spine.display().to_string(),
    ];
    let told = get(&repo, &args, &first)?;
    let rows = repo.file("rows.parquet");
    let record = parquet_record(&first, &rows)?;
    assert_eq!(record, told["record"]);
    assert_eq!(record["feature_service"], SERVICE);

    repo.json(&["materialize", "2013-02-01", "2013-03-01"])?;
    let command = json!({ "at_versions": record });
    for mode in ["exchange", "upload"] {
        let out = repo.file(&format!("{mode}.parquet"));
        let told = flight_client(mode, &server.grpc, &rows, &command, &out)?;
        assert_eq!(told["record"], record, "{mode}");
        assert_eq!(told["record_of_file"], record, "{mode}");
        assert!(
            read_parquet(&out)?.same_rows(&read_parquet(&first)?),
            "{mode} gives other rows"
        );
        // What pyarrow wrote is a training set like ours: it can be made again.
        let at = out.display().to_string();
        let again = repo.file("again.parquet");
        get(&repo, &["--at-versions", &at], &again)?;
        assert!(read_parquet(&again)?.same_rows(&read_parquet(&first)?));
    }
    Ok(())
}

#[test]
fn a_server_saves_a_training_set_while_it_sends_it() -> Result<()> {
    let repo = repo()?;
    let server = repo.serve(&[])?;
    let url = format!("http://{}", server.grpc);
    let spine = repo.file("data/label_spine.parquet").display().to_string();
    let out = repo.file("out.parquet");
    let args = ["--service", SERVICE, "--spine", &spine, "--server", &url];
    let args = [&args[..], &["--save", "january"]].concat();
    let told = get(&repo, &args, &out)?;
    let dataset = repo.json(&["datasets", "show", "january"])?;
    assert_eq!(dataset["rows"], told["rows"]);
    assert_eq!(dataset["record"], told["record"]);
    let refused = repo.refused(
        &[
            &["get-historical-features", "--out", "x.parquet"],
            &args[..],
        ]
        .concat(),
        2,
    )?;
    assert_eq!(refused["code"], "FAILED_PRECONDITION");
    Ok(())
}
