//! What happens when something is down, changes under way, or comes from the future.

use anyhow::{Context, Result, ensure};
use fs_integration::{Client, Gate, Online, Repo};
use fs_testkit::net::{PATIENCE, wait_until};
use fs_testkit::redis::TestRedis;
use fs_testkit::unique_project;

const SERVICE: &str = "delay_model_v1";
const ENTITY: [(&str, &str); 4] = [
    ("tailnum", "N14228"),
    ("carrier", "UA"),
    ("origin", "EWR"),
    ("dest", "IAH"),
];

#[tokio::test(flavor = "multi_thread")]
async fn serving_is_unavailable_while_redis_is_away_and_recovers_by_itself() -> Result<()> {
    let mut redis = TestRedis::private()?;
    let address = redis.address()?;
    let online = Online::Redis(redis.url().to_owned());
    let repo = Repo::flights(unique_project().as_str(), &online)?
        .materialized("2013-01-01", "2013-01-08")?;
    let server = repo.serve(&["--now", "2013-01-08"])?;
    let mut client = Client::connect(server.url()).await?;
    client.service(SERVICE, &[&ENTITY]).await?;

    redis.stop()?;
    let error = client
        .service(SERVICE, &[&ENTITY])
        .await
        .err()
        .context("Redis is away")?;
    let status = error
        .downcast_ref::<tonic::Status>()
        .context("a gRPC status")?;
    assert_eq!(status.code(), tonic::Code::Unavailable);
    assert!(status.message().contains(&address), "{status:?}");
    assert_eq!(server.get("/health")?.0, 503);

    // The command line says so, too, and nothing is changed.
    let ask = [
        "get-online-features",
        "--service",
        SERVICE,
        "--entity",
        "tailnum=N14228,carrier=UA,origin=EWR,dest=IAH",
    ];
    let error = repo.refused(&ask, 2)?;
    assert_eq!(error["code"], "UNAVAILABLE");
    assert!(
        error["message"]
            .as_str()
            .unwrap_or_default()
            .contains(&address),
        "{error}"
    );

    redis.restart_on_same_port()?;
    let recovered = async {
        loop {
            match client.service(SERVICE, &[&ENTITY]).await {
                Ok(answer) => return answer,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    };
    // It came back empty: the rows are gone, the service is not.
    let answer = tokio::time::timeout(std::time::Duration::from_secs(10), recovered).await?;
    assert_eq!(answer.features["year"][0].1, 3);
    assert_eq!(server.get("/health")?.0, 200);

    // The next run sees that the online side has nothing, and publishes all of it.
    repo.json(&["materialize-incremental", "2013-01-08"])?;
    let answer = client.service(SERVICE, &[&ENTITY]).await?;
    assert_eq!(
        answer.features["year"][0],
        (serde_json::Value::from(1999), 1)
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_registry_version_is_served_without_dropping_a_request() -> Result<()> {
    let repo =
        Repo::flights("reload", &Online::Embedded)?.materialized("2013-01-01", "2013-01-08")?;
    let server = repo.serve(&["--now", "2013-01-08"])?;
    let mut client = Client::connect(server.url()).await?;
    assert_eq!(
        client.service(SERVICE, &[&ENTITY]).await?.registry_version,
        1
    );

    repo.edit(
        "feature_services.yaml",
        "features: [temp, wind_speed, precip]",
        "features: [temp, wind_speed, precip, visib]",
    )?;
    repo.apply()?;
    let reloaded = async {
        loop {
            // An error here is a dropped request.
            let answer = client.service(SERVICE, &[&ENTITY]).await?;
            ensure!(answer.features.len() == 26, "half an answer");
            if answer.registry_version == 2 {
                return Ok(());
            }
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), reloaded).await?
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_under_way_are_answered_before_the_server_ends() -> Result<()> {
    let repo =
        Repo::flights("drain", &Online::Embedded)?.materialized("2013-01-01", "2013-01-08")?;
    let mut server = repo.serve(&["--now", "2013-01-08"])?;
    // The beginning of the spine comes through, which is megabytes, and the rest when we say so.
    let gate = Gate::before(&server.grpc, 32 << 10)?;
    let url = format!("http://{}", gate.address);
    let out = repo.file("drained.parquet");
    let export = fs_testkit::process::FsProcess::spawn(&mut repo.command(&[
        "--format",
        "json",
        "get-historical-features",
        "--service",
        SERVICE,
        "--server",
        &url,
        "--spine",
        &repo.file("data/label_spine.parquet").display().to_string(),
        "--out",
        &out.display().to_string(),
    ])?)?;
    wait_until(PATIENCE, || {
        let metrics = server.get("/metrics")?.1;
        let begun = metrics.contains("fs_server_training_sets_in_flight 1\n");
        Ok(begun.then_some(()))
    })
    .with_context(|| format!("the export never began: {}", export.stderr()))?;
    server.process().terminate()?;
    wait_until(PATIENCE, || {
        let (status, health) = server.get("/health")?;
        Ok((status == 503 && health.contains("draining")).then_some(()))
    })?;
    gate.open();
    let ended = export.wait(std::time::Duration::from_mins(2))?;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(fs_integration::read_parquet(&out)?.len(), 80_776);
    assert_eq!(server.ended()?.code, Some(0));
    Ok(())
}

#[test]
fn a_registry_written_by_a_newer_version_is_refused() -> Result<()> {
    let repo = Repo::flights("newer", &Online::Embedded)?;
    repo.apply()?;
    let versions = repo.file(".fs/registry/newer/versions");
    let first = std::fs::read_to_string(versions.join("00000000000000000001.json"))?;
    let newer = first
        .replace("\"format\":1", "\"format\":99")
        .replace("\"format\": 1", "\"format\": 99");
    ensure!(newer != first, "the format is written: {first}");
    let newer = newer
        .replace("\"version\":1", "\"version\":2")
        .replace("\"version\": 1", "\"version\": 2");
    std::fs::write(versions.join("00000000000000000002.json"), newer)?;
    for command in [
        &["plan"][..],
        &["apply"],
        &["feature-views", "list"],
        &["materialize", "2013-01-01", "2013-01-02"],
    ] {
        let error = repo.refused(command, 2)?;
        assert!(
            error["message"]
                .as_str()
                .unwrap_or_default()
                .contains("upgrade fs"),
            "{error}"
        );
    }
    assert_eq!(std::fs::read_dir(versions)?.count(), 2);
    Ok(())
}

#[test]
fn a_truncated_source_fails_the_run_and_changes_nothing() -> Result<()> {
    let repo = Repo::flights("truncated", &Online::Embedded)?;
    repo.edit("sources.yaml", "data/weather.parquet", "weather.parquet")?;
    let whole = std::fs::read(repo.file("data/weather.parquet"))?;
    std::fs::write(repo.file("weather.parquet"), &whole)?;
    repo.json(&["apply"])?;
    repo.json(&["materialize", "2013-01-01", "2013-01-08"])?;
    let ask = [
        "get-online-features",
        "--features",
        "origin_weather:temp",
        "--entity",
        "origin=EWR",
        "--now",
        "2013-01-08",
    ];
    let before = repo.json(&ask)?;

    std::fs::write(repo.file("weather.parquet"), &whole[..whole.len() / 2])?;
    let error = repo.refused(
        &[
            "materialize",
            "2013-01-01",
            "2013-01-15",
            "--views",
            "origin_weather",
        ],
        2,
    )?;
    assert!(
        error["message"]
            .as_str()
            .unwrap_or_default()
            .contains("weather.parquet"),
        "{error}"
    );
    assert_eq!(repo.json(&ask)?, before);
    let error = repo.refused(&["validate"], 2)?;
    assert_eq!(error["details"]["problems"][0]["file"], "sources.yaml");

    // And whole again, it goes on.
    std::fs::write(repo.file("weather.parquet"), &whole)?;
    repo.json(&["materialize", "2013-01-01", "2013-01-15"])?;
    Ok(())
}
