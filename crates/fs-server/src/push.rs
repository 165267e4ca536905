//! Pushed rows, for every wire that brings them.
//!
//! A wire runs these inside [`Shared::write`](crate::shared::Shared::write), which bounds and counts the
//! whole. The work is done on threads of its own: it encodes and commits files. It goes on when a client
//! stops waiting, so that what was begun is finished.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use fs_core::Catalog;
use fs_materialize::{PushTo, Pushed, Pusher, Target};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::Error;

/// Threads that pushes are worked on by. Most of a push is waiting for a store.
const THREADS: usize = 2;

/// Takes rows from clients.
#[derive(Debug)]
pub(crate) struct Pushing {
    pusher: Pusher,
    /// Rows of one push.
    limit: usize,
    /// The threads, once there was something to do.
    runtime: Mutex<Option<Runtime>>,
}

impl Pushing {
    pub(crate) fn new(pusher: Pusher, limit: usize) -> Self {
        Self {
            pusher,
            limit,
            runtime: Mutex::default(),
        }
    }

    /// Pushes rows to the view or the source called `name`.
    pub(crate) async fn push_to(
        &self,
        catalog: &Arc<Catalog>,
        name: &str,
        rows: &RecordBatch,
        to: PushTo,
        key: Option<&str>,
    ) -> Result<Pushed, Error> {
        let (pusher, catalog, name) = (self.pusher.clone(), Arc::clone(catalog), name.to_owned());
        let (rows, key) = (self.allowed(rows)?, key.map(str::to_owned));
        let work = async move {
            let target = Target::named(&catalog, &name)?;
            pusher
                .push_to(&catalog, &target, &rows, to, key.as_deref())
                .await
        };
        Ok(self.threads()?.spawn(work).await??)
    }

    fn allowed(&self, rows: &RecordBatch) -> Result<RecordBatch, Error> {
        let (count, limit) = (rows.num_rows(), self.limit);
        if count > limit {
            return Err(Error::TooManyRows { rows: count, limit });
        }
        Ok(rows.clone())
    }

    fn threads(&self) -> Result<Handle, Error> {
        let mut runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = runtime.as_ref() {
            return Ok(runtime.handle().clone());
        }
        let mut builder = Builder::new_multi_thread();
        let builder = builder.thread_name("push").worker_threads(THREADS);
        let started = builder.enable_all().build().map_err(Error::PushThreads)?;
        Ok(runtime.insert(started).handle().clone())
    }
}

impl Drop for Pushing {
    fn drop(&mut self) {
        let mut runtime = self.runtime.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = runtime.take() {
            // What is left of the drain time is over; a push that is cut off is completed by its retry.
            runtime.shutdown_background();
        }
    }
}
