//! `fs jobs list`: what runs now, from the leases, and what ran, from `_runs`.

use fs_core::EventTime;
use fs_offline::RunRecord;
use fs_registry::{HolderInfo, LeaseState};
use serde_json::{Value, json};

use super::{between, run_json, took, window};
use crate::args::{JobStatus, JobsListArgs};
use crate::failure::Failure;
use crate::output::{Output, grouped, table};
use crate::project::Project;
use crate::wall_clock;

/// So many of the latest runs are looked through for those of one status.
const LOOKED_THROUGH: usize = 10_000;

pub(super) async fn run(
    project: &Project,
    args: &JobsListArgs,
    output: Output,
) -> Result<(), Failure> {
    let running = running(project, args).await?;
    let runs = ended(project, args).await?;
    let now = wall_clock::clock(None).now();
    let told = running
        .iter()
        .map(|(lease, holder)| running_json(lease, holder));
    let told: Vec<Value> = told.chain(runs.iter().map(run_json)).collect();
    output.answer(&told, || {
        if told.is_empty() {
            return match (&args.view, args.status) {
                (None, None) => "No runs yet.".to_owned(),
                _ => "No such runs.".to_owned(),
            };
        }
        let header = [
            "id",
            "view",
            "window",
            "status",
            "written",
            "published",
            "took",
        ];
        let rows = running
            .iter()
            .map(|(lease, holder)| running_row(lease, holder, now));
        table(header, rows.chain(runs.iter().map(row)))
    });
    Ok(())
}

/// The leases that are held, by whoever is not known to be dead.
async fn running(
    project: &Project,
    args: &JobsListArgs,
) -> Result<Vec<(LeaseState, HolderInfo)>, Failure> {
    if args
        .status
        .is_some_and(|status| status != JobStatus::Running)
    {
        return Ok(Vec::new());
    }
    let mut held = Vec::new();
    for lease in project.leases()?.list().await? {
        if args.view.as_ref().is_some_and(|view| *view != lease.view) {
            continue;
        }
        if let Some(holder) = lease.holder.clone().filter(|holder| !holder.is_gone()) {
            held.push((lease, holder));
        }
    }
    Ok(held)
}

async fn ended(project: &Project, args: &JobsListArgs) -> Result<Vec<RunRecord>, Failure> {
    let offline = project.offline();
    let view = args.view.as_ref();
    let Some(status) = args.status else {
        return Ok(offline.list_runs(view, args.limit).await?);
    };
    let Some(status) = status.recorded() else {
        return Ok(Vec::new());
    };
    let mut runs = offline.list_runs(view, LOOKED_THROUGH).await?;
    runs.retain(|run| run.status == status);
    runs.truncate(args.limit);
    Ok(runs)
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

/// A run has no id before it is recorded.
fn running_row(lease: &LeaseState, holder: &HolderInfo, now: EventTime) -> [String; 7] {
    [
        "-".to_owned(),
        lease.view.to_string(),
        holder.what.clone(),
        stands(holder).to_owned(),
        String::new(),
        String::new(),
        between(holder.since, now),
    ]
}

fn running_json(lease: &LeaseState, holder: &HolderInfo) -> Value {
    json!({
        "view": lease.view,
        "status": "running",
        "what": holder.what,
        "holder": holder.name,
        "since": holder.since.to_string(),
        "fence": lease.fence,
        "cancelling": holder.cancel,
    })
}

/// How a run stands that has not ended.
pub(super) const fn stands(holder: &HolderInfo) -> &'static str {
    if holder.cancel {
        "cancelling"
    } else {
        "running"
    }
}
