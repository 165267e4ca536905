//! When a push was received: what rows without a created time get.

use fs_core::EventTime;

use super::Inner;
use super::check::Job;
use crate::Error;

/// A push that was received, now or before.
pub(super) struct Receipt {
    pub(super) at: EventTime,
    pub(super) repeated: bool,
}

impl Inner {
    /// When a push that goes online only was received: the first time, if it has a key.
    ///
    /// Whoever claims the key writes its rows afterwards, so they may be missing when the key is
    /// known; but then they are written now, with the same times.
    pub(super) async fn receive(&self, job: &Job, key: Option<&str>) -> Result<Receipt, Error> {
        let now = self.clock.now();
        let Some(key) = key else {
            return Ok(Receipt {
                at: now,
                repeated: false,
            });
        };
        let micros = now.as_micros().to_be_bytes();
        let earlier = self.online.once(&job.id, key, &micros).await;
        let earlier = earlier.map_err(|source| self.not_stored(job, source))?;
        let earlier = earlier.and_then(|value| value.as_ref().try_into().ok());
        Ok(Receipt {
            at: earlier.map_or(now, |micros| {
                EventTime::from_micros(i64::from_be_bytes(micros))
            }),
            repeated: earlier.is_some(),
        })
    }
}
