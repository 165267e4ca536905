//! Schedulers of a project: what runs its views, and what there is to see of them.

use std::sync::Arc;

use fs_core::code::report;
use fs_core::{Catalog, Coded, EventTime, ProjectName, ViewName};
use fs_materialize::{Asked, Materializer, Progress, Silent};
use fs_offline::RunTrigger;
use fs_registry::Lease;
use fs_scheduler::{Failure as RunFailure, Health, Places, Ran, Runs, Scheduler, SchedulerOptions};
use fs_server::Seen;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::failure::Failure;
use crate::project::Project;
use crate::wall_clock;
use crate::watched::Watched;

/// A scheduler of the project that is not running yet.
pub(crate) fn scheduler(
    project: &Project,
    options: SchedulerOptions,
) -> Result<Scheduler, Failure> {
    let places = Places {
        base_dir: project.root.clone(),
        offline_store: project.settings.offline_store.clone(),
    };
    let runs = Arc::new(Materializations {
        materializer: project.materializer(wall_clock::clock(None))?,
    });
    let scheduler = Scheduler::new(project.registry()?, project.leases()?, places, runs);
    Ok(scheduler.with_options(options))
}

/// Scheduled runs are materializations.
#[derive(Debug)]
struct Materializations {
    materializer: Materializer,
}

fn asked(end: EventTime, attempt: u32) -> Asked {
    Asked::up_to(end).by(RunTrigger::Schedule).attempt(attempt)
}

impl Runs for Materializations {
    fn describe(&self, end: EventTime, attempt: u32) -> String {
        asked(end, attempt).to_string()
    }

    fn run<'a>(
        &'a self,
        lease: &'a Lease,
        catalog: &'a Arc<Catalog>,
        view: &'a ViewName,
        end: EventTime,
        attempt: u32,
    ) -> BoxFuture<'a, Ran> {
        Box::pin(async move {
            let Some(view) = catalog.feature_views.get(view) else {
                // Views come from the same catalog.
                let why = format!("there is no feature view `{view}`");
                let code = fs_core::Code::NotFound;
                let failure = Some(RunFailure { code, why });
                let run = String::new();
                return Ran { run, failure };
            };
            let silent: Arc<dyn Progress> = Arc::new(Silent);
            let (summary, error) = self
                .materializer
                .run_leased(lease, catalog, view, &asked(end, attempt), &silent)
                .await;
            Ran {
                run: summary.record.id,
                failure: error.map(|error| RunFailure {
                    code: error.code(),
                    why: report(&error),
                }),
            }
        })
    }
}

/// What there is to see of a scheduler.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) project: ProjectName,
    pub(crate) health: Health,
    /// How far its views have come, where somebody may ask.
    pub(crate) views: Option<Watched>,
}

impl Seen for Shown {
    fn health(&self) -> (bool, Value) {
        let version = self.health.version();
        let status = if self.health.draining() {
            "draining"
        } else if version.is_none() {
            "nothing_applied"
        } else {
            "scheduling"
        };
        let body = json!({
            "status": status, "project": self.project, "registry_version": version
        });
        (status == "scheduling", body)
    }

    fn show(&self) {
        if let Some(views) = &self.views {
            views.show();
        }
    }
}

/// A scheduler beside a server, on threads of its own: runs decode, sort and pack rows for minutes.
#[derive(Debug)]
pub(crate) struct Beside {
    runtime: Option<Runtime>,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<Result<(), Failure>>>,
}

impl Beside {
    /// Starts it.
    pub(crate) fn start(project: Project, options: SchedulerOptions) -> Result<Self, Failure> {
        let mut builder = Builder::new_multi_thread();
        let runtime = builder.thread_name("scheduler").enable_all().build();
        let runtime = runtime
            .map_err(|error| Failure::io("cannot start threads for the scheduler", &error))?;
        let (stop, stopped) = oneshot::channel();
        // Its stores are opened on its own threads, where their connections live.
        let task = runtime.spawn(async move {
            let scheduler = scheduler(&project, options)?;
            let stopped = async {
                stopped.await.ok();
            };
            scheduler.run(stopped).await;
            Ok(())
        });
        Ok(Self {
            runtime: Some(runtime),
            stop: Some(stop),
            task: Some(task),
        })
    }

    /// Begins no more runs.
    pub(crate) fn ask_to_stop(&mut self) {
        self.stop.take();
    }

    /// Waits until the runs that had begun are over, or stopped.
    pub(crate) async fn ended(mut self) -> Result<(), Failure> {
        self.ask_to_stop();
        match self.task.take() {
            None => Ok(()),
            Some(task) => task.await.unwrap_or_else(|broken| {
                let message = format!("the scheduler broke off: {broken}");
                Err(Failure::new(fs_core::Code::Internal, message))
            }),
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // Waiting is not for a thread that answers.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
