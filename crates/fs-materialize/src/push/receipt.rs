//! When a push was received: what rows without a created time get.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use fs_core::EventTime;

use super::Inner;
use super::check::Job;
use crate::Error;

/// A push that was received, now or before.
pub(super) struct Receipt {
    pub(super) at: EventTime,
    /// Tells it from other pushes; the same if it is sent again.
    pub(super) push: u64,
    pub(super) repeated: bool,
}

impl Inner {
    /// When a push that goes online only was received: the first time, if it has a key.
    ///
    /// Whoever claims the key writes its rows afterwards, so they may be missing when the key is
    /// known; but then they are written now, with the same times.
    pub(super) async fn receive(&self, job: &Job, key: Option<&str>) -> Result<Receipt, Error> {
        let now = self.clock.now();
        let mine = claim(now);
        let Some(key) = key else {
            return Ok(Receipt {
                at: now,
                push: hash(&mine),
                repeated: false,
            });
        };
        let earlier = self.online.once(&job.id, key, &mine).await;
        let earlier = earlier.map_err(|source| self.not_stored(job, source))?;
        let received = earlier.as_ref().and_then(|value| value.first_chunk());
        let received = received.map(|micros| EventTime::from_micros(i64::from_be_bytes(*micros)));
        Ok(Receipt {
            at: received.unwrap_or(now),
            push: hash(earlier.as_deref().unwrap_or(&mine)),
            repeated: earlier.is_some(),
        })
    }
}

fn hash(claim: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    claim.hash(&mut hasher);
    hasher.finish()
}

/// What claims a key: when the push was received, and what tells it from others of that instant.
///
/// ```text
///   microseconds UTC (8)  process (4)  which push of the process (8)      big-endian
/// ```
fn claim(received: EventTime) -> Vec<u8> {
    static PUSHES: AtomicU64 = AtomicU64::new(0);
    let push = PUSHES.fetch_add(1, Ordering::Relaxed);
    [
        received.as_micros().to_be_bytes().as_slice(),
        std::process::id().to_be_bytes().as_slice(),
        push.to_be_bytes().as_slice(),
    ]
    .concat()
}
