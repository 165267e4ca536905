//! `fs scheduler`, `fs serve --scheduler` and `fs jobs`: sessions, and real processes.

#[path = "transcripts/session.rs"]
#[expect(dead_code, reason = "these sessions need less of it")]
mod session;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fs_core::{Clock, FixedClock, Location};
use fs_registry::{Lease, Leases, Registry};
use fs_testkit::at;
use fs_testkit::net::{PATIENCE, free_address, wait_until};
use fs_testkit::process::{FsProcess, run};
use serde_json::Value;
use tempfile::TempDir;

use crate::session::Session;

#[test]
fn runs_are_listed_shown_and_done_again() -> Result<()> {
    let mut session = Session::in_new_repo();
    for year in 2026..2100 {
        session = session.hide(format!("{year}-01-01T03:00:00Z"), "NEXT");
    }
    session
        .edit(
            "definitions.yaml",
            "ttl: 30d",
            "ttl: 30d\nschedule: \"0 3 1 1 *\"",
        )
        .fs("jobs show last_order")
        .fs("apply")
        .fs("jobs show last_order")
        .fs("jobs cancel last_order")
        .fs("materialize 2026-01-01 2026-01-15")
        .fs("jobs list")
        .fs("jobs show RUN")
        .fs("jobs cancel RUN")
        .fs("jobs retry RUN")
        .fs("jobs list --view last_order --status ok")
        .fs("jobs list --status failed")
        .fs("jobs list --status runing")
        .fs("jobs show last_orders")
        .fs("jobs retry 0-last_order-1")
        .matches("jobs")
}

/// A repo with a view that is due every minute.
fn scheduled_repo() -> Result<TempDir> {
    let folder = tempfile::tempdir()?;
    fs(&folder, &["init", "."])?;
    let file = folder.path().join("definitions.yaml");
    let text = std::fs::read_to_string(&file)?;
    ensure!(text.contains("ttl: 30d"), "{text}");
    let text = text.replace("ttl: 30d", "ttl: 30d\nschedule: \"* * * * *\"");
    std::fs::write(&file, text)?;
    fs(&folder, &["apply"])?;
    Ok(folder)
}

fn command(folder: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fs"));
    command.arg("-C").arg(folder.path()).args(arguments);
    command.current_dir(folder.path());
    command
}

fn fs(folder: &TempDir, arguments: &[&str]) -> Result<String> {
    let ended = run(&mut command(folder, arguments), PATIENCE)?;
    Ok(ended.success()?.stdout)
}

/// What an address answers, headers and all.
fn get(address: SocketAddr, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: fs\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn jobs(folder: &TempDir, arguments: &[&str]) -> Result<Vec<Value>> {
    let listed = fs(
        folder,
        &[&["--format", "json", "jobs", "list"], arguments].concat(),
    )?;
    let Value::Array(runs) = serde_json::from_str(&listed)? else {
        anyhow::bail!("no list: {listed}");
    };
    Ok(runs)
}

/// Waits until a scheduled run has succeeded.
fn first_run(folder: &TempDir) -> Result<Value> {
    wait_until(PATIENCE, || {
        let runs = jobs(folder, &["--status", "ok"])?;
        Ok(runs.into_iter().next())
    })
    .with_context(|| format!("nothing ran: {:?}", jobs(folder, &[])))
}

#[test]
fn a_scheduler_runs_what_is_due_shows_itself_and_ends_when_it_is_asked_to() -> Result<()> {
    let folder = scheduled_repo()?;
    let http = free_address()?;
    let address = http.to_string();
    let mut scheduler = FsProcess::spawn(&mut command(
        &folder,
        &["scheduler", "--http", &address, "--poll", "100ms"],
    ))?;
    scheduler.wait_for_port(http)?;
    let run = first_run(&folder)?;
    ensure!(
        run["trigger"] == "schedule" && run["rows_written"] == 5,
        "{run:#}"
    );

    let health = get(http, "/health")?;
    ensure!(health.contains(r#""status":"scheduling""#), "{health}");
    let metrics = wait_until(PATIENCE, || {
        let metrics = get(http, "/metrics")?;
        let counted = r#"fs_scheduler_runs_total{view="last_order",outcome="done"}"#;
        Ok(metrics.contains(counted).then_some(metrics))
    })?;
    for metric in [
        "fs_scheduler_behind_seconds",
        "fs_runs_total",
        "fs_run_seconds",
    ] {
        ensure!(metrics.contains(metric), "{metric}: {metrics}");
    }
    let shown = fs(&folder, &["--format", "json", "jobs", "show", "last_order"])?;
    let shown: Value = serde_json::from_str(&shown)?;
    ensure!(
        shown["tried"]["outcome"] == "done" && shown["next"].is_string(),
        "{shown:#}"
    );

    scheduler.terminate()?;
    let ended = scheduler.wait(PATIENCE)?.success()?;
    ensure!(
        ended.stdout.contains("Every run is over or stopped; bye."),
        "{ended:?}"
    );
    Ok(())
}

#[test]
fn a_server_schedules_beside_serving_and_drains_both() -> Result<()> {
    let folder = scheduled_repo()?;
    let (grpc, http) = (free_address()?, free_address()?);
    let (grpc, address) = (grpc.to_string(), http.to_string());
    let mut server = FsProcess::spawn(&mut command(
        &folder,
        &["serve", "--scheduler", "--grpc", &grpc, "--http", &address],
    ))?;
    server.wait_for_port(http)?;
    let run = first_run(&folder)?;
    ensure!(run["trigger"] == "schedule", "{run:#}");
    let metrics = get(http, "/metrics")?;
    ensure!(metrics.contains("fs_scheduler_running"), "{metrics}");
    server.terminate()?;
    server.wait(PATIENCE)?.success()?;
    Ok(())
}

#[test]
fn a_registry_that_cannot_be_read_is_told_at_once() -> Result<()> {
    let folder = scheduled_repo()?;
    let versions = folder.path().join(".fs/registry/shop/versions");
    let versions = [versions, folder.path().join(".fs/registry")];
    let there = versions.iter().find(|path| path.is_dir());
    let newest = find(there.context("no registry")?)?;
    std::fs::write(&newest, "{")?;
    let ended = run(&mut command(&folder, &["scheduler"]), PATIENCE)?;
    let ended = ended.exits_with(1)?;
    ensure!(
        ended.stderr.contains("is not a readable version"),
        "{ended:?}"
    );
    Ok(())
}

/// The newest version below a folder.
fn find(folder: &std::path::Path) -> Result<std::path::PathBuf> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Ok(found) = find(&path) {
                return Ok(found);
            }
        } else if path.extension().is_some_and(|kind| kind == "json") {
            return Ok(path);
        }
    }
    anyhow::bail!("there is no version below {}", folder.display())
}

