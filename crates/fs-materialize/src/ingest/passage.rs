//! [`Passage`]: rows on their way from the source to the table, watched.
//!
//! What reads the rows at the other end (sorting, spilling, writing files) knows nothing of sources,
//! expectations and leases; so what stops the rows is kept here, and the end of the stream waits until
//! what must be true before the commit is true.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use fs_core::ViewName;
use fs_engine::ViewRows;
use fs_registry::{Lease, Stopped};
use futures::future::BoxFuture;
use futures::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use crate::{Error, Phase, Progress};

/// What is to be done when the last row has passed, before whoever reads them knows that it was.
pub(super) type AtEnd = BoxFuture<'static, Result<(), Error>>;

/// Rows on their way.
pub(super) struct Passage {
    view: ViewName,
    phase: Phase,
    progress: Arc<dyn Progress>,
    /// Rows that passed before these.
    before: u64,
    read: Arc<AtomicU64>,
    failure: Arc<Mutex<Option<Error>>>,
    stop: CancellationToken,
}

impl Passage {
    pub(super) fn new(
        view: &ViewName,
        phase: Phase,
        before: u64,
        progress: &Arc<dyn Progress>,
        lease: &Lease,
    ) -> Self {
        Self {
            view: view.clone(),
            phase,
            progress: Arc::clone(progress),
            before,
            read: Arc::default(),
            failure: Arc::default(),
            stop: lease.stop().clone(),
        }
    }

    /// Rows that have been read from the source so far.
    pub(super) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Why the rows broke off, if they did.
    pub(super) fn failure(&self) -> Option<Error> {
        let failure = self.failure.lock();
        failure.unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The same rows, counted and told.
    pub(super) fn counted(&self, rows: ViewRows) -> ViewRows {
        let (read, before) = (Arc::clone(&self.read), self.before);
        let (view, phase) = (self.view.clone(), self.phase);
        let progress = Arc::clone(&self.progress);
        let stream = rows.stream.inspect(move |batch| {
            if let Ok(batch) = batch {
                let rows = batch.num_rows() as u64;
                let rows = rows + read.fetch_add(rows, Ordering::Relaxed);
                progress.report(&view, phase, before + rows);
            }
        });
        let schema = rows.schema;
        ViewRows {
            stream: Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&schema), stream)),
            schema,
        }
    }

    /// The same rows, until the run is to stop; and at their end what has to be done then.
    pub(super) fn watched(
        &self,
        rows: ViewRows,
        at_end: Option<AtEnd>,
    ) -> SendableRecordBatchStream {
        let watch = Watch {
            view: self.view.clone(),
            failure: Arc::clone(&self.failure),
            stop: self.stop.clone(),
        };
        let state = Some((rows.stream, at_end));
        let stream = stream::unfold(state, move |state| {
            let watch = watch.clone();
            async move {
                let (mut rows, at_end) = state?;
                match watch.next(&mut rows).await {
                    Some(Ok(batch)) => Some((Ok(batch), Some((rows, at_end)))),
                    Some(Err(error)) => Some((Err(watch.keep(error)), None)),
                    None => match at_end?.await {
                        Ok(()) => None,
                        Err(error) => Some((Err(watch.keep(error)), None)),
                    },
                }
            }
        });
        Box::pin(RecordBatchStreamAdapter::new(rows.schema, stream))
    }
}

/// Looks out for what stops the rows.
#[derive(Clone)]
struct Watch {
    view: ViewName,
    failure: Arc<Mutex<Option<Error>>>,
    stop: CancellationToken,
}

impl Watch {
    async fn next(
        &self,
        rows: &mut SendableRecordBatchStream,
    ) -> Option<Result<arrow::array::RecordBatch, Error>> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Some(Err(Error::Stopped {
                view: self.view.clone(),
                // What it was in truth, the lease says at the end of the run.
                why: Stopped::Cancelled,
            })),
            next = rows.next() => next.map(|batch| batch.map_err(|cause| self.of_source(cause))),
        }
    }

    fn of_source(&self, cause: DataFusionError) -> Error {
        let origin = format!("view `{}`", self.view);
        Error::of_source(&self.view, fs_engine::Error::of_query(origin, cause))
    }

    /// Keeps the error, and tells whoever reads the rows only that they broke off.
    fn keep(&self, error: Error) -> DataFusionError {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        *failure = Some(error);
        DataFusionError::External("the rows broke off".into())
    }
}
