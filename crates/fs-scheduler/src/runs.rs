//! [`Runs`]: what the scheduler needs of whatever does the work.

use std::fmt::Debug;
use std::sync::Arc;

use fs_core::{Catalog, Code, EventTime, ViewName};
use fs_registry::Lease;
use futures::future::BoxFuture;

/// What brings a view up to date.
///
/// Running the same twice, or after it died anywhere, leaves what running it once leaves; so the
/// scheduler promises that it runs, and not that it runs once.
pub trait Runs: Debug + Send + Sync {
    /// What others are told who wait for the lease.
    fn describe(&self, end: EventTime, attempt: u32) -> String;

    /// Brings in all of `view` that is new, up to `end`. Shows the fence of `lease` with every write, and
    /// breaks off soon after [`Lease::stop`] is cancelled.
    fn run<'a>(
        &'a self,
        lease: &'a Lease,
        catalog: &'a Arc<Catalog>,
        view: &'a ViewName,
        end: EventTime,
        attempt: u32,
    ) -> BoxFuture<'a, Ran>;
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// By which id it was recorded.
    pub run: String,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Decides whether it is tried again before the next tick.
    pub code: Code,
    /// For people.
    pub why: String,
}
