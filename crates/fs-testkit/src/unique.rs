//! Names that nobody else has, so that tests may share a server.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};

use fs_core::ProjectName;

/// A project that no other test, of this run or of another, uses.
pub fn unique_project() -> ProjectName {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    // A fresh `RandomState` is seeded by the operating system.
    let random = RandomState::new().hash_one(std::process::id());
    crate::catalog::parsed(&format!("t{random:016x}_{count}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_projects_never_have_the_same_name() {
        assert_ne!(unique_project(), unique_project());
    }
}
