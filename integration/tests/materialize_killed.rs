//! Materializations that are killed again and again, at random points, while people read.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use arrow::array::RecordBatch;
use fs_integration::generations::{self, DAYS, NOW, Newest, Tables, WINDOW, log};
use fs_integration::{Chance, Online, Readers, Repo};
use fs_testkit::process::FsProcess;
use fs_testkit::redis::TestRedis;
use fs_testkit::unique_project;

/// How often a new generation is materialized.
const ROUNDS: i64 = 6;

/// How often a table is made from nothing.
const FIRST_RUNS: u32 = 5;

const PATIENCE: Duration = Duration::from_mins(1);

/// Replaces all days at once.
const AT_ONCE: &[&str] = &["materialize", WINDOW[0], WINDOW[1], "--now", NOW];

/// Replaces a day or two at a time.
const IN_CHUNKS: &[&str] = &[
    "materialize",
    WINDOW[0],
    WINDOW[1],
    "--now",
    NOW,
    "--chunk-rows",
    "2000",
];

/// What a run prints as it goes on.
const STEPS: [&str; 2] = ["reading the source", "publishing"];

/// How long after its beginning a run that nobody disturbs prints each of those, and ends.
fn undisturbed(repo: &Repo, words: &[&str]) -> Result<Vec<Duration>> {
    let began = Instant::now();
    let mut run = FsProcess::spawn(&mut repo.command(words)?)?;
    let mut moments = vec![Duration::ZERO];
    for step in STEPS {
        run.wait_for_line(step)?;
        moments.push(began.elapsed());
    }
    run.wait(PATIENCE)?.success()?;
    moments.push(began.elapsed());
    Ok(moments)
}

/// Begins a run and kills it at some moment: before it reads, while it reads or while it publishes.
fn kill_one(repo: &Repo, words: &[&str], chance: &mut Chance, moments: &[Duration]) -> Result<()> {
    let mut run = FsProcess::spawn(&mut repo.command(words)?)?;
    // Most of what can be broken is broken late.
    let step = [0, 1, 1, 2, 2][usize::try_from(chance.below(5))?];
    if step > 0 {
        run.wait_for_line(STEPS[step - 1])?;
    }
    let moment = chance.moment(moments[step + 1].saturating_sub(moments[step]));
    // The moment is the fault itself: nothing is waited for.
    thread::sleep(moment);
    let ended = run.try_wait()?.is_some();
    let printed = run.stderr();
    let last = printed.lines().last().unwrap_or("nothing was printed");
    eprintln!("killed {moment:?} after step {step}, ended: {ended}; {last}");
    run.kill()?;
    run.wait(PATIENCE)?;
    Ok(())
}

/// Every version of the table is there, is what a run of the window left, and has rows of one
/// generation.
fn every_version_is_explained(repo: &Repo, generations: i64) -> Result<()> {
    let log = log(repo)?;
    let mut seen = BTreeSet::new();
    for version in log.versions() {
        let number = version.number;
        let is_data = !version.added.is_empty() || !version.removed.is_empty();
        if !is_data {
            let names: Vec<&String> = version.transactions.keys().collect();
            let is_known = number == 0 || names.iter().all(|name| name.starts_with("fs."));
            ensure!(is_known, "version {number} is nobody's: {version:?}");
            continue;
        }
        let window = &version.info["fs.window"];
        ensure!(
            window.is_object(),
            "version {number} is of no run: {version:?}"
        );
        let rows = log.rows(number)?;
        let rows = rows.with_context(|| format!("version {number} is empty"))?;
        let generation = generations::generation(&rows);
        seen.insert(generation.with_context(|| format!("version {number}"))?);
    }
    ensure!(
        seen.last() == Some(&generations),
        "the last generation is not there: {seen:?}"
    );
    eprintln!("{} versions of {seen:?}", log.versions().len());
    Ok(())
}

