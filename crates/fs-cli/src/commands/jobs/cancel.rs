//! `fs jobs cancel`: asks a run to stop.

use fs_core::{Code, ViewName};
use serde_json::json;

use super::as_view;
use crate::failure::Failure;
use crate::output::Output;
use crate::project::Project;

pub(super) async fn run(project: &Project, what: &str, output: Output) -> Result<(), Failure> {
    let view = match as_view(what) {
        Some(view) => view,
        // A run is recorded when it is over; what goes on is known by its view.
        None => project.offline().show_run(what).await?.view,
    };
    let asked = project.leases()?.ask_to_cancel(&view).await?;
    let holder = asked.ok_or_else(|| nobody(what, &view))?;
    let answer = json!({
        "view": view, "what": holder.what, "holder": holder.name,
        "since": holder.since.to_string(),
    });
    output.answer(&answer, || {
        format!(
            "Asked {} to stop `{}` of view `{view}`; `fs jobs list --view {view}` shows when it has.",
            holder.name, holder.what
        )
    });
    Ok(())
}

fn nobody(what: &str, view: &ViewName) -> Failure {
    let message = if what == view.as_str() {
        format!("nobody materializes view `{view}` now: there is nothing to cancel")
    } else {
        format!(
            "run `{what}` is over, and nobody materializes view `{view}` now: there is nothing to cancel"
        )
    };
    Failure::new(Code::FailedPrecondition, message)
}
