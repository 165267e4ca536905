//! The definitions that are served now, and how newer ones take their place.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use fs_core::Catalog;
use fs_core::code::report;
use fs_registry::Registry;
use tokio::sync::{Mutex, watch};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use crate::Error;
use crate::telemetry;

/// One version of the definitions. A request takes one and keeps it to its end.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) version: u64,
    pub(crate) catalog: Arc<Catalog>,
}

/// The newest version that could be read.
#[derive(Debug)]
pub(crate) struct Live {
    registry: Registry,
    patience: Duration,
    current: ArcSwapOption<Snapshot>,
    /// One look at a time: two might put an older version over a newer one.
    turn: Mutex<()>,
    failing: AtomicBool,
    changes: watch::Sender<Option<u64>>,
}

/// Looks for a newer registry version at once, rather than at the next interval.
#[derive(Debug, Clone)]
pub struct Reloader(pub(crate) Arc<Live>);

impl Reloader {
    /// Looks for a newer version, and returns the one that is served after; `None` if nothing was
    /// ever applied.
    pub async fn reload(&self) -> Result<Option<u64>, Error> {
        self.0.reload().await?;
        Ok(self.0.version())
    }
}

impl Live {
    pub(crate) fn new(registry: Registry, patience: Duration) -> Self {
        Self {
            registry,
            patience,
            current: ArcSwapOption::empty(),
            turn: Mutex::new(()),
            failing: AtomicBool::new(false),
            changes: watch::Sender::new(None),
        }
    }

    pub(crate) fn project(&self) -> &fs_core::ProjectName {
        self.registry.project()
    }

    pub(crate) fn version(&self) -> Option<u64> {
        self.current
            .load()
            .as_ref()
            .map(|snapshot| snapshot.version)
    }

    /// Hears of every version that is put in place.
    pub(crate) fn changes(&self) -> watch::Receiver<Option<u64>> {
        self.changes.subscribe()
    }

    /// The definitions to answer with.
    pub(crate) fn snapshot(&self) -> Result<Arc<Snapshot>, Error> {
        self.current
            .load_full()
            .ok_or_else(|| Error::NothingApplied {
                project: self.project().clone(),
            })
    }

    /// The definitions of version `number`, which need not be the newest.
    pub(crate) async fn at(&self, number: u64) -> Result<Arc<Snapshot>, Error> {
        let current = self.current.load_full();
        if let Some(snapshot) = current.filter(|snapshot| snapshot.version == number) {
            return Ok(snapshot);
        }
        let after = self.patience;
        let version = timeout(after, self.registry.version(number)).await;
        let version = version.map_err(|_elapsed| Error::RegistryTimeout { after })??;
        Ok(Arc::new(Snapshot {
            version: version.number,
            catalog: version.catalog,
        }))
    }

    /// Puts the newest version in place, if it is newer than the one that is there.
    pub(crate) async fn reload(&self) -> Result<(), Error> {
        let _turn = self.turn.lock().await;
        let newer = self.registry.newer_than(self.version().unwrap_or(0));
        let newer = timeout(self.patience, newer).await;
        let after = self.patience;
        let Some(newer) = newer.map_err(|_elapsed| Error::RegistryTimeout { after })?? else {
            return Ok(());
        };
        let version = newer.number;
        self.current.store(Some(Arc::new(Snapshot {
            version,
            catalog: newer.catalog,
        })));
        self.changes.send_replace(Some(version));
        telemetry::registry_version(version);
        tracing::info!(version, "serving a new registry version");
        Ok(())
    }

    /// Looks for newer versions until `stop`. What cannot be read is logged once, and tried again.
    pub(crate) async fn follow(self: Arc<Self>, every: Duration, stop: CancellationToken) {
        let mut ticks = interval(every.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            telemetry::upkeep();
            let Some(outcome) = stop.run_until_cancelled(self.reload()).await else {
                return;
            };
            let was_failing = self.failing.swap(outcome.is_err(), Ordering::Relaxed);
            match outcome {
                Err(error) => {
                    telemetry::reload_failed();
                    if !was_failing {
                        let (error, version) = (report(&error), self.version());
                        tracing::warn!(
                            error,
                            version,
                            "cannot look for newer definitions; serving on"
                        );
                    }
                }
                Ok(()) if was_failing => tracing::info!("the registry answers again"),
                Ok(()) => {}
            }
        }
    }
}
