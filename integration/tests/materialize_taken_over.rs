//! A materialization that freezes while it holds the lease of its view, and wakes up after another has
//! taken over, on machines whose clocks disagree by minutes.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fs_integration::generations::{self, NOW, Newest, Tables, VIEW, WINDOW, log};
use fs_integration::{Chance, LeaseFile, Online, Readers, Repo, SkewedClock};
use fs_testkit::process::FsProcess;
use fs_testkit::redis::TestRedis;
use fs_testkit::unique_project;

const ROUNDS: i64 = 4;

/// How long a lease stands whose holder is not heard of.
const TTL: &str = "2s";

const PATIENCE: Duration = Duration::from_mins(1);

/// Seconds by which clocks are wrong.
const SKEWS: [i64; 3] = [-60, 0, 60];

fn materialize(repo: &Repo, clock: &SkewedClock, chance: &mut Chance) -> Result<FsProcess> {
    let words = ["materialize", WINDOW[0], WINDOW[1], "--now", NOW];
    let mut command = repo.command(&words)?;
    let skew = SKEWS[usize::try_from(chance.below(3))?];
    clock.shift(command.env("FS_LEASE_TTL", TTL), skew);
    FsProcess::spawn(&mut command)
}

/// Nobody wrote to the table under a smaller fence than was shown before.
fn fences_never_go_back(repo: &Repo) -> Result<()> {
    let mut greatest = 0;
    for version in log(repo)?.versions() {
        if let Some(fence) = version.transactions.get("fs.fence") {
            let number = version.number;
            ensure!(
                *fence >= greatest,
                "version {number} is of fence {fence}, after {greatest}"
            );
            greatest = *fence;
        }
    }
    ensure!(greatest > 0, "nobody showed a fence");
    Ok(())
}

async fn frozen(name: &str, online: &Online) -> Result<()> {
    let mut chance = Chance::new(name);
    let clock = SkewedClock::new()?;
    let repo = Arc::new(generations::repo(unique_project().as_str(), online)?);
    let first = materialize(&repo, &clock, &mut chance)?;
    first.wait(PATIENCE)?.success()?;
    let began = Instant::now();
    let second = materialize(&repo, &clock, &mut chance)?;
    second.wait(PATIENCE)?.success()?;
    let took = began.elapsed();
    let readers = Readers::start(&repo, Newest::kept()).await?;
    for round in 1..=ROUNDS {
        generations::write(&repo, 2 * round)?;
        let lease = LeaseFile::read(&repo, VIEW)?.context("the view had a lease")?;
        let mut frozen = materialize(&repo, &clock, &mut chance)?;
        let held = LeaseFile::wait_until_held(&repo, VIEW, lease.fence + 1)?;
        ensure!(held.holder == Some(frozen.id()), "somebody else has it");
        // The moment of the fault; nothing is waited for.
        thread::sleep(chance.moment(took * 2 / 3));
        if frozen.try_wait()?.is_some() {
            eprintln!("round {round}: it ended before it froze");
            continue;
        }
        frozen.signal("STOP")?;
        let at = frozen.stderr();
        let at = at.lines().last().unwrap_or("nothing was printed");
        eprintln!("round {round}: frozen at: {at}");

        generations::write(&repo, 2 * round + 1)?;
        let heir = materialize(&repo, &clock, &mut chance)?;
        heir.wait(PATIENCE)?.success()?;
        Tables::of(&repo)?.expect_all_of(2 * round + 1)?;

        frozen.signal("CONT")?;
        let ended = frozen.wait(PATIENCE)?;
        let said = ended.stderr.lines().last().unwrap_or_default();
        eprintln!("woken: {:?}, {said}", ended.code);
        Tables::of(&repo)?
            .expect_all_of(2 * round + 1)
            .context("the one that was taken over from has written")?;
        fences_never_go_back(&repo)?;
    }
    readers.stop(|_| false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_taken_over_from_writes_nothing_more_to_delta_and_redis() -> Result<()> {
    let redis = TestRedis::private()?;
    frozen("frozen, redis", &Online::Redis(redis.url().to_owned())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_taken_over_from_writes_nothing_more_to_delta_and_lmdb() -> Result<()> {
    frozen("frozen, lmdb", &Online::Embedded).await
}
