//! A store, a timer and clocks for one test.

use fs_core::{FixedClock, Location};
use object_store::path::Path;

use super::super::*;
use crate::ManualTimer;
use crate::unsteady::UnsteadyStore;

/// Where time passes when [`pass`](Self::pass) is called.
pub(super) struct World {
    pub(super) store: Arc<UnsteadyStore>,
    pub(super) timer: Arc<ManualTimer>,
    pub(super) leases: Leases,
}

pub(super) fn weather() -> ViewName {
    "weather".parse().unwrap()
}

pub(super) fn clock() -> Arc<dyn Clock> {
    Arc::new(FixedClock::at(crate::fixture::at(0)))
}

/// What comes of trying to take the lease.
pub(super) async fn attempt(leases: &Leases) -> Option<Lease> {
    leases.try_acquire(&weather(), "other").await.unwrap()
}

impl World {
    pub(super) fn new() -> Self {
        let store = Arc::new(UnsteadyStore::default());
        let timer = Arc::new(ManualTimer::new());
        let location = Location::parse(std::path::Path::new("/"), "memory:///r").unwrap();
        let project = "flights".parse().unwrap();
        let registry = Registry::over(store.clone(), &Path::default(), &location, project);
        let leases = registry.leases(clock()).with_timer(timer.clone());
        Self {
            store,
            timer,
            leases,
        }
    }

    /// The leases as another process sees them.
    pub(super) fn process(&self, name: &str) -> Leases {
        self.leases.as_process(name, clock())
    }

    pub(super) async fn take(&self, what: &str) -> Lease {
        let lease = self.leases.try_acquire(&weather(), what).await.unwrap();
        lease.expect("the lease is free")
    }

    /// Watches as `other` until it may take over.
    pub(super) async fn take_over(&self, other: &Leases) -> Lease {
        for _ in 0..1_000 {
            if let Some(lease) = other.try_acquire(&weather(), "other").await.unwrap() {
                return lease;
            }
            self.pass(1.0).await;
        }
        panic!("nobody may take over");
    }

    /// Lets so many seconds pass, a quarter at a time.
    pub(super) async fn pass(&self, seconds: f64) {
        let mut left = Duration::from_secs_f64(seconds);
        self.settle().await;
        while !left.is_zero() {
            let step = left.min(Duration::from_millis(250));
            self.timer.advance(step);
            left -= step;
            self.settle().await;
        }
    }

    /// Lets every task do what it can.
    pub(super) async fn settle(&self) {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
}
