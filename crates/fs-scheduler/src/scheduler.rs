//! [`Scheduler`]: round after round, the turns that are due.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use fs_core::ViewName;
use fs_core::code::report;
use fs_registry::{Leases, Registry};
use futures::StreamExt;
use tokio::task::{Id, JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::board::Board;
use crate::health::Health;
use crate::job::{JobState, Patience};
use crate::runs::Runs;
use crate::timetable::{Places, Timetable};
use crate::turn::{Left, Turn};
use crate::{Retries, telemetry};

/// Leases that are read at once.
const READS_AT_ONCE: usize = 8;

/// How long runs that were stopped may take to come to their end.
const CUTOFF: Duration = Duration::from_secs(20);

/// How a scheduler works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchedulerOptions {
    /// Runs at the same time, of this process.
    pub jobs: usize,
    /// How often it is looked whether something is due, or the registry has a newer version.
    pub poll: Duration,
    /// How long runs may go on after shutdown was asked for.
    pub grace: Duration,
    /// When runs that failed are tried again.
    pub retries: Retries,
}

impl Default for SchedulerOptions {
    fn default() -> Self {
        Self {
            jobs: 2,
            poll: Duration::from_secs(1),
            grace: Duration::from_secs(30),
            retries: Retries::default(),
        }
    }
}

/// Runs the views of a project by their schedules, together with all other schedulers of the project.
#[derive(Debug)]
pub struct Scheduler {
    registry: Registry,
    leases: Leases,
    places: Places,
    runs: Arc<dyn Runs>,
    options: SchedulerOptions,
    health: Health,
}

/// What a running scheduler keeps.
#[derive(Debug, Default)]
struct Course {
    table: Timetable,
    board: Board,
    turns: JoinSet<Left>,
    views: HashMap<Id, ViewName>,
    cutoff: CancellationToken,
}

impl Scheduler {
    /// Of the project whose definitions are in `registry`; `runs` does the work.
    pub fn new(registry: Registry, leases: Leases, places: Places, runs: Arc<dyn Runs>) -> Self {
        Self {
            registry,
            leases,
            places,
            runs,
            options: SchedulerOptions::default(),
            health: Health::default(),
        }
    }

    /// The same, with other options.
    #[must_use]
    pub const fn with_options(mut self, options: SchedulerOptions) -> Self {
        self.options = options;
        self
    }

    /// How it is, for whoever watches it while it runs.
    pub fn health(&self) -> Health {
        self.health.clone()
    }

    /// Runs what is due until `shutdown`; then begins nothing, lets what has begun go on for the grace
    /// that it was given, stops it, and returns when all leases are released.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        let mut shutdown = std::pin::pin!(shutdown);
        let mut course = Course::default();
        loop {
            let timer = self.leases.timer();
            let next = timer.now() + self.options.poll;
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                () = self.round(&mut course) => {}
            }
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(ended) = course.turns.join_next_with_id() => self.ended(&mut course, ended),
                () = timer.sleep_until(next) => {}
            }
        }
        self.drain(course).await;
    }

    async fn round(&self, course: &mut Course) {
        match course.table.refresh(&self.registry, &self.places).await {
            Ok(changed) => {
                self.health.registry_answered(course.table.version);
                if changed {
                    telemetry::version(course.table.version);
                }
                course.board.follow(&course.table);
            }
            Err(error) => trouble("the registry cannot be read", &error),
        }
        // Whoever has no hand free leaves the work to others.
        if course.turns.len() < self.options.jobs {
            self.look(course).await;
            self.start(course);
        }
        for (view, micros) in course.board.behind(&course.table, self.leases.agreed_now()) {
            telemetry::behind(view, micros);
        }
    }

    /// Reads what others may have changed.
    async fn look(&self, course: &mut Course) {
        let now = self.leases.agreed_now();
        let moment = self.leases.timer().now();
        let views = course
            .board
            .to_look_at(&course.table, now, moment, self.patience());
        let mut states = futures::stream::iter(views)
            .map(async |view| {
                let state = self.leases.read(&view).await;
                (view, state)
            })
            .buffer_unordered(READS_AT_ONCE);
        while let Some((view, state)) = states.next().await {
            let job = match state {
                Ok(state) => state.map(|state| state.job).unwrap_or_default(),
                Err(error) => {
                    trouble("the lease of a view cannot be read", &error);
                    course.board.saw_nothing(&view, moment, self.options.poll);
                    continue;
                }
            };
            match JobState::read(&job) {
                Ok(state) => course.board.saw(&view, state, moment, self.pause()),
                Err(error) => {
                    trouble("a view cannot be scheduled", &error);
                    course.board.saw_nothing(&view, moment, self.pause());
                }
            }
        }
    }

    /// Begins turns of views that are due, as many as there are hands for.
    fn start(&self, course: &mut Course) {
        let Some(catalog) = &course.table.catalog else {
            return;
        };
        let now = self.leases.agreed_now();
        let ready = course.board.ready(&course.table, now, self.patience());
        let hands = self.options.jobs.saturating_sub(course.turns.len());
        for ready in ready.into_iter().take(hands) {
            let Some(scheduled) = course.table.get(&ready.view) else {
                continue;
            };
            let turn = Turn {
                leases: self.leases.clone(),
                runs: Arc::clone(&self.runs),
                catalog: Arc::clone(catalog),
                schedule: scheduled.schedule.clone(),
                retries: self.options.retries,
                patience: self.patience(),
                cutoff: course.cutoff.clone(),
            };
            let view = ready.view.clone();
            course.board.begins(&view);
            let task = course.turns.spawn(turn.take(ready));
            course.views.insert(task.id(), view);
        }
    }

    fn ended(&self, course: &mut Course, ended: Result<(Id, Left), JoinError>) {
        let (id, state) = match ended {
            Ok((id, left)) => (id, left.state),
            Err(error) => {
                trouble("a turn broke down", &error);
                (error.id(), None)
            }
        };
        if let Some(view) = course.views.remove(&id) {
            let moment = self.leases.timer().now();
            let pause = match state {
                Some(_) => Duration::ZERO,
                None => self.pause(),
            };
            course.board.ended(&view, state, moment, pause);
        }
    }

    async fn drain(&self, mut course: Course) {
        self.health.is_draining();
        let timer = self.leases.timer();
        tracing::info!(runs = course.turns.len(), "no more runs begin");
        let patience = timer.now() + self.options.grace;
        tokio::select! {
            biased;
            () = all(&mut course.turns) => return,
            () = timer.sleep_until(patience) => course.cutoff.cancel(),
        }
        tracing::warn!(
            runs = course.turns.len(),
            "runs that took too long are stopped"
        );
        let patience = timer.now() + CUTOFF;
        tokio::select! {
            biased;
            () = all(&mut course.turns) => {}
            () = timer.sleep_until(patience) => course.turns.shutdown().await,
        }
    }

    /// How long what was read of a lease is believed, where more is wanted of it.
    fn pause(&self) -> Duration {
        self.options.poll.max(self.leases.options().ttl / 6)
    }

    fn patience(&self) -> Patience {
        let longest = self.options.retries.longest_possible().as_micros();
        Patience {
            attempts: self.options.retries.attempts,
            longest: i64::try_from(longest).unwrap_or(i64::MAX),
        }
    }
}

fn trouble(what: &str, error: &dyn std::error::Error) {
    telemetry::error();
    tracing::warn!(error = report(error), "{what}");
}

async fn all(turns: &mut JoinSet<Left>) {
    while turns.join_next().await.is_some() {}
}
