//! `unique`: no two rows have the same join keys and event time.
//!
//! Rows are sorted by both, so that equal ones lie side by side and memory does not grow with their
//! number. Where duplicates are put aside, whole rows are sorted, and they leave in that order; of rows
//! with equal keys and times the order stays. Otherwise only keys and times are sorted, beside the rows,
//! which pass on at once.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::mpsc;

use super::duplicates::Duplicates;
use super::run::Run;
use super::sorted::{sorted, without_number};

/// How many batches wait for the sort.
const WAITING: usize = 2;

/// `rows` without those after the first of their kind, which are put aside because of `expectation`.
pub(super) fn without_duplicates(
    run: &Arc<Run>,
    rows: SendableRecordBatchStream,
    expectation: usize,
) -> Result<SendableRecordBatchStream, DataFusionError> {
    let schema = rows.schema();
    let columns = columns(run);
    let rows = sorted(&run.shared, rows, &columns)?;
    let duplicates = Duplicates::new(columns, &schema)?;
    let (run, of_batch) = (Arc::clone(run), Arc::clone(&schema));
    let state = (rows, duplicates);
    let left = stream::try_unfold(state, move |(mut rows, mut duplicates)| {
        let (run, schema) = (Arc::clone(&run), Arc::clone(&of_batch));
        async move {
            let Some(batch) = rows.try_next().await? else {
                return Ok(None);
            };
            let batch = without_number(&batch, &schema)?;
            let found = duplicates.find(&batch)?;
            run.found_duplicates(&batch, &found);
            let split = run.split_off(&batch, &found, expectation)?;
            run.put_aside(split.aside).await?;
            Ok(Some((split.left, (rows, duplicates))))
        }
    });
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, left)))
}

/// `rows` as they are, counted at their end.
pub(super) fn counted(
    run: &Arc<Run>,
    rows: SendableRecordBatchStream,
) -> Result<SendableRecordBatchStream, DataFusionError> {
    let schema = rows.schema();
    let beside = Beside::start(run, &schema)?;
    let state = Some((rows, beside));
    let passed = stream::unfold(state, |state| async move {
        let (mut rows, beside) = state?;
        let error = match rows.next().await {
            Some(Ok(batch)) if beside.push(&batch).await => {
                return Some((Ok(batch), Some((rows, beside))));
            }
            Some(Err(error)) => Some(error),
            // The end; or the sort has ended before its input, and then it has failed.
            None | Some(Ok(_)) => beside.finish().await.err(),
        };
        error.map(|error| (Err(error), None))
    });
    Ok(Box::pin(RecordBatchStreamAdapter::new(schema, passed)))
}

/// The positions of the event time and the join keys.
fn columns(run: &Run) -> Vec<usize> {
    let keys = run.plan.keys;
    [keys].into_iter().chain(0..keys).collect()
}

/// A sort of keys and times, beside the rows.
struct Beside {
    batches: mpsc::Sender<RecordBatch>,
    task: SpawnedTask<Result<(), DataFusionError>>,
    /// The columns that are sorted.
    kept: Vec<usize>,
}

impl Beside {
    fn start(run: &Arc<Run>, schema: &SchemaRef) -> Result<Self, DataFusionError> {
        // In their own order, as examples are made of rows that begin with keys and time.
        let kept: Vec<usize> = (0..=run.plan.keys).collect();
        let schema = Arc::new(schema.project(&kept)?);
        let (batches, received) = mpsc::channel(WAITING);
        let rows = stream::unfold(received, |mut received| async move {
            let batch = received.recv().await?;
            Some((Ok(batch), received))
        });
        let rows = Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&schema), rows));
        let mut rows = sorted(&run.shared, rows, &columns(run))?;
        let mut duplicates = Duplicates::new(columns(run), &schema)?;
        let run = Arc::clone(run);
        let task = SpawnedTask::spawn(async move {
            while let Some(batch) = rows.try_next().await? {
                let found = duplicates.find(&batch)?;
                run.found_duplicates(&batch, &found);
            }
            Ok(())
        });
        Ok(Self {
            batches,
            task,
            kept,
        })
    }

    /// Whether the sort still takes rows.
    async fn push(&self, batch: &RecordBatch) -> bool {
        match batch.project(&self.kept) {
            Ok(batch) => self.batches.send(batch).await.is_ok(),
            Err(_) => false,
        }
    }

    async fn finish(self) -> Result<(), DataFusionError> {
        drop(self.batches);
        let ended = self.task.join_unwind().await;
        ended.map_err(|lost| DataFusionError::ExecutionJoin(Box::new(lost)))?
    }
}
