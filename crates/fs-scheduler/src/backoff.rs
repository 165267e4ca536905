//! How long a run that failed waits before it is tried again.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use fs_core::Code;

/// When a run that failed is tried again.
///
/// ```text
///   attempt     1     2      3      4      …   8
///   wait        5 s   10 s   20 s   40 s       5 min    each up to twice as long, by chance
/// ```
/// What cannot succeed by itself (bad rows, a wrong definition) waits for the next tick, and so does what
/// has failed too often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// Attempts at one tick, at most.
    pub attempts: u32,
    /// The first wait.
    pub first: Duration,
    /// The longest wait, before chance makes it longer.
    pub longest: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            attempts: 8,
            first: Duration::from_secs(5),
            longest: Duration::from_mins(5),
        }
    }
}

impl Retries {
    /// How long to wait after attempt number `attempt`, counted from 1; `None` if there is no other.
    ///
    /// `seed` decides what chance adds, so that replicas that failed together do not come back together.
    pub(crate) fn after(&self, attempt: u32, seed: u64) -> Option<Duration> {
        let times = usize::try_from(self.attempts.saturating_sub(1)).ok()?;
        let waits = ExponentialBuilder::new()
            .with_min_delay(self.first)
            .with_max_delay(self.longest)
            .with_max_times(times)
            .with_jitter()
            .with_jitter_seed(seed)
            .build();
        let nth = usize::try_from(attempt.saturating_sub(1)).ok()?;
        waits.into_iter().nth(nth)
    }

    /// A wait is never longer.
    pub(crate) fn longest_possible(&self) -> Duration {
        self.longest.saturating_mul(2)
    }
}

/// Whether what failed with `code` may succeed when it is tried again.
///
/// | Code | Again? |
/// |---|---|
/// | `Conflict`, `ResourceExhausted`, `DeadlineExceeded`, `Unavailable` | yes |
/// | `InvalidArgument`, `NotFound`, `FailedPrecondition`, `Unimplemented`, `Internal` | no: at the next tick |
pub(crate) const fn may_pass(code: Code) -> bool {
    matches!(
        code,
        Code::Conflict | Code::ResourceExhausted | Code::DeadlineExceeded | Code::Unavailable
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_end() {
        let retries = Retries::default();
        let waits: Vec<Duration> = (1..).map_while(|n| retries.after(n, 7)).collect();
        assert_eq!(waits.len(), 7);
        for (wait, least) in waits.iter().zip([5, 10, 20, 40, 80, 160, 300]) {
            let least = Duration::from_secs(least);
            assert!(*wait >= least && *wait <= least * 2, "{wait:?} {least:?}");
            assert!(*wait <= retries.longest_possible());
        }
    }

    #[test]
    fn those_who_failed_together_do_not_come_back_together() {
        let retries = Retries::default();
        let mut waits: Vec<_> = (0..8).map(|seed| retries.after(3, seed)).collect();
        waits.sort_unstable();
        waits.dedup();
        assert_eq!(waits.len(), 8);
    }

    #[test]
    fn bad_input_is_not_tried_again_and_an_outage_is() {
        assert!(may_pass(Code::Unavailable) && may_pass(Code::Conflict));
        assert!(!may_pass(Code::InvalidArgument) && !may_pass(Code::Internal));
    }
}
