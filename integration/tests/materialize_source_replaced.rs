//! A source file that is replaced while it is read.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use fs_integration::generations::{self, NOW, Newest, SOURCE, Tables, WINDOW, log};
use fs_integration::{Chance, Online, Readers, Repo};
use fs_testkit::process::FsProcess;
use fs_testkit::unique_project;

const ROUNDS: i64 = 7;

const MATERIALIZE: [&str; 5] = ["materialize", WINDOW[0], WINDOW[1], "--now", NOW];

const PATIENCE: Duration = Duration::from_mins(1);

/// How long reading takes when nobody disturbs it.
fn reading(repo: &Repo) -> Result<Duration> {
    let mut run = FsProcess::spawn(&mut repo.command(&MATERIALIZE)?)?;
    run.wait_for_line("reading the source")?;
    let began = Instant::now();
    run.wait_for_line("publishing")?;
    let took = began.elapsed();
    run.wait(PATIENCE)?.success()?;
    Ok(took)
}

/// Replaces the source a few times while a run reads it; whoever reads the table sees one of its
/// generations, and never some rows of one and some of another.
async fn replaced(name: &str, replace: impl Fn(&Repo, &[u8]) -> Result<()>) -> Result<()> {
    let mut chance = Chance::new(name);
    let repo = Arc::new(generations::repo(
        unique_project().as_str(),
        &Online::Embedded,
    )?);
    repo.run(&MATERIALIZE)?.success()?;
    let took = reading(&repo)?;
    let readers = Readers::start(&repo, Newest::kept()).await?;
    let mut generation = 1;
    let mut turned_away = 0;
    for _ in 0..ROUNDS {
        let replacements = 1 + chance.below(3);
        let mut files = Vec::new();
        for next in 1..=i64::try_from(replacements)? {
            let path = repo.file("next.parquet");
            generations::write_file(&path, generation + next)?;
            files.push(std::fs::read(&path)?);
        }
        let before = generation;
        let mut run = FsProcess::spawn(&mut repo.command(&MATERIALIZE)?)?;
        run.wait_for_line("reading the source")?;
        for file in &files {
            thread::sleep(chance.moment(took / 2));
            replace(&repo, file)?;
            generation += 1;
        }
        let ended = run.wait(PATIENCE)?;
        let rows = log(&repo)?;
        let newest = rows.newest().context("there is no table")?;
        let found = generations::generation(&rows.rows(newest)?.context("no rows")?)?;
        let last = ended.stderr.lines().last().unwrap_or_default();
        eprintln!(
            "{before} became {generation}; {found} is there: {:?}, {last}",
            ended.code
        );
        if ended.code == Some(0) {
            ensure!(
                (before..=generation).contains(&found),
                "{found} was no source"
            );
        } else {
            turned_away += 1;
            ensure!(
                ended.stderr.contains(SOURCE),
                "it does not say what changed: {ended:?}"
            );
        }
        repo.run(&MATERIALIZE)?.success()?;
        Tables::of(&repo)?.expect_all_of(generation)?;
    }
    eprintln!("{turned_away} of {ROUNDS} runs gave up");
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
async fn a_source_that_another_takes_the_place_of_is_read_whole_or_not_at_all() -> Result<()> {
    let renamed = |repo: &Repo, bytes: &[u8]| {
        let beside = repo.file("beside.parquet");
        std::fs::write(&beside, bytes)?;
        Ok(std::fs::rename(beside, repo.file(SOURCE))?)
    };
    replaced("source renamed over", renamed).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_written_over_is_read_whole_or_not_at_all() -> Result<()> {
    let over = |repo: &Repo, bytes: &[u8]| Ok(std::fs::write(repo.file(SOURCE), bytes)?);
    replaced("source written over", over).await
}
