//! `fs materialize` and `fs materialize-incremental`.

use std::path::Path;
use std::sync::Arc;

use fs_core::code::report;
use fs_core::{Catalog, Coded, TimeRange, ViewName};
use fs_materialize::{Error, Materializer, Options, Progress, RunSummary, Views};
use fs_offline::{RunKind, RunStatus};
use fs_spec::Lineage;
use serde_json::{Value, json};

use crate::args::{IncrementalArgs, MannerArgs, MaterializeArgs};
use crate::commands::jobs::{run_json, took, window as window_of};
use crate::failure::Failure;
use crate::output::{Output, counted, dynamic_table, grouped, lines};
use crate::project::Project;
use crate::{progress, wall_clock};

pub(super) async fn run(
    repo: &Path,
    args: &MaterializeArgs,
    output: Output,
) -> Result<(), Failure> {
    let range = match (args.start, args.end) {
        (Some(start), Some(end)) => Some(
            TimeRange::new(start, end)
                .map_err(|error| Failure::input(format!("{error}; nothing was materialized")))?,
        ),
        _ => None,
    };
    let Opened {
        materializer,
        catalog,
        views,
    } = open(repo, &args.manner).await?;
    let teller = progress::teller(output);
    let done = if let Some(range) = range {
        let run = materializer.materialize(&catalog, &views, &range, teller);
        run.await
    } else {
        let features = args.features.clone();
        let run = materializer.backfill(&catalog, &views, features, teller);
        run.await
    };
    summary(done)?.print(output);
    Ok(())
}

pub(super) async fn run_incremental(
    repo: &Path,
    args: &IncrementalArgs,
    output: Output,
) -> Result<(), Failure> {
    let Opened {
        materializer,
        catalog,
        views,
    } = open(repo, &args.manner).await?;
    let teller = progress::teller(output);
    let done = materializer
        .materialize_incremental(&catalog, &views, args.end, teller)
        .await;
    summary(done)?.print(output);
    Ok(())
}

/// What a materialization needs.
struct Opened {
    materializer: Materializer,
    catalog: Arc<Catalog>,
    views: Views,
}

async fn open(repo: &Path, manner: &MannerArgs) -> Result<Opened, Failure> {
    let project = Project::open(repo)?;
    let (_, catalog) = project.applied().await?;
    let usual = Options::default();
    let options = Options {
        wait: manner.wait,
        chunk_rows: manner.chunk_rows.unwrap_or(usual.chunk_rows),
        ..usual
    };
    let materializer = project.materializer(wall_clock::clock(manner.now))?;
    let views = if manner.views.is_empty() {
        // A view that is computed from another one finds there what this command brought.
        let lineage = Lineage::of(&catalog, &project.root, &project.settings.offline_store);
        Views::Only(lineage.order().into_iter().cloned().collect())
    } else {
        Views::Only(manner.views.clone())
    };
    Ok(Opened {
        materializer: materializer.with_options(options),
        catalog,
        views,
    })
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
        .filter(|run| run.record.status != RunStatus::Ok)
    {
        // The reason names the view.
        let why = run.record.message.iter();
        told.extend(why.map(|why| format!("{margin}{why}")));
    }
    // One that did all it should, and could not be recorded, says nothing of that itself.
    let ended_well = |run: &RunSummary| run.record.status == RunStatus::Ok;
    if summary.0.iter().all(ended_well) {
        told.push(format!("{margin}{}", report(first)));
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

    /// A line a view; with what was rejected, where anything was.
    pub(super) fn table(&self) -> String {
        let rejected = self.0.iter().any(|run| run.record.rejected > 0);
        let mut header = vec!["feature view", "offline rows"];
        header.extend(rejected.then_some("rejected"));
        header.extend(["published online", "deleted online", "took"]);
        let rows = self.0.iter().map(|RunSummary { record, .. }| {
            let mut row = vec![record.view.to_string(), grouped(record.rows_written)];
            row.extend(rejected.then(|| grouped(record.rejected)));
            row.extend([grouped(record.published), grouped(record.deleted)]);
            row.push(took(record));
            row
        });
        let header = header.into_iter().map(str::to_owned);
        dynamic_table(header.collect(), rows.collect())
    }

    /// What to do about rows that were rejected.
    fn rejected(&self) -> impl Iterator<Item = String> {
        let some = self.0.iter().filter(|run| run.record.rejected > 0);
        some.map(|RunSummary { record, .. }| {
            let (view, rejected) = (&record.view, counted(record.rejected, "row"));
            match record.kind {
                RunKind::Backfill => {
                    format!("{view}: {rejected} broke an expectation and got no value")
                }
                _ => format!(
                    "{view}: {rejected} broke an expectation: see `fs quarantine list {view}`"
                ),
            }
        })
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
            lines(head) + &self.table() + &lines(self.rejected()) + &lines(notes)
        });
    }

    fn to_json(&self) -> Value {
        let runs = self.0.iter().map(|run| {
            let mut json = run_json(&run.record);
            if let Some(json) = json.as_object_mut() {
                let resumed = run.resumed.map(|at| at.to_string());
                json.insert("resumed".to_owned(), json!(resumed));
                json.insert("warnings".to_owned(), json!(run.warnings));
            }
            json
        });
        json!({ "runs": runs.collect::<Vec<_>>() })
    }
}
