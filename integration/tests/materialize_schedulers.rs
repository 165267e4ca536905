//! Schedulers of one project on machines whose clocks disagree, some of which die or freeze at work.

use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use fs_core::EventTime;
use fs_integration::generations::{self, Tables, VIEW, log};
use fs_integration::{Chance, LeaseFile, Online, Repo, SkewedClock};
use fs_testkit::net::wait_until;
use fs_testkit::process::FsProcess;
use fs_testkit::redis::TestRedis;
use fs_testkit::unique_project;

/// How often a scheduler is killed, and how often one is frozen.
const ROUNDS: u32 = 3;

/// How long a lease stands whose holder is not heard of.
const TTL: &str = "2s";

/// Retries wait for seconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// How long a run may last here, about.
const RUN: Duration = Duration::from_millis(400);

/// What happens to a scheduler at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Killed,
    Frozen,
}

/// Three schedulers of one repo: one of them a minute ahead, one a minute behind.
fn schedulers(repo: &Repo, clock: &SkewedClock) -> Result<Vec<FsProcess>> {
    let start = |skew| {
        let mut command = repo.command(&["scheduler", "--poll", "100ms", "--grace", "20s"])?;
        clock.shift(command.env("FS_LEASE_TTL", TTL), skew);
        FsProcess::spawn(&mut command)
    };
    [-60, 0, 60].into_iter().map(start).collect()
}

/// A repo of which no scheduler knows, with a view that is due at every minute.
fn scheduled(online: &Online) -> Result<Repo> {
    let repo = generations::repo(unique_project().as_str(), online)?;
    generations::define(&repo, "schedule: \"* * * * *\"\n")?;
    repo.apply()?;
    Ok(repo)
}

/// Returns once a run has succeeded and nobody is at it.
fn wait_until_done(repo: &Repo, fence: i64) -> Result<LeaseFile> {
    let done = wait_until(PATIENCE, || {
        let lease = LeaseFile::read(repo, VIEW)?;
        let is_done = |lease: &LeaseFile| {
            let outcome = lease.job.pointer("/tried/outcome");
            let is_done = outcome.and_then(|outcome| outcome.as_str()) == Some("done");
            lease.fence >= fence && lease.holder.is_none() && is_done
        };
        Ok(lease.filter(is_done))
    });
    done.with_context(|| format!("it was never done: {:?}", LeaseFile::read(repo, VIEW)))
}

/// No run is of a window that ends after the present by the clock of the store, which is ours.
fn no_run_is_of_the_future(repo: &Repo) -> Result<()> {
    let runs = repo.json(&["jobs", "list"])?;
    let runs = runs.as_array().or_else(|| runs["runs"].as_array());
    let runs = runs.context("a list of runs")?;
    ensure!(!runs.is_empty(), "no run is recorded");
    // Of a run that was killed before it knew what the store calls now, only what it was asked for is known.
    let began = runs
        .iter()
        .filter(|run| run["status"] != "lost" || run["rows_read"] != 0);
    for run in began {
        let end = run["range_end"].as_str();
        let end: EventTime = end.with_context(|| format!("no end in {run}"))?.parse()?;
        ensure!(end <= now()?, "a run is of the future: {run}");
    }
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "what other processes do is measured by it"
)]
fn now() -> Result<EventTime> {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(EventTime::from_micros(i64::try_from(since.as_micros())?))
}

/// Nobody wrote to the table under a smaller fence than was shown before.
fn fences_never_go_back(repo: &Repo) -> Result<()> {
    let log = log(repo)?;
    let fences = log
        .versions()
        .iter()
        .filter_map(|version| version.transactions.get("fs.fence"));
    let fences: Vec<i64> = fences.copied().collect();
    ensure!(!fences.is_empty() && fences.is_sorted(), "{fences:?}");
    Ok(())
}

fn disturbed(fault: Fault, online: &Online) -> Result<()> {
    let mut chance = Chance::new(&format!("schedulers, {fault:?}"));
    let clock = SkewedClock::new()?;
    for round in 1..=ROUNDS {
        let repo = scheduled(online)?;
        let mut all = schedulers(&repo, &clock)?;
        let held = LeaseFile::wait_until_held(&repo, VIEW, 1)?;
        let at_work = all
            .iter()
            .position(|process| held.holder == Some(process.id()));
        let mut victim = all.remove(at_work.context("who holds the lease is no scheduler")?);
        // The moment of the fault; nothing is waited for.
        thread::sleep(chance.moment(RUN));
        let lease = LeaseFile::read(&repo, VIEW)?.context("there is a lease")?;
        eprintln!(
            "round {round}: {fault:?} while it holds the lease: {}",
            lease.holder.is_some()
        );
        match fault {
            Fault::Killed => victim.kill()?,
            Fault::Frozen => victim.signal("STOP")?,
        }
        // Whoever takes over finds newer rows.
        generations::write(&repo, 2)?;
        let lease = wait_until_done(&repo, held.fence)?;
        // The rows of the first, if they were committed; what is online agrees.
        let tables = Tables::of(&repo)?;
        let generation = tables.generation()?;
        eprintln!(
            "fence {} after {}: generation {generation}",
            lease.fence, held.fence
        );
        tables.expect_all_of(generation)?;
        if fault == Fault::Frozen {
            victim.signal("CONT")?;
            // It ends once all that it was about to do is done, or refused.
            victim.terminate()?;
            let ended = victim.wait(PATIENCE)?;
            eprintln!("woken: {:?}, {}", ended.code, ended.stderr);
        }
        for scheduler in all {
            scheduler.terminate()?;
            scheduler.wait(PATIENCE)?.success()?;
        }
        Tables::of(&repo)?
            .expect(&tables)
            .context("it was written to afterwards")?;
        fences_never_go_back(&repo)?;
        no_run_is_of_the_future(&repo)?;
    }
    Ok(())
}

#[test]
fn when_the_scheduler_at_work_is_killed_another_takes_over() -> Result<()> {
    disturbed(Fault::Killed, &Online::Embedded)
}

#[test]
fn when_the_scheduler_at_work_freezes_another_takes_over_and_what_it_writes_late_is_refused()
-> Result<()> {
    let redis = TestRedis::private()?;
    disturbed(Fault::Frozen, &Online::Redis(redis.url().to_owned()))
}
