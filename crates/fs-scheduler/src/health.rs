//! How a scheduler is, for whoever watches it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How a scheduler is. Clones show the same.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Shown>);

#[derive(Debug, Default)]
struct Shown {
    version: AtomicU64,
    draining: AtomicBool,
}

impl Health {
    /// The version of the registry that is scheduled; `None` before there is one.
    pub fn version(&self) -> Option<u64> {
        match self.0.version.load(Ordering::Relaxed) {
            0 => None,
            version => Some(version),
        }
    }

    /// Whether no more runs begin.
    pub fn draining(&self) -> bool {
        self.0.draining.load(Ordering::Relaxed)
    }

    pub(crate) fn registry_answered(&self, version: u64) {
        self.0.version.store(version, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }
}
