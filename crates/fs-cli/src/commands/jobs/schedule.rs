//! `fs jobs show VIEW`: when the view is due, and what came of it.

use fs_core::suggest::{did_you_mean, hint};
use fs_core::{Code, ViewName};
use fs_scheduler::job::Outcome;
use fs_scheduler::{JobState, Schedule};
use serde_json::json;

use super::list::stands;
use crate::failure::Failure;
use crate::output::{Output, table};
use crate::project::Project;
use crate::wall_clock;

pub(super) async fn show(
    project: &Project,
    view: &ViewName,
    output: Output,
) -> Result<(), Failure> {
    let (_, catalog) = project.applied().await?;
    let Some(definition) = catalog.feature_views.get(view) else {
        let names = catalog.feature_views.keys().map(ViewName::as_str);
        let nearest = hint(did_you_mean(view.as_str(), names));
        let message = format!("there is no run and no feature view `{view}`{nearest}");
        return Err(Failure::new(Code::NotFound, message));
    };
    let lease = project.leases()?.read(view).await?;
    let job = lease.as_ref().map(|lease| &lease.job);
    let state = job.map(JobState::read).transpose()?.unwrap_or_default();
    let holder = lease.as_ref().and_then(|lease| lease.holder.as_ref());
    let holder = holder.filter(|holder| !holder.is_gone());
    let schedule = definition.schedule.as_deref();
    let now = wall_clock::clock(None).now();
    let next = schedule
        .and_then(|text| text.parse::<Schedule>().ok())
        .and_then(|schedule| schedule.next(now));
    let tried = state.tried.as_ref().map(|tried| {
        let (outcome, again) = match tried.outcome {
            Outcome::Begun { .. } => ("begun", None),
            Outcome::Waiting { again } => ("failed, waiting", Some(again)),
            Outcome::GivenUp => ("given up", None),
            Outcome::Done => ("done", None),
        };
        (tried, outcome, again)
    });
    let answer = json!({
        "view": view,
        "schedule": schedule,
        "next": next.map(|next| next.to_string()),
        "running": holder.map(|holder| json!({
            "what": holder.what, "holder": holder.name, "since": holder.since.to_string(),
            "cancelling": holder.cancel,
        })),
        "done": state.done.map(|done| done.to_string()),
        "tried": tried.map(|(tried, outcome, again)| json!({
            "tick": tried.tick.to_string(), "attempt": tried.attempt, "outcome": outcome,
            "again": again.map(|again| again.to_string()),
        })),
        "last_success": state.last_success.map(|at| at.to_string()),
        "last_run": state.last_run,
        "last_error": state.last_error,
    });
    output.answer(&answer, || {
        let mut rows = Vec::new();
        let mut row = |name: &str, value: Option<String>| {
            rows.extend(value.map(|value| [name.to_owned(), value]));
        };
        row("schedule", Some(schedule.unwrap_or("none").to_owned()));
        row("next", next.map(|next| next.to_string()));
        row("done up to", state.done.map(|done| done.to_string()));
        if let Some((tried, outcome, again)) = tried {
            row("last due", Some(tried.tick.to_string()));
            row("attempt", Some(format!("{}, {outcome}", tried.attempt)));
            row("again", again.map(|again| again.to_string()));
        }
        row("last success", state.last_success.map(|at| at.to_string()));
        row("last run", state.last_run.clone());
        row("last error", state.last_error.clone());
        if let Some(holder) = holder {
            let since = format!("{} since {}", holder.name, holder.since);
            row(stands(holder), Some(holder.what.clone()));
            row("by", Some(since));
        }
        table(["view", view.as_str()], rows)
    });
    Ok(())
}
