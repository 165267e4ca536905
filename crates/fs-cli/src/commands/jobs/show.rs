//! `fs jobs show`: one run, or the schedule of a view.

use fs_offline::RunRecord;

use super::{as_view, run_json, schedule, took, window};
use crate::failure::Failure;
use crate::output::{Output, grouped, table};
use crate::project::Project;

pub(super) async fn run(project: &Project, what: &str, output: Output) -> Result<(), Failure> {
    if let Some(view) = as_view(what) {
        return schedule::show(project, &view, output).await;
    }
    let run = project.offline().show_run(what).await?;
    output.answer(&run_json(&run), || describe(&run));
    Ok(())
}

fn describe(run: &RunRecord) -> String {
    let mut rows = vec![
        ["view", run.view.as_str()].map(str::to_owned),
        ["kind", run.kind.as_str()].map(str::to_owned),
        ["asked for by", run.trigger.as_str()].map(str::to_owned),
        ["attempt", &run.attempt.to_string()].map(str::to_owned),
        ["window", &window(run)].map(str::to_owned),
        ["status", run.status.as_str()].map(str::to_owned),
        ["started", &run.started.to_string()].map(str::to_owned),
        ["took", &took(run)].map(str::to_owned),
        ["rows read", &grouped(run.rows_read)].map(str::to_owned),
        ["rows written", &grouped(run.rows_written)].map(str::to_owned),
        ["rows rejected", &grouped(run.rejected)].map(str::to_owned),
        ["rows warned of", &grouped(run.warned)].map(str::to_owned),
        ["published online", &grouped(run.published)].map(str::to_owned),
        ["deleted online", &grouped(run.deleted)].map(str::to_owned),
        ["chunks", &grouped(run.chunks)].map(str::to_owned),
    ];
    let mut also = |name: &str, value: Option<String>| {
        rows.extend(value.map(|value| [name.to_owned(), value]));
    };
    also(
        "table before",
        run.version_before.map(|at| format!("version {at}")),
    );
    also("table version", run.table_version.map(|at| at.to_string()));
    also("fence", run.fence.map(|fence| fence.to_string()));
    also("message", run.message.clone());
    table(["run", &run.id], rows)
}
