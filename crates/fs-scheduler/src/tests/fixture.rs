//! The world: a registry in memory, one time for all, and a runtime for every scheduler.
//!
//! A scheduler whose runtime is dropped is dead as a process is after SIGKILL: nothing of it runs again.
//! One whose runtime is not driven is frozen.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fs_core::{Catalog, Clock, Code, EventTime, FixedClock, Location, ViewName};
use fs_registry::{Force, Lease, Leases, ManualTimer, Registry, Timer};
use fs_testkit::catalog;
use futures::future::BoxFuture;
use object_store::memory::InMemory;
use object_store::path::Path;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::{Failure, Health, JobState, Places, Ran, Runs, Scheduler, SchedulerOptions};

/// A name, a schedule, and the views that it is computed from.
pub(super) type View<'a> = (&'a str, &'a str, &'a [&'a str]);

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// Works for so many seconds, and succeeds.
    Works(u64),
    /// Fails after a second.
    Fails(Code),
    /// Works for ever.
    Hangs,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Done,
    Failed,
    Stopped,
}

/// A run that was begun; instants are seconds since the world began.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) replica: String,
    pub(super) view: String,
    pub(super) end: EventTime,
    pub(super) attempt: u32,
    pub(super) fence: u64,
    pub(super) taken_over: bool,
    pub(super) began: i64,
    pub(super) ended: Option<(i64, End)>,
}

impl Run {
    pub(super) fn is_done(&self) -> bool {
        self.ended.is_some_and(|(_, end)| end == End::Done)
    }
}

type Plan = Arc<dyn Fn(&Run) -> Doing + Send + Sync>;

pub(super) struct World {
    pub(super) clock: Arc<FixedClock>,
    pub(super) timer: Arc<ManualTimer>,
    pub(super) options: SchedulerOptions,
    registry: Registry,
    leases: Leases,
    log: Arc<Mutex<Vec<Run>>>,
    plan: Plan,
    replicas: BTreeMap<String, Replica>,
    /// Decides who goes on, and how far.
    pub(super) dice: u64,
    driver: Runtime,
}

struct Replica {
    runtime: Runtime,
    health: Health,
    shutdown: CancellationToken,
    ended: Arc<Mutex<bool>>,
    frozen: bool,
}

/// Noon of the world, more or less: `10:05` of its first day.
pub(super) fn at(time: &str) -> EventTime {
    let seconds = if time.len() == 5 { ":00" } else { "" };
    format!("2013-04-01T{time}{seconds}Z").parse().unwrap()
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().build().unwrap()
}

impl World {
    /// With these views applied, at 10:00:00.
    pub(super) fn with(views: &[View]) -> Self {
        let world = Self::empty();
        world.apply(views);
        world
    }

    /// With nothing applied.
    pub(super) fn empty() -> Self {
        let clock = Arc::new(FixedClock::at(at("10:00")));
        let timer = Arc::new(ManualTimer::new());
        let location = Location::parse(std::path::Path::new("/"), "memory:///registry").unwrap();
        let registry = Registry::over(
            Arc::new(InMemory::new()),
            &Path::default(),
            &location,
            "flights".parse().unwrap(),
        );
        let leases = registry
            .leases(clock.clone())
            .with_timer(timer.clone())
            .with_store_clock(clock.clone());
        Self {
            clock,
            timer,
            options: SchedulerOptions::default(),
            registry,
            leases,
            log: Arc::default(),
            plan: Arc::new(|_| Doing::Works(1)),
            replicas: BTreeMap::new(),
            dice: 1,
            driver: runtime(),
        }
    }

    /// Applies a version with these views.
    pub(super) fn apply(&self, views: &[View]) {
        let catalog = definitions(views);
        self.driver.block_on(async {
            let plan = self.registry.plan(&catalog).await.unwrap();
            let now = self.clock.now();
            self.registry
                .apply(&plan, Force::Yes, now, None)
                .await
                .unwrap();
        });
    }

