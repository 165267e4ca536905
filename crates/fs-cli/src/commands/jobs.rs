//! `fs jobs list|show ID`.

use std::path::Path;

use fs_core::EventTime;
use fs_offline::RunRecord;
use serde_json::{Value, json};

use crate::args::JobsCommand;
use crate::failure::Failure;
use crate::output::{Output, grouped, table};
use crate::project::Project;

pub(super) async fn run(repo: &Path, command: &JobsCommand, output: Output) -> Result<(), Failure> {
    let offline = Project::open(repo)?.offline();
    match command {
        JobsCommand::List { limit } => {
            let runs = offline.list_runs(None, *limit).await?;
            output.answer(&runs.iter().map(run_json).collect::<Vec<_>>(), || {
                if runs.is_empty() {
                    "No runs yet.".to_owned()
                } else {
                    let header = [
                        "id",
                        "view",
                        "window",
                        "status",
                        "written",
                        "published",
                        "took",
                    ];
                    table(header, runs.iter().map(row))
                }
            });
        }
        JobsCommand::Show { id } => {
            let run = offline.show_run(id).await?;
            output.answer(&run_json(&run), || describe(&run));
        }
    }
    Ok(())
}

fn row(run: &RunRecord) -> [String; 7] {
    [
        run.id.clone(),
        run.view.to_string(),
        window(run),
        run.status.to_string(),
        grouped(run.rows_written),
        grouped(run.published),
        took(run),
    ]
}

fn describe(run: &RunRecord) -> String {
    let mut rows = vec![
        ["view", run.view.as_str()].map(str::to_owned),
        ["kind", run.kind.as_str()].map(str::to_owned),
        ["window", &window(run)].map(str::to_owned),
        ["status", run.status.as_str()].map(str::to_owned),
        ["started", &run.started.to_string()].map(str::to_owned),
        ["took", &took(run)].map(str::to_owned),
        ["rows read", &grouped(run.rows_read)].map(str::to_owned),
        ["rows written", &grouped(run.rows_written)].map(str::to_owned),
        ["published online", &grouped(run.published)].map(str::to_owned),
        ["deleted online", &grouped(run.deleted)].map(str::to_owned),
    ];
    if let Some(version) = run.table_version {
        rows.push(["table version".to_owned(), version.to_string()]);
    }
    if let Some(message) = &run.message {
        rows.push(["message".to_owned(), message.clone()]);
    }
    table(["run", &run.id], rows)
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
        "published": run.published,
        "deleted": run.deleted,
        "table_version": run.table_version,
        "status": run.status,
        "message": run.message,
    })
}

/// How long a run took.
pub(super) fn took(run: &RunRecord) -> String {
    let micros = |at: EventTime| at.as_micros();
    let span = u64::try_from(micros(run.finished) - micros(run.started)).unwrap_or_default();
    crate::output::elapsed(std::time::Duration::from_micros(span))
}
