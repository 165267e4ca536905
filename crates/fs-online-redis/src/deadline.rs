//! Until when an operation may take.

use std::time::Duration;

use fs_online::Error;
use tokio::time::{Instant, timeout_at};

/// What an operation is called, and when it has taken too long.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    pub(crate) operation: &'static str,
    pub(crate) at: Instant,
    within: Duration,
}

impl Deadline {
    /// `within` from now.
    pub(crate) fn new(operation: &'static str, within: Duration) -> Self {
        let at = Instant::now() + within;
        Self {
            operation,
            at,
            within,
        }
    }

    /// When an operation of this length would have begun.
    pub(crate) fn begun(&self) -> Instant {
        self.at - self.within
    }

    /// The same, and at most `limit` from now.
    pub(crate) fn at_most(self, limit: Duration) -> Self {
        let at = self.at.min(Instant::now() + limit);
        Self { at, ..self }
    }

    /// What `work` comes to; an error that names `store` if it takes too long.
    pub(crate) async fn of<T>(
        &self,
        store: &str,
        work: impl Future<Output = T>,
    ) -> Result<T, Error> {
        timeout_at(self.at, work)
            .await
            .map_err(|_elapsed| Error::Timeout {
                store: store.to_owned(),
                operation: self.operation,
                after: self.within,
            })
    }
}