    /// Decides what runs do that begin from here on.
    pub(super) fn each_run(&mut self, plan: impl Fn(&Run) -> Doing + Send + Sync + 'static) {
        self.plan = Arc::new(plan);
    }

    pub(super) fn start(&mut self, name: &str) {
        self.start_skewed(name, 0);
    }

    /// Starts a scheduler whose clock is ahead by so many seconds.
    pub(super) fn start_skewed(&mut self, name: &str, ahead: i64) {
        let clock = Arc::new(Skewed {
            world: self.clock.clone(),
            ahead,
        });
        let places = Places {
            base_dir: PathBuf::from("/repo"),
            offline_store: offline_store(),
        };
        let runs = Arc::new(FakeRuns {
            replica: name.to_owned(),
            world: self.clock.clone(),
            timer: self.timer.clone(),
            log: self.log.clone(),
            plan: self.plan.clone(),
        });
        let leases = self.leases.as_process(name, clock);
        let scheduler = Scheduler::new(self.registry.clone(), leases, places, runs);
        let scheduler = scheduler.with_options(self.options);
        let health = scheduler.health();
        let shutdown = CancellationToken::new();
        let ended = Arc::new(Mutex::new(false));
        let runtime = runtime();
        let (asked, over) = (shutdown.clone(), ended.clone());
        runtime.spawn(async move {
            scheduler.run(asked.cancelled_owned()).await;
            *over.lock().unwrap() = true;
        });
        let replica = Replica {
            runtime,
            health,
            shutdown,
            ended,
            frozen: false,
        };
        self.replicas.insert(name.to_owned(), replica);
    }

    pub(super) fn is_there(&self, name: &str) -> bool {
        self.replicas.contains_key(name)
    }

    pub(super) fn kill(&mut self, name: &str) {
        self.replicas.remove(name);
    }

    pub(super) fn freeze(&mut self, name: &str, frozen: bool) {
        self.replicas.get_mut(name).unwrap().frozen = frozen;
    }

    pub(super) fn ask_to_shut_down(&self, name: &str) {
        self.replicas[name].shutdown.cancel();
    }

    pub(super) fn has_ended(&self, name: &str) -> bool {
        *self.replicas[name].ended.lock().unwrap()
    }

    pub(super) fn health(&self, name: &str) -> Health {
        self.replicas[name].health.clone()
    }

    pub(super) fn cancel(&self, view: &str) {
        let view = view.parse().unwrap();
        let asked = self.leases.ask_to_cancel(&view);
        self.driver.block_on(asked).unwrap().unwrap();
    }

    /// Lets so many seconds pass.
    pub(super) fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.drive();
            self.timer.advance(Duration::from_secs(1));
            let now = self.clock.now().as_micros() + 1_000_000;
            self.clock.set(EventTime::from_micros(now));
            self.drive();
        }
    }

    /// Lets everybody who is not frozen do what there is to do, in slices of chance.
    pub(super) fn drive(&mut self) {
        for _ in 0..6 {
            for replica in self.replicas.values().filter(|replica| !replica.frozen) {
                self.dice = self
                    .dice
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                let steps = (self.dice >> 33) % 24;
                replica.runtime.block_on(async {
                    for _ in 0..steps {
                        tokio::task::yield_now().await;
                    }
                });
            }
        }
    }

    pub(super) fn runs(&self) -> Vec<Run> {
        self.log.lock().unwrap().clone()
    }

    /// The ends of the runs of a view that succeeded, in order.
    pub(super) fn done(&self, view: &str) -> Vec<EventTime> {
        let runs = self.runs().into_iter();
        runs.filter(|run| run.view == view && run.is_done())
            .map(|run| run.end)
            .collect()
    }

    pub(super) fn most_at_once(&self) -> usize {
        let runs = self.runs();
        let open = |at: i64| {
            let open = runs
                .iter()
                .filter(|run| run.began <= at && run.ended.is_none_or(|(end, _)| end > at));
            open.count()
        };
        runs.iter()
            .map(|run| open(run.began))
            .max()
            .unwrap_or_default()
    }

    pub(super) fn state(&self, view: &str) -> JobState {
        let view = view.parse().unwrap();
        let state = self.leases.read(&view);
        let state = self.driver.block_on(state).unwrap().unwrap();
        JobState::read(&state.job).unwrap()
    }
}