async fn killed(name: &str, online: &Online) -> Result<()> {
    let mut chance = Chance::new(name);
    let calm = generations::repo(unique_project().as_str(), online)?;
    calm.run(AT_ONCE)?.success()?;
    let moments = undisturbed(&calm, AT_ONCE)?;

    let repo = Arc::new(generations::repo(unique_project().as_str(), online)?);
    repo.run(AT_ONCE)?.success()?;
    let readers = Readers::start(&repo, Newest::kept()).await?;
    for generation in 2..=ROUNDS {
        generations::write(&repo, generation)?;
        for _ in 0..=chance.below(2) {
            kill_one(&repo, AT_ONCE, &mut chance, &moments)?;
        }
        repo.run(AT_ONCE)?.success()?;
        let tables = Tables::of(&repo)?;
        tables
            .expect_all_of(generation)
            .with_context(|| format!("in generation {generation}"))?;
    }
    readers.stop(|_| false).await?;
    generations::write(&calm, ROUNDS)?;
    calm.run(AT_ONCE)?.success()?;
    Tables::of(&repo)?.expect(&Tables::of(&calm)?)?;
    every_version_is_explained(&repo, ROUNDS)
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_killed_anywhere_and_repeated_leave_what_undisturbed_runs_leave_in_delta_and_redis()
-> Result<()> {
    let redis = TestRedis::private()?;
    killed("killed, redis", &Online::Redis(redis.url().to_owned())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_killed_anywhere_and_repeated_leave_what_undisturbed_runs_leave_in_delta_and_lmdb()
-> Result<()> {
    killed("killed, lmdb", &Online::Embedded).await
}

/// Every version that has rows of the newest generation has those of more days, from the first on, than
/// the version before: no chunk was written twice, and none was left out.
fn every_chunk_is_written_once(repo: &Repo, since: u64, generation: i64) -> Result<()> {
    let log = log(repo)?;
    let mut done = 0;
    for version in log
        .versions()
        .iter()
        .filter(|version| version.number > since)
    {
        if version.added.is_empty() {
            continue;
        }
        let rows = log.rows(version.number)?.context("the table is empty")?;
        let days = generations::generations(&rows)?;
        let newest = days.iter().take_while(|day| **day == generation).count();
        let is_older = |day: &i64| *day == generation - 1;
        // A run that had written all of them, and was killed later, begins anew.
        let is_more = newest > done || newest == days.len();
        ensure!(
            is_more && days[newest..].iter().all(is_older),
            "version {} has {days:?}, and {done} days were there",
            version.number
        );
        done = newest;
    }
    ensure!(done == usize::try_from(DAYS)?, "{done} days were written");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_run_that_is_killed_goes_on_in_the_chunk_that_it_was_in() -> Result<()> {
    let mut chance = Chance::new("killed, in chunks");
    let repo = generations::repo(unique_project().as_str(), &Online::Embedded)?;
    let repo = Arc::new(repo);
    repo.run(IN_CHUNKS)?.success()?;
    let moments = undisturbed(&repo, IN_CHUNKS)?;
    // While it goes on some days are newer than others, each of them whole.
    let whole = |rows: &RecordBatch| generations::generations(rows).map(drop);
    let readers = Readers::of(&repo, Newest::kept(), whole).await?;
    for generation in 2..=ROUNDS {
        generations::write(&repo, generation)?;
        let before = log(&repo)?.newest().context("there is no table")?;
        for _ in 0..=chance.below(2) {
            kill_one(&repo, IN_CHUNKS, &mut chance, &moments)?;
        }
        repo.run(IN_CHUNKS)?.success()?;
        every_chunk_is_written_once(&repo, before, generation)?;
        Tables::of(&repo)?.expect_all_of(generation)?;
    }
    readers.stop(|_| false).await
}

#[test]
fn first_runs_killed_anywhere_and_repeated_leave_what_undisturbed_runs_leave() -> Result<()> {
    let mut chance = Chance::new("first runs killed");
    let calm = generations::repo(unique_project().as_str(), &Online::Embedded)?;
    let moments = undisturbed(&calm, AT_ONCE)?;
    let undisturbed = Tables::of(&calm)?;
    for _ in 0..FIRST_RUNS {
        let repo = generations::repo(unique_project().as_str(), &Online::Embedded)?;
        for _ in 0..=chance.below(3) {
            kill_one(&repo, AT_ONCE, &mut chance, &moments)?;
        }
        repo.run(AT_ONCE)?.success()?;
        Tables::of(&repo)?.expect(&undisturbed)?;
        every_version_is_explained(&repo, 1)?;
    }
    Ok(())
}
