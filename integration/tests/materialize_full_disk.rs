//! A disk that is full in the middle of a materialization.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use fs_integration::generations::{self, NOW, Newest, Tables, VIEW, WINDOW, log};
use fs_integration::{Chance, Online, Readers, Repo};
use fs_testkit::unique_project;

const ROUNDS: i64 = 10;

/// Room for the tables of all rounds.
const DISK: u64 = 64 << 20;

/// What a run writes besides rows: the entries of logs, and itself into the list of runs.
const NOTES: u64 = 24 << 10;

/// How many bytes the rows take that the newest version added.
fn written(repo: &Repo) -> Result<u64> {
    let log = log(repo)?;
    let newest = log.versions().last().context("there is no table")?;
    let sizes = newest.added.iter().map(|file| {
        let file = repo.offline().join(VIEW).join(file);
        Ok(std::fs::metadata(file)?.len())
    });
    sizes.sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_fails_a_run_that_changes_nothing_and_goes_on_once_there_is_room() -> Result<()>
{
    let mut chance = Chance::new("full disk");
    let mut repo = generations::repo(unique_project().as_str(), &Online::Embedded)?;
    repo.offline_on_volume(DISK)?;
    let repo = Arc::new(repo);
    let materialize = ["materialize", WINDOW[0], WINDOW[1], "--now", NOW];
    repo.run(&materialize)?.success()?;
    let rows = written(&repo)?;
    let readers = Readers::start(&repo, Newest::kept()).await?;
    let mut failed = 0;
    for generation in 2..=ROUNDS {
        generations::write(&repo, generation)?;
        let (before, strays) = (log(&repo)?.newest(), log(&repo)?.strays()?);
        // No room for the rows, or for what is to be said about them.
        let free = match generation % 2 {
            0 => chance.below(rows),
            _ => rows + chance.below(NOTES),
        };
        repo.volume()?.fill(free)?;
        let ended = repo.run(&materialize)?;
        repo.volume()?.empty()?;
        let now = log(&repo)?;
        let said = ended.stderr.split_once("\nerror:");
        let said = said.map_or("", |(_, said)| said).replace('\n', " ");
        eprintln!("{free} bytes: {:?},{said}", ended.code);
        ensure!(
            ended.code == Some(0) || said.contains("No space left"),
            "it does not say why: {ended:?}"
        );
        let newest = now.newest().context("the table is gone")?;
        let there = now.rows(newest)?.context("the table is empty")?;
        let found = generations::generation(&there)?;
        if Some(newest) == before {
            failed += 1;
            ensure!(ended.code != Some(0), "it says that it succeeded");
            ensure!(found == generation - 1, "generation {found} is there");
            // Rows that could not be written whole do not keep the disk full.
            let left = now.strays()?;
            ensure!(free >= rows || left == strays, "it left {left:?}");
            Tables::of(&repo)?.expect_all_of(generation - 1)?;
        } else {
            ensure!(found == generation, "generation {found} is there");
        }
        repo.run(&materialize)?.success()?;
        Tables::of(&repo)?.expect_all_of(generation)?;
    }
    ensure!(failed > 0, "there always was room");
    readers.stop(|_| false).await
}
