//! `fs serve`: feature vectors, training sets, health and metrics.

use std::path::Path;
use std::sync::Arc;

use fs_core::{Clock, EventTime};
use fs_offline::RunTrigger;
use fs_server::{Backends, Server, ServerOptions};
use fs_serving::Serving;
use serde_json::json;

use crate::args::ServeArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::process::stop_signal;
use crate::project::Project;
use crate::scheduled::Beside;
use crate::wall_clock;

pub(super) async fn run(repo: &Path, args: &ServeArgs, output: Output) -> Result<(), Failure> {
    let project = Project::open(repo)?;
    let clock = wall_clock::clock(args.now);
    let server = bind(&project, clock, args.options()).await?;
    announce(&project, &server, args.now, output);
    let mut beside = match args.beside.options() {
        Some(options) => Some(Beside::start(Project::open(repo)?, options)?),
        None => None,
    };
    let stop = async {
        stop_signal().await;
        if let Some(scheduler) = &mut beside {
            scheduler.ask_to_stop();
        }
    };
    server.run(stop).await?;
    if let Some(scheduler) = beside {
        scheduler.ended().await?;
    }
    output.say("Every request was answered; bye.");
    Ok(())
}

/// A server for the project that listens already.
pub(super) async fn bind(
    project: &Project,
    clock: Arc<dyn Clock>,
    options: ServerOptions,
) -> Result<Server, Failure> {
    let backends = Backends {
        registry: project.registry()?,
        serving: Arc::new(Serving::new(project.online()?, Arc::clone(&clock))),
        training: project.training()?,
        engine: project.engine()?,
        materializer: project
            .materializer(Arc::clone(&clock))?
            .triggered_by(RunTrigger::Request),
        pusher: project.pusher(Arc::clone(&clock))?,
        clock,
    };
    Ok(Server::bind(backends, options).await?)
}

/// Says where the server listens, for people and for whoever started it on port 0.
fn announce(project: &Project, server: &Server, now: Option<EventTime>, output: Output) {
    let (grpc, http) = (
        server.grpc_addr().to_string(),
        server.http_addr().to_string(),
    );
    let name = &project.settings.project;
    output.answer(&json!({ "project": name, "grpc": grpc, "http": http }), || {
        let as_of = now.map(|now| format!(" as of {now}")).unwrap_or_default();
        format!(
            "Serving project {name}{as_of}\n  gRPC and Arrow Flight  {grpc}\n  HTTP                   http://{http}/health, /metrics\nStop with Ctrl-C."
        )
    });
}
