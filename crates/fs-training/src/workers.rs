//! The threads that joins run on, apart from those that answer requests.
//!
//! Decoding Parquet and joining keeps a thread busy for milliseconds at a time. On a runtime of
//! their own, training sets never make an online read wait.

use std::future::Future;
use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use crate::Error;

/// A runtime of its own, stopped when its last owner lets go.
#[derive(Debug, Clone)]
pub(crate) struct Workers {
    owned: Arc<Owned>,
}

#[derive(Debug)]
struct Owned {
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
}

impl Workers {
    /// Starts one thread per processor.
    pub(crate) fn start() -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread()
            .thread_name("fs-training")
            .enable_all()
            .build()
            .map_err(Error::Workers)?;
        let owned = Owned {
            runtime: Some(runtime),
        };
        Ok(Self {
            owned: Arc::new(owned),
        })
    }

    /// Runs `work` here; it stops when `tasks` is dropped.
    pub(crate) fn spawn<T: Send + 'static>(
        &self,
        tasks: &mut JoinSet<T>,
        work: impl Future<Output = T> + Send + 'static,
    ) {
        if let Some(runtime) = &self.owned.runtime {
            tasks.spawn_on(work, runtime.handle());
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // Waiting for the threads would block, perhaps one of them.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
