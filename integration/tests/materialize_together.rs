//! Materializations of one view that run at once.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fs_integration::generations::{self, NOW, Newest, Tables, WINDOW, log};
use fs_integration::{Chance, Online, Readers, Repo};
use fs_testkit::process::FsProcess;
use fs_testkit::redis::TestRedis;
use fs_testkit::unique_project;

const ROUNDS: i64 = 6;

/// How many run at once.
const RUNS: usize = 2;

const PATIENCE: Duration = Duration::from_mins(2);

fn materialize(repo: &Repo, window: [&str; 2]) -> Result<FsProcess> {
    let words = ["materialize", window[0], window[1], "--now", NOW];
    FsProcess::spawn(&mut repo.command(&words)?)
}

/// Waits for the runs. Each must have ended well, or have been turned away.
fn all_ended(runs: Vec<FsProcess>) -> Result<usize> {
    let mut done = 0;
    for run in runs {
        let ended = run.wait(PATIENCE)?;
        if ended.code == Some(0) {
            done += 1;
            continue;
        }
        eprintln!("turned away: {}", ended.stderr);
        ensure!(
            ended.stderr.contains("materializ") && !ended.stderr.contains("panicked"),
            "it does not say who was first: {ended:?}"
        );
    }
    ensure!(done > 0, "all were turned away");
    Ok(done)
}

fn undisturbed(repo: &Repo) -> Result<Duration> {
    let began = Instant::now();
    materialize(repo, WINDOW)?.wait(PATIENCE)?.success()?;
    Ok(began.elapsed())
}

async fn same_window(name: &str, online: &Online) -> Result<()> {
    let mut chance = Chance::new(name);
    let repo = Arc::new(generations::repo(unique_project().as_str(), online)?);
    undisturbed(&repo)?;
    let took = undisturbed(&repo)?;
    let readers = Readers::start(&repo, Newest::kept()).await?;
    for generation in 2..=ROUNDS {
        generations::write(&repo, generation)?;
        let mut runs = Vec::new();
        for _ in 0..RUNS {
            runs.push(materialize(&repo, WINDOW)?);
            // So that they meet at other points every time; nothing is waited for.
            thread::sleep(chance.moment(took / 2));
        }
        let done = all_ended(runs)?;
        eprintln!("generation {generation}: {done} of {RUNS} ran");
        Tables::of(&repo)?.expect_all_of(generation)?;
    }
    readers.stop(|_| false).await?;
    let log = log(&repo)?;
    for version in log.versions() {
        if let Some(rows) = log.rows(version.number)? {
            generations::generation(&rows)?;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_one_window_at_once_leave_one_whole_window_in_delta_and_redis() -> Result<()> {
    let redis = TestRedis::private()?;
    same_window("together, redis", &Online::Redis(redis.url().to_owned())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_of_one_window_at_once_leave_one_whole_window_in_delta_and_lmdb() -> Result<()> {
    same_window("together, lmdb", &Online::Embedded).await
}

#[test]
fn runs_of_windows_that_overlap_leave_every_day_whole() -> Result<()> {
    let mut chance = Chance::new("together, overlapping");
    let repo = generations::repo(unique_project().as_str(), &Online::Embedded)?;
    undisturbed(&repo)?;
    let took = undisturbed(&repo)?;
    // Days 0 to 5, and days 4 to 9.
    let windows = [["2026-01-01", "2026-01-07"], ["2026-01-05", "2026-01-11"]];
    for round in 1..ROUNDS {
        let generation = 2 * round;
        generations::write(&repo, generation)?;
        let first = chance.below(2) == 0;
        let (one, other) = if first { (0, 1) } else { (1, 0) };
        let run = materialize(&repo, windows[one])?;
        thread::sleep(chance.moment(took));
        let later = materialize(&repo, windows[other])?;
        let done = all_ended(vec![run, later])?;
        let log = log(&repo)?;
        let newest = log.newest().context("there is no table")?;
        for version in newest.saturating_sub(3)..=newest {
            let rows = log.rows(version)?.context("the table is empty")?;
            let days = generations::generations(&rows)?;
            let (early, late) = (&days[..4], &days[6..]);
            for half in [early, late] {
                ensure!(
                    half.iter().all(|day| *day == half[0]),
                    "half a window: {days:?}"
                );
            }
            if version == newest && done == 2 {
                let is_newest = days.iter().all(|day| *day == generation);
                ensure!(is_newest, "both ran, and {days:?} are there");
            }
        }
    }
    Ok(())
}
