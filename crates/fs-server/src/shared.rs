//! What every request handler holds.

use std::future::Future;
use std::sync::Arc;

use fs_core::Clock;
use fs_engine::Engine;
use fs_serving::Serving;
use fs_training::TrainingSets;
use tokio_util::sync::CancellationToken;

use crate::admission::Admission;
use crate::feast::Jobs;
use crate::flight::Uploads;
use crate::live::Live;
use crate::push::Pushing;
use crate::telemetry::{Calls, Freshness, Lines};
use crate::turn::Turns;
use crate::{Error, Limits};

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) live: Arc<Live>,
    pub(crate) serving: Arc<Serving>,
    pub(crate) training: TrainingSets,
    pub(crate) engine: Arc<Engine>,
    pub(crate) jobs: Jobs,
    pub(crate) pusher: Pushing,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    pub(crate) admission: Admission,
    pub(crate) calls: Calls,
    pub(crate) failures: Lines,
    pub(crate) freshness: Freshness,
    pub(crate) uploads: Uploads,
    pub(crate) turns: Turns,
    /// Shutdown was asked for: nothing new should come.
    pub(crate) draining: CancellationToken,
    /// The time for what has begun is over.
    pub(crate) cutoff: CancellationToken,
}

impl Shared {
    /// `work`, unless the server's time is over before.
    pub(crate) async fn until_cutoff<T>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        self.cutoff
            .run_until_cancelled(work)
            .await
            .unwrap_or(Err(Error::Stopping))
    }
}
