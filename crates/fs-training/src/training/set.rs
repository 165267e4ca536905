//! [`TrainingSet`]: rows with features, as they are taken.

use std::pin::pin;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use fs_core::ViewName;
use futures::{Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::{BATCHES_AHEAD, Plan};
use crate::workers::Workers;
use crate::{Error, Record};

/// The rows of a spine with their features: columns, a report, and a stream of batches.
#[derive(Debug)]
pub struct TrainingSet {
    pub(super) schema: SchemaRef,
    pub(super) record: Option<Record>,
    pub(super) views: Vec<ViewReport>,
    pub(super) plan: Option<Plan>,
    pub(super) rows: usize,
    pub(super) taken: usize,
    pub(super) batches: mpsc::Receiver<Result<RecordBatch, Error>>,
    /// Stops the work when the set is dropped.
    pub(super) _tasks: JoinSet<()>,
    /// Keeps the threads running until the set is dropped; none where a server joins.
    pub(super) _workers: Option<Workers>,
}

/// What one view gave to a training set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewReport {
    /// The view.
    pub view: ViewName,
    /// The name that it goes by in the request.
    pub label: ViewName,
    /// The version of its offline table.
    pub table_version: i64,
    /// Rows of the history that were read.
    pub rows_read: u64,
    /// Rows of the spine that found a row of the history; of a windowed view those with any event in
    /// any of the windows asked for, whatever the filters say.
    pub rows_matched: u64,
}

impl TrainingSet {
    /// A training set that a server made of a spine of `rows` rows, and that comes as a stream.
    ///
    /// Fewer rows than that are [`Error::Interrupted`]. The views are for the server to tell.
    pub fn received<S, E>(schema: SchemaRef, rows: usize, stream: S) -> Self
    where
        S: Stream<Item = Result<RecordBatch, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + Send + 'static,
    {
        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut stream = pin!(stream);
            while let Some(batch) = stream.next().await {
                let batch = batch.map_err(|error| Error::Received(error.into()));
                let failed = batch.is_err();
                if sender.send(batch).await.is_err() || failed {
                    return;
                }
            }
        });
        Self {
            record: Record::of_schema(&schema).ok().flatten(),
            schema,
            views: Vec::new(),
            plan: None,
            rows,
            taken: 0,
            batches,
            _tasks: tasks,
            _workers: None,
        }
    }

    /// The columns: those of the spine as they were, then the features.
    pub const fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// What it was made of; none where a server made it that tells nothing of it.
    pub const fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// What each view gave.
    pub fn views(&self) -> &[ViewReport] {
        &self.views
    }

    /// The plan that makes it, with what it has counted so far; none where a server joins.
    pub const fn plan(&self) -> Option<&Plan> {
        self.plan.as_ref()
    }

    /// The number of rows: those of the spine.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// The next batch; `None` after the last.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, Error>> {
        let batch = self.batches.recv().await;
        self.counted(batch)
    }

    /// The next batch, for threads that may block.
    pub(crate) fn next_blocking(&mut self) -> Option<Result<RecordBatch, Error>> {
        let batch = self.batches.blocking_recv();
        self.counted(batch)
    }

    /// The batches as a stream, which ends with its first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<RecordBatch, Error>> + Send + 'static {
        futures::stream::unfold(self, |mut set| async move {
            let batch = set.next().await?;
            Some((batch, set))
        })
    }

    /// All batches at once.
    pub async fn collect(mut self) -> Result<Vec<RecordBatch>, Error> {
        let mut batches = Vec::new();
        while let Some(batch) = self.next().await {
            batches.push(batch?);
        }
        Ok(batches)
    }

    /// An end that comes too early is an error, never a shorter training set.
    fn counted(
        &mut self,
        batch: Option<Result<RecordBatch, Error>>,
    ) -> Option<Result<RecordBatch, Error>> {
        match &batch {
            Some(Ok(rows)) => self.taken += rows.num_rows(),
            // The error itself is what is missing.
            Some(Err(_)) => self.taken = self.rows,
            None if self.taken < self.rows => {
                self.taken = self.rows;
                return Some(Err(Error::Interrupted));
            }
            None => {}
        }
        batch
    }
}
