//! Chance that a failed test can be given again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The environment variable that holds a seed.
const VARIABLE: &str = "FS_TEST_SEED";

/// Numbers that nobody foresees, all of which follow from a seed that is printed.
///
/// `FS_TEST_SEED` sets it, so that a test can be run as it was when it failed, as far as processes that
/// run beside each other can be.
#[derive(Debug)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// Chance for the test `name`.
    #[expect(
        clippy::disallowed_methods,
        reason = "whoever repeats a test says by which seed"
    )]
    pub fn new(name: &str) -> Self {
        let given = std::env::var(VARIABLE)
            .ok()
            .and_then(|seed| seed.parse().ok());
        // A fresh `RandomState` is seeded by the operating system.
        let seed = given.unwrap_or_else(|| RandomState::new().hash_one(name));
        eprintln!("{name}: {VARIABLE}={seed}");
        Self { state: seed }
    }

    /// A number below `end`, which is not 0.
    pub const fn below(&mut self, end: u64) -> u64 {
        // SplitMix64: https://prng.di.unimi.it/splitmix64.c
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    /// A moment within the first `span`.
    pub fn moment(&mut self, span: Duration) -> Duration {
        let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(self.below(micros.max(1)))
    }
}
