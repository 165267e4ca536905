//! `fs get-historical-features --explain`: how a training set was made.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context, Result, ensure};

/// `fs -C REPO LINE`, where the words of the line have no blanks.
fn fs(repo: &Path, line: &str) -> Result<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fs"));
    command.arg("-C").arg(repo).args(line.split_whitespace());
    Ok(command.env_remove("RUST_LOG").output()?)
}

fn done(repo: &Path, line: &str) -> Result<String> {
    let output = fs(repo, line)?;
    ensure!(output.status.success(), "fs {line}: {output:?}");
    Ok(String::from_utf8(output.stdout)?)
}

/// The new repo, applied and materialized.
fn repo() -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    for line in ["init .", "apply", "materialize 2026-01-01 2026-02-01"] {
        // `init` takes its folder from where it runs.
        let line = line.replace(" .", &format!(" {}", folder.path().display()));
        done(folder.path(), &line)?;
    }
    Ok(folder)
}

fn line(folder: &Path, rest: &str) -> String {
    let file = |name: &str| folder.join(name).display().to_string();
    format!(
        "get-historical-features --service churn_model_v1 --spine {} --out {} {rest}",
        file("spine.csv"),
        file("training_set.parquet")
    )
}

#[test]
fn the_plan_of_a_training_set_is_shown_with_what_its_operators_counted() -> Result<()> {
    let folder = repo()?;
    let text = done(folder.path(), &line(folder.path(), "--explain"))?;
    let place = |what: &str| {
        let at = text.find(what);
        at.with_context(|| format!("no {what} in\n{text}"))
    };
    // Outermost first; the counters of an operator below it.
    let fetch = place("\nFetchRowsExec: ")?;
    let fetched = place("rows_fetched=")?;
    let join = place("\n  PointInTimeJoinExec: time=fs:time, joins=[last_order: ")?;
    let matched = place("rows_matched=2")?;
    let spine = place("\n    SpineExec: ")?;
    let scan = place("\n    DataSourceExec: ")?;
    let order = [fetch, fetched, join, matched, spine, scan];
    ensure!(order.is_sorted(), "{order:?} in\n{text}");
    ensure!(place("Wrote 4 rows")? < fetch, "{text}");

    let without = done(folder.path(), &line(folder.path(), ""))?;
    ensure!(!without.contains("Exec"), "{without}");
    let json = done(
        folder.path(),
        &line(folder.path(), "--explain --format json"),
    )?;
    ensure!(json.contains("\"plan\": \"FetchRowsExec: "), "{json}");
    Ok(())
}

#[test]
fn a_server_does_not_tell_how_it_makes_a_training_set() -> Result<()> {
    let folder = repo()?;
    let ask = line(folder.path(), "--explain --server http://127.0.0.1:1");
    let refused = fs(folder.path(), &ask)?;
    let error = String::from_utf8(refused.stderr)?;
    ensure!(refused.status.code() == Some(2), "{error}");
    ensure!(
        error.contains("leave out --explain, or --server"),
        "{error}"
    );
    ensure!(!folder.path().join("training_set.parquet").exists());
    Ok(())
}
