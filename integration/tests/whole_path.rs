//! From a folder of YAML to a feature vector and a training set, on both online stores.

use anyhow::{Context, Result, ensure};
use fs_integration::{Client, Online, Repo};
use fs_testkit::redis::TestRedis;
use fs_testkit::unique_project;
use serde_json::{Value, json};

const JANUARY: [&str; 2] = ["2013-01-01", "2013-02-01"];
const SERVICE: &str = "delay_model_v1";
/// Flew EWR to IAH on the last day of January.
const ENTITY: [(&str, &str); 4] = [
    ("tailnum", "N14228"),
    ("carrier", "UA"),
    ("origin", "EWR"),
    ("dest", "IAH"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_path_works_on_the_embedded_store() -> Result<()> {
    walk(&Online::Embedded).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_path_works_on_redis() -> Result<()> {
    let redis = TestRedis::shared()?;
    walk(&Online::Redis(redis.url().to_owned())).await
}

async fn walk(online: &Online) -> Result<()> {
    let repo = Repo::flights(unique_project().as_str(), online)?;

    let applied = repo.apply()?;
    assert_eq!(applied["version"], 1);
    assert_eq!(repo.apply()?["changed"], false);

    let done = repo.json(&["materialize", JANUARY[0], JANUARY[1]])?;
    let written = |view: &str| run(&done, view).map(|run| run["rows_written"].clone());
    assert_eq!(written("plane_attributes")?, 3322);
    assert_eq!(written("plane_last_arrival")?, 26_121);
    assert_eq!(
        repo.json(&["jobs", "list"])?.as_array().map(Vec::len),
        Some(9)
    );

    let mut server = repo.serve(&["--now", JANUARY[1]])?;
    assert!(server.process().try_wait()?.is_none());
    let (status, body) = server.get("/health")?;
    assert_eq!(status, 200, "{body}");

    let mut client = Client::connect(server.url()).await?;
    let unknown = [
        ("tailnum", "NOPLANE"),
        ("carrier", "??"),
        ("origin", "JFK"),
        ("dest", "IAH"),
    ];
    let answer = client.service(SERVICE, &[&ENTITY, &unknown]).await?;
    assert_eq!(answer.registry_version, 1);
    assert_eq!(
        answer.features["year"],
        [(json!(1999), 1), (Value::Null, 3)]
    );

    // The command line says the same, through the server and from the store itself.
    let entity = "tailnum=N14228,carrier=UA,origin=EWR,dest=IAH";
    let ask = [
        "get-online-features",
        "--service",
        SERVICE,
        "--entity",
        entity,
    ];
    let local = repo.json(&[&ask[..], &["--now", JANUARY[1]]].concat())?;
    let url = server.url();
    let remote = repo.json(&[&ask[..], &["--server", &url]].concat())?;
    assert_eq!(local, remote);
    let vector = &local["vectors"][0];
    for (name, cells) in &answer.features {
        assert!(
            same_in_json(&vector["features"][name], &cells[0].0),
            "{name}"
        );
    }

    // A training set, from the tables and over Flight: every row of the spine, in both.
    let spine = "data/label_spine.parquet";
    let spine = repo.file(spine).display().to_string();
    let rows = |out: &str, more: &[&str]| -> Result<Value> {
        let out = repo.file(out).display().to_string();
        let ask = [
            "get-historical-features",
            "--service",
            SERVICE,
            "--spine",
            &spine,
            "--out",
            &out,
        ];
        Ok(repo.json(&[&ask[..], more].concat())?["rows"].clone())
    };
    assert_eq!(rows("local.parquet", &[])?, 80_776);
    assert_eq!(rows("remote.parquet", &["--server", &url])?, 80_776);
    let same = fs_integration::read_parquet(&repo.file("local.parquet"))?
        == fs_integration::read_parquet(&repo.file("remote.parquet"))?;
    ensure!(same, "Flight gives another training set than the tables");

    let (status, metrics) = server.get("/metrics")?;
    assert_eq!(status, 200);
    assert!(metrics.contains("fs_"), "{metrics}");

    assert_eq!(server.stop()?.code, Some(0), "SIGTERM drains and ends well");
    Ok(())
}

/// Equal, but for the last bit of a float that reading JSON may lose.
fn same_in_json(read: &Value, exact: &Value) -> bool {
    match (read.as_f64(), exact.as_f64()) {
        (Some(read), Some(exact)) => (read - exact).abs() <= exact.abs() * 1e-15,
        _ => read == exact,
    }
}

fn run<'a>(done: &'a Value, view: &str) -> Result<&'a Value> {
    let runs = done["runs"]
        .as_array()
        .context("a materialization tells its runs")?;
    runs.iter()
        .find(|run| run["view"] == view)
        .with_context(|| format!("no run of {view}"))
}
