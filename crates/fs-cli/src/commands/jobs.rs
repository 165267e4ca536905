//! `fs jobs list|show|cancel|retry`.

mod cancel;
mod list;
mod retry;
mod schedule;
mod show;

use std::path::Path;

use fs_core::{EventTime, ViewName};
use fs_offline::RunRecord;
use serde_json::{Value, json};

use crate::args::JobsCommand;
use crate::failure::Failure;
use crate::output::Output;
use crate::project::Project;

pub(super) async fn run(repo: &Path, command: &JobsCommand, output: Output) -> Result<(), Failure> {
    let project = Project::open(repo)?;
    match command {
        JobsCommand::List(args) => list::run(&project, args, output).await,
        JobsCommand::Show { what } => show::run(&project, what, output).await,
        JobsCommand::Cancel { what } => cancel::run(&project, what, output).await,
        JobsCommand::Retry { id } => retry::run(&project, id, output).await,
    }
}

/// The view that `what` names, if it is not the id of a run: names have no `-`.
fn as_view(what: &str) -> Option<ViewName> {
    what.parse().ok()
}

/// The window of a run.
pub(super) fn window(run: &RunRecord) -> String {
    let end = run.range_end;
    match run.range_start {
        Some(start) => format!("[{start}, {end})"),
        None => format!("up to {end}"),
    }
}

/// A run as a program reads it: instants as RFC 3339, like everywhere else.
pub(super) fn run_json(run: &RunRecord) -> Value {
    json!({
        "id": run.id,
        "view": run.view,
        "kind": run.kind,
        "range_start": run.range_start.map(|start| start.to_string()),
        "range_end": run.range_end.to_string(),
        "started": run.started.to_string(),
        "finished": run.finished.to_string(),
        "rows_read": run.rows_read,
        "rows_written": run.rows_written,
        "rejected": run.rejected,
        "warned": run.warned,
        "published": run.published,
        "deleted": run.deleted,
        "version_before": run.version_before,
        "table_version": run.table_version,
        "chunks": run.chunks,
        "fence": run.fence,
        "trigger": run.trigger,
        "attempt": run.attempt,
        "status": run.status,
        "message": run.message,
    })
}

/// How long a run took.
pub(super) fn took(run: &RunRecord) -> String {
    between(run.started, run.finished)
}

/// How long it is from `earlier` to `later`.
fn between(earlier: EventTime, later: EventTime) -> String {
    let micros = later.as_micros().saturating_sub(earlier.as_micros());
    let micros = u64::try_from(micros).unwrap_or_default();
    crate::output::elapsed(std::time::Duration::from_micros(micros))
}
