//! [`Fence`]: what a writer shows to prove that nobody has taken over from it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A number that a lease hands to its holder, greater than all before it.
///
/// ```text
///   a store has seen     a write shows     then
///   nothing, or 6        7                 the write is done, and 7 is what the store has seen
///   7                    7                 the write is done
///   8                    7                 the write is refused: somebody has taken over
/// ```
/// So a process that was stopped, lost its lease and wakes up in the middle of its work changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fence(u64);

impl Fence {
    /// The fence with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Fence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
