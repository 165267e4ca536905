//! Materializations that are asked for over HTTP, and looks at the tables.
//!
//! They run on threads of their own, because they decode, sort and pack rows for minutes, and come to
//! their end whether or not who asked still waits. A server that ends before leaves the tables as they
//! were, or as the run made them: a run is atomic and may be repeated.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fs_core::code::report;
use fs_core::{Catalog, EventTime, TimeRange, ViewName};
use fs_materialize::{Materializer, RunSummary, Silent, ViewMetrics, Views};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

use super::FeastError;

/// What runs materializations, one of a view at a time.
#[derive(Debug)]
pub(crate) struct Jobs {
    materializer: Materializer,
    /// The threads, once there was something to do.
    runtime: Mutex<Option<Runtime>>,
    busy: Arc<Busy>,
}

/// How many runs there are of a view; mostly one, more only where somebody insisted.
#[derive(Debug, Default)]
struct Busy(Mutex<BTreeMap<ViewName, usize>>);

/// Views that nobody else materializes until this is dropped.
#[derive(Debug)]
pub(super) struct Reserved {
    views: Vec<ViewName>,
    busy: Arc<Busy>,
}

/// Which rows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked {
    /// Those of a window.
    Window(TimeRange),
    /// Those that are new, up to an instant.
    UpTo(EventTime),
}

impl Jobs {
    pub(crate) fn new(materializer: Materializer) -> Self {
        Self {
            materializer,
            runtime: Mutex::default(),
            busy: Arc::default(),
        }
    }

    /// Takes the views, unless one of them is taken; `force` takes them all the same.
    pub(super) fn reserve(
        &self,
        views: Vec<ViewName>,
        force: bool,
    ) -> Result<Reserved, FeastError> {
        let mut busy = lock(&self.busy.0);
        let taken = views.iter().filter(|view| busy.contains_key(*view));
        let taken: Vec<ViewName> = taken.cloned().collect();
        if !taken.is_empty() && !force {
            return Err(FeastError::Busy { views: taken });
        }
        for view in &views {
            *busy.entry(view.clone()).or_default() += 1;
        }
        Ok(Reserved {
            views,
            busy: Arc::clone(&self.busy),
        })
    }

    /// Begins to materialize the views, which it gives back at the end.
    pub(super) fn start(
        &self,
        views: Reserved,
        catalog: Arc<Catalog>,
        asked: Asked,
    ) -> Result<JoinHandle<Result<Vec<RunSummary>, FeastError>>, FeastError> {
        let materializer = self.materializer.clone();
        let run = async move {
            let only = Views::Only(views.views.clone());
            let silent = Arc::new(Silent);
            let done = match asked {
                Asked::Window(range) => {
                    let run = materializer.materialize(&catalog, &only, &range, silent);
                    run.await
                }
                Asked::UpTo(end) => {
                    let run =
                        materializer.materialize_incremental(&catalog, &only, Some(end), silent);
                    run.await
                }
            };
            drop(views);
            done.map_err(|error| {
                tracing::warn!(error = report(&error), "a materialization failed");
                FeastError::Materialize(Box::new(error))
            })
        };
        Ok(self.threads()?.spawn(run))
    }

    /// Begins to ask the stores how far the views of `catalog` have come; `None` if there are no threads
    /// for it.
    pub(crate) fn measure(
        &self,
        metrics: Arc<ViewMetrics>,
        catalog: Arc<Catalog>,
    ) -> Option<JoinHandle<()>> {
        let materializer = self.materializer.clone();
        let measure = async move { materializer.measure(&metrics, &catalog).await };
        Some(self.threads().ok()?.spawn(measure))
    }

    fn threads(&self) -> Result<Handle, FeastError> {
        let mut runtime = lock(&self.runtime);
        if let Some(runtime) = runtime.as_ref() {
            return Ok(runtime.handle().clone());
        }
        let mut builder = Builder::new_multi_thread();
        let started = builder.thread_name("materialize").enable_all().build();
        let started = runtime.insert(started.map_err(FeastError::NoThread)?);
        Ok(started.handle().clone())
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        let runtime = lock(&self.runtime).take();
        if let Some(runtime) = runtime {
            runtime.shutdown_background();
        }
    }
}

impl Reserved {
    pub(super) fn views(&self) -> &[ViewName] {
        &self.views
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut busy = lock(&self.busy.0);
        for view in &self.views {
            if let Some(runs) = busy.get_mut(view) {
                *runs -= 1;
            }
        }
        busy.retain(|_, runs| *runs > 0);
    }
}

/// What is locked is whole after every statement, also of one that panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
