//! `fs scheduler`: what is due, again and again.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use fs_core::Code;
use fs_server::Beacon;
use serde_json::json;
use tokio::sync::oneshot;

use crate::args::SchedulerArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::process::stop_signal;
use crate::project::Project;
use crate::scheduled::{Shown, scheduler};
use crate::watched::Watched;

pub(super) async fn run(repo: &Path, args: &SchedulerArgs, output: Output) -> Result<(), Failure> {
    let project = Project::open(repo)?;
    // A registry that cannot be read at all is told at once; one that goes away later is waited for.
    project.registry()?.current().await?;
    let beacon = match args.http {
        Some(address) => Some(Beacon::bind(address).await?),
        None => None,
    };
    let scheduler = scheduler(&project, args.options())?;
    announce(&project, beacon.as_ref().map(Beacon::addr), output);
    let shown = Arc::new(Shown {
        project: project.settings.project.clone(),
        health: scheduler.health(),
        views: match &beacon {
            Some(_) => Some(Watched::start(&project)?),
            None => None,
        },
    });
    let (over, until) = oneshot::channel::<()>();
    let watching = beacon.map(|beacon| {
        let until = async {
            until.await.ok();
        };
        tokio::spawn(beacon.run(shown, until))
    });
    scheduler.run(stop_signal()).await;
    drop(over);
    if let Some(watching) = watching {
        watching.await.map_err(|broken| {
            let message = format!("what shows the scheduler broke off: {broken}");
            Failure::new(Code::Internal, message)
        })??;
    }
    output.say("Every run is over or stopped; bye.");
    Ok(())
}

/// Says what is scheduled, for people and for whoever started it on port 0.
fn announce(project: &Project, http: Option<SocketAddr>, output: Output) {
    let name = &project.settings.project;
    let http = http.map(|http| http.to_string());
    output.answer(&json!({ "project": name, "http": http }), || {
        let watch = http
            .as_ref()
            .map(|http| format!("\n  HTTP  http://{http}/health, /metrics"));
        let watch = watch.unwrap_or_default();
        format!("Scheduling project {name}{watch}\nStop with Ctrl-C.")
    });
}
