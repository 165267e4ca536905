//! A Redis that goes away in the middle of publishing.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fs_integration::generations::{self, NOW, Newest, Tables, WINDOW, log};
use fs_integration::{Call, Chance, Online, Readers, Repo};
use fs_testkit::process::{Ended, FsProcess};
use fs_testkit::redis::TestRedis;
use fs_testkit::unique_project;
use tonic::Code;

const ROUNDS: i64 = 5;

const MATERIALIZE: [&str; 5] = ["materialize", WINDOW[0], WINDOW[1], "--now", NOW];

const PATIENCE: Duration = Duration::from_mins(1);

/// How many calls of scripts the server has answered: only who publishes makes them.
fn script_calls(redis: &mut redis::Connection) -> Result<u64> {
    let stats: String = redis::cmd("INFO").arg("commandstats").query(redis)?;
    let calls = stats.lines().filter_map(|line| {
        let (_, rest) = line.split_once("cmdstat_evalsha:calls=")?;
        rest.split(',').next()?.parse::<u64>().ok()
    });
    Ok(calls.sum())
}

/// Starts a run and returns once its rows are committed, and what the server had answered by then.
fn ingested(repo: &Repo, redis: &mut redis::Connection) -> Result<(FsProcess, u64)> {
    let mut run = FsProcess::spawn(&mut repo.command(&MATERIALIZE)?)?;
    run.wait_for_line("looking for what changed")?;
    Ok((run, script_calls(redis)?))
}

/// How many calls of scripts publishing takes that nobody disturbs.
fn undisturbed(repo: &Repo, redis: &TestRedis) -> Result<u64> {
    let mut redis = redis.connect()?;
    let (run, before) = ingested(repo, &mut redis)?;
    run.wait(PATIENCE)?.success()?;
    Ok(script_calls(&mut redis)? - before)
}

/// Starts a run and returns while it publishes: once the server has answered some of its calls.
fn while_publishing(
    repo: &Repo,
    redis: &TestRedis,
    chance: &mut Chance,
    calls: u64,
) -> Result<FsProcess> {
    let mut redis = redis.connect()?;
    let (mut run, before) = ingested(repo, &mut redis)?;
    let until = before + chance.below(calls);
    let deadline = Instant::now() + PATIENCE;
    while script_calls(&mut redis)? < until && run.try_wait()?.is_none() {
        ensure!(Instant::now() < deadline, "it never published");
    }
    Ok(run)
}

/// The table has the new rows, and the run has ended well or said what is away.
fn table_is_written(repo: &Repo, ended: &Ended, generation: i64, address: &str) -> Result<()> {
    let last = ended.stderr.lines().last().unwrap_or_default();
    eprintln!("{:?}: {last}", ended.code);
    ensure!(
        ended.code == Some(0) || ended.stderr.contains(address),
        "it does not say what is away: {ended:?}"
    );
    let log = log(repo)?;
    let newest = log.newest().context("there is no table")?;
    let rows = log.rows(newest)?.context("the table is empty")?;
    let found = generations::generation(&rows)?;
    ensure!(found == generation, "generation {found} is offline");
    Ok(())
}

/// A lookup cannot be answered by a store that is away; it fails, and says so.
fn is_away(call: &Call) -> bool {
    let codes = [Code::Unavailable, Code::DeadlineExceeded, Code::Cancelled];
    matches!(&call.end, Err((code, _)) if codes.contains(code))
}

async fn killed(name: &str, arguments: &[&str], question: Newest) -> Result<()> {
    let mut chance = Chance::new(name);
    let mut redis = TestRedis::private_with(arguments)?;
    let address = redis.address()?;
    let online = Online::Redis(redis.url().to_owned());
    let repo = Arc::new(generations::repo(unique_project().as_str(), &online)?);
    repo.run(&MATERIALIZE)?.success()?;
    let calls = undisturbed(&repo, &redis)?;
    let readers = Readers::start(&repo, question).await?;
    for generation in 2..=ROUNDS {
        generations::write(&repo, generation)?;
        let run = while_publishing(&repo, &redis, &mut chance, calls)?;
        redis.stop()?;
        table_is_written(&repo, &run.wait(PATIENCE)?, generation, &address)?;
        redis.restart_on_same_port()?;
        let newer = Tables::of(&repo)?.online_of(generation);
        eprintln!("{newer} rows were published");
        repo.run(&MATERIALIZE)?.success()?;
        Tables::of(&repo)?.expect_all_of(generation)?;
    }
    readers.stop(is_away).await
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_may_die_while_rows_are_published_and_come_back_empty() -> Result<()> {
    killed("redis dies", &[], Newest::perhaps_lost()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_may_die_while_rows_are_published_and_come_back_with_some_of_them() -> Result<()> {
    // What was acknowledged is on disk, so that no reader sees a row that is gone after the restart.
    let kept = ["--appendonly", "yes", "--appendfsync", "always"];
    killed("redis dies, rows kept", &kept, Newest::kept()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_may_hang_while_rows_are_published_and_go_on() -> Result<()> {
    let mut chance = Chance::new("redis hangs");
    let mut redis = TestRedis::private()?;
    let address = redis.address()?;
    let online = Online::Redis(redis.url().to_owned());
    let repo = Arc::new(generations::repo(unique_project().as_str(), &online)?);
    repo.run(&MATERIALIZE)?.success()?;
    let calls = undisturbed(&repo, &redis)?;
    let readers = Readers::start(&repo, Newest::kept()).await?;
    for generation in 2..=ROUNDS {
        generations::write(&repo, generation)?;
        let run = while_publishing(&repo, &redis, &mut chance, calls)?;
        redis.freeze()?;
        // Shorter or longer than anybody waits for it.
        thread::sleep(chance.moment(Duration::from_secs(3)));
        redis.thaw()?;
        table_is_written(&repo, &run.wait(PATIENCE)?, generation, &address)?;
        repo.run(&MATERIALIZE)?.success()?;
        Tables::of(&repo)?.expect_all_of(generation)?;
    }
    readers.stop(is_away).await
}