fn offline_store() -> Location {
    Location::parse(std::path::Path::new("/"), "/repo/offline").unwrap()
}

fn definitions(views: &[View]) -> Catalog {
    let mut project = catalog::project("flights");
    for (name, schedule, upstream) in views {
        let source = format!("{name}_source");
        let mut reads = catalog::source(&source);
        match upstream {
            [] => {}
            [one] => reads = reads.delta(&format!("offline/flights/{one}")),
            many => {
                for above in *many {
                    let table = format!("{name}_{above}");
                    let path = format!("offline/flights/{above}");
                    project = project.source(catalog::source(&table).delta(&path));
                }
                let tables = many.iter().map(|above| format!("{name}_{above}"));
                let tables = tables.collect::<Vec<_>>().join(" NATURAL JOIN ");
                reads = reads.sql(&format!("SELECT * FROM {tables}"));
            }
        }
        project = project
            .source(reads)
            .view(catalog::view(name).source(&source).schedule(schedule));
    }
    project.build()
}

#[derive(Debug)]
struct Skewed {
    world: Arc<FixedClock>,
    ahead: i64,
}

impl Clock for Skewed {
    fn now(&self) -> EventTime {
        EventTime::from_micros(self.world.now().as_micros() + self.ahead * 1_000_000)
    }
}

/// Runs that take time and write nothing.
struct FakeRuns {
    replica: String,
    world: Arc<FixedClock>,
    timer: Arc<ManualTimer>,
    log: Arc<Mutex<Vec<Run>>>,
    plan: Plan,
}

impl std::fmt::Debug for FakeRuns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FakeRuns")
    }
}

impl FakeRuns {
    fn now(&self) -> i64 {
        (self.world.now().as_micros() - at("10:00").as_micros()) / 1_000_000
    }

    async fn work(&self, lease: &Lease, doing: Doing) -> End {
        let seconds = match doing {
            Doing::Works(seconds) => seconds,
            Doing::Fails(_) => 1,
            Doing::Hangs => u64::from(u32::MAX),
        };
        let over = self
            .timer
            .sleep_until(self.timer.now() + Duration::from_secs(seconds));
        tokio::select! {
            biased;
            () = lease.stop().cancelled() => End::Stopped,
            () = over => if matches!(doing, Doing::Fails(_)) { End::Failed } else { End::Done },
        }
    }
}

impl Runs for FakeRuns {
    fn describe(&self, end: EventTime, attempt: u32) -> String {
        format!("up to {end}, attempt {attempt}")
    }

    fn run<'a>(
        &'a self,
        lease: &'a Lease,
        _catalog: &'a Arc<Catalog>,
        view: &'a ViewName,
        end: EventTime,
        attempt: u32,
    ) -> BoxFuture<'a, Ran> {
        Box::pin(async move {
            let run = Run {
                replica: self.replica.clone(),
                view: view.to_string(),
                end,
                attempt,
                fence: lease.fence().number(),
                taken_over: lease.taken_over(),
                began: self.now(),
                ended: None,
            };
            let doing = (self.plan)(&run);
            let number = {
                let mut log = self.log.lock().unwrap();
                log.push(run);
                log.len() - 1
            };
            let ended = self.work(lease, doing).await;
            self.log.lock().unwrap()[number].ended = Some((self.now(), ended));
            let code = match doing {
                Doing::Fails(code) => code,
                _ => Code::Conflict,
            };
            let failure = (ended != End::Done).then(|| Failure {
                code,
                why: "told to fail".to_owned(),
            });
            let run = format!("run-{number}");
            Ran { run, failure }
        })
    }
}
