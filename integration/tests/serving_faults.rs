//! Serving under load while what it depends on dies, hangs, changes, or is fed garbage.

mod serving_faults {
    pub(crate) mod questions;
}

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fs_integration::{CALL_TIME, Call, Load, Online, Repo};
use fs_testkit::redis::TestRedis;
use fs_testkit::unique_project;
use serving_faults::questions::{Flights, Numbers, write_numbers};
use tonic::Code;

const CLIENTS: usize = 6;

/// How soon after its return Redis is to be served from again.
const AGAIN: Duration = Duration::from_secs(1);

fn codes(calls: &[Call]) -> Vec<Code> {
    let ends = calls.iter().filter_map(|call| call.end.as_ref().err());
    ends.map(|(code, _)| *code).collect()
}

/// When the first call after `from` was answered.
fn first_answer(calls: &[Call], from: Instant) -> Result<Duration> {
    let answered = calls.iter().filter(|call| call.end.is_ok());
    let ends = answered.map(|call| call.asked + call.took);
    let first = ends.filter(|end| *end >= from).min();
    Ok(first.context("nothing was answered")? - from)
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_may_be_killed_under_load_and_come_back() -> Result<()> {
    let mut redis = TestRedis::private()?;
    let online = Online::Redis(redis.url().to_owned());
    let repo = Repo::flights(unique_project().as_str(), &online)?
        .materialized("2013-01-01", "2013-01-08")?;
    let server = repo.serve(&["--now", "2013-01-08"])?;
    let load = Load::start(&server.url(), CLIENTS, Flights).await?;
    load.answers(100).await?;

    let gone = Instant::now();
    redis.stop()?;
    tokio::time::sleep(Duration::from_millis(500)).await;
    redis.restart_on_same_port()?;
    let back = Instant::now();
    load.answers(100).await?;
    repo.json(&["materialize-incremental", "2013-01-08"])?;
    load.answers(100).await?;
    let calls = load.stop().await?;

    let failed = calls.iter().filter(|call| call.end.is_err());
    for call in failed {
        let end = call.asked + call.took;
        ensure!(
            end >= gone && call.asked <= back + AGAIN,
            "it failed while Redis was there: {call:?}, {:?} after its return",
            call.asked.saturating_duration_since(back)
        );
    }
    let codes = codes(&calls);
    ensure!(!codes.is_empty(), "nobody noticed");
    ensure!(
        codes.iter().all(|code| *code == Code::Unavailable),
        "{codes:?}"
    );
    let again = first_answer(&calls, back)?;
    ensure!(again <= AGAIN, "it took {again:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_may_hang_under_load_and_go_on() -> Result<()> {
    let mut redis = TestRedis::private()?;
    let online = Online::Redis(redis.url().to_owned());
    let repo = Repo::flights(unique_project().as_str(), &online)?
        .materialized("2013-01-01", "2013-01-08")?;
    let server = repo.serve(&["--now", "2013-01-08"])?;
    let load = Load::start(&server.url(), CLIENTS, Flights).await?;
    load.answers(100).await?;

    redis.freeze()?;
    // Longer than any call waits: every call that begins now ends by its deadline.
    tokio::time::sleep(CALL_TIME + Duration::from_millis(500)).await;
    redis.thaw()?;
    let back = Instant::now();
    load.answers(100).await?;
    let calls = load.stop().await?;

    let codes = codes(&calls);
    ensure!(!codes.is_empty(), "nobody noticed");
    let expected = [Code::DeadlineExceeded, Code::Unavailable, Code::Cancelled];
    ensure!(
        codes.iter().all(|code| expected.contains(code)),
        "{codes:?}"
    );
    let again = first_answer(&calls, back)?;
    ensure!(again <= AGAIN, "it took {again:?}");
    let late = calls.iter().filter(|call| call.asked > back + AGAIN);
    ensure!(late.clone().all(|call| call.end.is_ok()), "it failed later");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_version_is_applied_under_load_without_a_failed_request() -> Result<()> {
    let redis = TestRedis::shared()?;
    let online = Online::Redis(redis.url().to_owned());
    let repo = Repo::flights(unique_project().as_str(), &online)?
        .materialized("2013-01-01", "2013-01-08")?;
    let server = repo.serve(&["--now", "2013-01-08"])?;
    let load = Load::start(&server.url(), CLIENTS, Flights).await?;
    for version in 2..=4 {
        load.answers(50).await?;
        let description = format!("description: An aircraft, version {version}");
        let before = match version {
            2 => "description: An aircraft, by its tail number".to_owned(),
            _ => format!("description: An aircraft, version {}", version - 1),
        };
        repo.edit("entities.yaml", &before, &description)?;
        repo.apply()?;
        let metrics = format!("fs_server_registry_version {version}\n");
        fs_testkit::net::wait_until(fs_testkit::net::PATIENCE, || {
            Ok(server.get("/metrics")?.1.contains(&metrics).then_some(()))
        })?;
    }
    load.answers(50).await?;
    let calls = load.stop().await?;
    ensure!(codes(&calls).is_empty(), "{:?}", codes(&calls));
    let newest = calls.iter().filter_map(|call| call.end.as_ref().ok()).max();
    assert_eq!(newest, Some(&4));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_never_see_half_a_row_while_materializations_are_killed() -> Result<()> {
    let redis = TestRedis::shared()?;
    let online = Online::Redis(redis.url().to_owned());
    let repo = Repo::empty(unique_project().as_str(), &online)?;
    write_numbers(&repo, 1)?;
    let repo = repo.materialized("2013-01-01", "2013-01-02")?;
    let server = repo.serve(&["--now", "2013-02-01"])?;
    let numbers = Numbers::default();
    let load = Load::start(&server.url(), CLIENTS, numbers.clone()).await?;
    for round in 2..=5 {
        write_numbers(&repo, round)?;
        let end = format!("2013-01-{:02}", round + 1);
        let materialize = ["materialize", "2013-01-01", &end, "--now", "2013-02-01"];
        let mut run = fs_testkit::process::FsProcess::spawn(&mut repo.command(&materialize)?)?;
        // As soon as somebody has seen a new row, the others are being written.
        let seen = async {
            while numbers.newest() < round {
                ensure!(run.try_wait()?.is_none(), "it ended before it was seen");
                tokio::task::yield_now().await;
            }
            Ok(())
        };
        tokio::time::timeout(fs_testkit::net::PATIENCE, seen).await??;
        run.kill()?;
        load.answers(20).await?;
    }
    repo.json(&[
        "materialize",
        "2013-01-01",
        "2013-01-06",
        "--now",
        "2013-02-01",
    ])?;
    let calls = load.stop().await?;
    ensure!(codes(&calls).is_empty(), "{:?}", codes(&calls));
    Ok(())
}
