//! `fs materialize` and `fs materialize-incremental`.

use std::path::Path;
use std::sync::Arc;

use fs_core::{Catalog, Coded, TimeRange, ViewName};
use fs_materialize::{Error, Materializer, Progress, RunSummary, Views};
use fs_offline::RunStatus;
use serde_json::{Value, json};

use crate::args::{IncrementalArgs, MaterializeArgs};
use crate::commands::jobs::{run_json, took, window as window_of};
use crate::failure::Failure;
use crate::output::{Output, grouped, lines, table};
use crate::project::Project;
use crate::{progress, wall_clock};

pub(super) async fn run(
    repo: &Path,
    args: &MaterializeArgs,
    output: Output,
) -> Result<(), Failure> {
    let range = TimeRange::new(args.start, args.end)
        .map_err(|error| Failure::input(format!("{error}; nothing was materialized")))?;
    let project = Project::open(repo)?;
    let (_, catalog) = project.applied().await?;
    let materializer = project.materializer(wall_clock::clock(args.now))?;
    let teller = progress::teller(output);
    window(&materializer, &catalog, &args.views, range, teller)
        .await?
        .print(output);
    Ok(())
}

pub(super) async fn run_incremental(
    repo: &Path,
    args: &IncrementalArgs,
    output: Output,
) -> Result<(), Failure> {
    let project = Project::open(repo)?;
    let (_, catalog) = project.applied().await?;
    let materializer = project.materializer(wall_clock::clock(args.now))?;
    let teller = progress::teller(output);
    let done = materializer
        .materialize_incremental(&catalog, &views(&args.views), args.end, teller)
        .await;
    summary(done)?.print(output);
    Ok(())
}

/// Materializes one window; also what the demo does.
pub(super) async fn window(
    materializer: &Materializer,
    catalog: &Catalog,
    names: &[ViewName],
    range: TimeRange,
    progress: Arc<dyn Progress>,
) -> Result<Summary, Failure> {
    summary(
        materializer
            .materialize(catalog, &views(names), &range, progress)
            .await,
    )
}

fn views(names: &[ViewName]) -> Views {
    if names.is_empty() {
        Views::All
    } else {
        Views::Only(names.to_vec())
    }
}

/// What became of every view.
pub(super) struct Summary(Vec<RunSummary>);

pub(super) fn summary(done: Result<Vec<RunSummary>, Error>) -> Result<Summary, Failure> {
    match done {
        Ok(runs) => Ok(Summary(runs)),
        Err(Error::Failed {
            runs,
            failed,
            source,
        }) => Err(failure(&Summary(runs), &failed, &source)),
        Err(other) => Err(other.into()),
    }
}

/// Some views failed: says why, and what became of the others.
fn failure(summary: &Summary, failed: &[ViewName], first: &Error) -> Failure {
    let mut told = Vec::new();
    if summary.0.len() > 1 {
        told.push(format!(
            "{} of {} views failed",
            failed.len(),
            summary.0.len()
        ));
    }
    // Below a head line.
    let margin = if told.is_empty() { "" } else { "  " };
    for run in summary
        .0
        .iter()
        .filter(|run| run.record.status == RunStatus::Failed)
    {
        // The reason names the view.
        let why = run.record.message.iter();
        told.extend(why.map(|why| format!("{margin}{why}")));
    }
    if failed.len() < summary.0.len() {
        told.push("the other views are up to date".to_owned());
    }
    Failure::new(first.code(), told.join("\n")).with_details(summary.to_json())
}

impl Summary {
    /// The runs, one a view.
    pub(super) fn runs(&self) -> &[RunSummary] {
        &self.0
    }

    /// Rows that the offline tables took.
    pub(super) fn rows_written(&self) -> u64 {
        self.0.iter().map(|run| run.record.rows_written).sum()
    }

    /// Rows that the online store took.
    pub(super) fn published(&self) -> u64 {
        self.0.iter().map(|run| run.record.published).sum()
    }

    /// A line a view.
    pub(super) fn table(&self) -> String {
        let rows = self.0.iter().map(|run| {
            [
                run.record.view.to_string(),
                grouped(run.record.rows_written),
                grouped(run.record.published),
                grouped(run.record.deleted),
                took(&run.record),
            ]
        });
        table(
            [
                "feature view",
                "offline rows",
                "published online",
                "deleted online",
                "took",
            ],
            rows,
        )
    }

    /// Says what became of every view.
    pub(super) fn print(&self, output: Output) {
        output.answer(&self.to_json(), || {
            let windows = self.0.first().map(|run| window_of(&run.record));
            let head = windows.map(|window| format!("Materialized {window}"));
            let notes = self.0.iter().filter_map(|run| {
                let note = run.record.message.as_ref()?;
                Some(format!("{}: {note}", run.record.view))
            });
            lines(head) + &self.table() + &lines(notes)
        });
    }

    fn to_json(&self) -> Value {
        let runs = self.0.iter().map(|run| run_json(&run.record));
        json!({ "runs": runs.collect::<Vec<_>>() })
    }
}