/// Holds the lease of the view, as a run of another process would.
async fn hold(folder: &TempDir) -> Result<(Leases, Lease)> {
    let location = Location::folder(&folder.path().join(".fs/registry")).context("no folder")?;
    let settings = std::fs::read_to_string(folder.path().join("feature_store.yaml"))?;
    let name = settings
        .lines()
        .find_map(|line| line.strip_prefix("project: "));
    let project = name.context("no project")?.trim().parse()?;
    let registry = Registry::open(&location, project, [])?;
    let clock: Arc<dyn Clock> = Arc::new(FixedClock::at(at("2026-01-01T00:00:00Z")));
    let leases = registry.leases(clock);
    let view = "last_order".parse()?;
    let lease = leases.try_acquire(&view, "something long").await?;
    Ok((leases, lease.context("the lease is free")?))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_listed_and_can_be_cancelled() -> Result<()> {
    let folder = scheduled_repo()?;
    let (_leases, lease) = hold(&folder).await?;
    let running = jobs(&folder, &["--status", "running"])?;
    ensure!(running.len() == 1, "{running:?}");
    ensure!(running[0]["what"] == "something long", "{running:?}");
    ensure!(running[0]["cancelling"] == false, "{running:?}");
    let human = fs(&folder, &["jobs", "list"])?;
    ensure!(
        human.contains("something long") && human.contains("running"),
        "{human}"
    );

    let told = fs(&folder, &["jobs", "cancel", "last_order"])?;
    ensure!(
        told.contains("to stop `something long` of view `last_order`"),
        "{told}"
    );
    tokio::time::timeout(Duration::from_secs(20), lease.stop().cancelled()).await?;
    let running = jobs(&folder, &[])?;
    ensure!(running[0]["cancelling"] == true, "{running:?}");
    lease.release().await?;
    ensure!(jobs(&folder, &[])?.is_empty());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_leaves_a_view_to_whoever_is_at_it_and_takes_it_up_then() -> Result<()> {
    let folder = scheduled_repo()?;
    let (_leases, lease) = hold(&folder).await?;
    let mut command = command(&folder, &["scheduler", "--poll", "100ms"]);
    command.env("FS_LEASE_TTL", "1s");
    let mut scheduler = FsProcess::spawn(&mut command)?;
    scheduler.wait_for_line("scheduling a version of the registry")?;
    let shown = fs(&folder, &["--format", "json", "jobs", "show", "last_order"])?;
    let shown: Value = serde_json::from_str(&shown)?;
    ensure!(shown["running"]["what"] == "something long", "{shown:#}");
    ensure!(jobs(&folder, &["--status", "ok"])?.is_empty());
    lease.release().await?;
    first_run(&folder)?;
    scheduler.terminate()?;
    scheduler.wait(PATIENCE)?.success()?;
    Ok(())
}
