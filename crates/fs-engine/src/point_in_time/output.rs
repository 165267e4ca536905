//! The answer: the rows of the spine in their order, and beside them what was found.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::common::Result;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::metrics::Count;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{Stream, StreamExt};

use super::columns::Resolved;
use super::found::Found;
use super::run::{ROWS_MATCHED, Session};
use crate::Spooled;

/// Puts the answer together.
pub(super) struct Output {
    resolved: Arc<Resolved>,
    input: SendableRecordBatchStream,
    /// Keeps what the rows are charged to.
    _rows: Spooled,
    found: Vec<Option<Found>>,
    /// For each join, how many rows of the spine found something.
    matched: Vec<Count>,
    session: Session,
    batch_rows: usize,
    /// What is left of a batch of the spine.
    pending: Option<RecordBatch>,
    next_row: usize,
}

impl Output {
    pub(super) fn new(
        resolved: Arc<Resolved>,
        rows: Spooled,
        found: Vec<Option<Found>>,
        session: &Session,
    ) -> Result<Self> {
        let joins = resolved.joins.iter();
        let matched = joins.map(|join| session.metrics.of_join(ROWS_MATCHED, join.label()));
        Ok(Self {
            matched: matched.collect(),
            resolved,
            input: rows.read()?,
            _rows: rows,
            found,
            session: session.clone(),
            batch_rows: session.context.session_config().batch_size(),
            pending: None,
            next_row: 0,
        })
    }

    /// The batches of the answer.
    pub(super) fn stream(self) -> impl Stream<Item = Result<RecordBatch>> + Send {
        futures::stream::unfold(Some(self), |output| async move {
            let mut output = output?;
            match output.next().await.transpose()? {
                Ok(batch) => Some((Ok(batch), Some(output))),
                Err(error) => Some((Err(error), None)),
            }
        })
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let batch = match self.pending.take() {
            Some(batch) => batch,
            None => match self.input.next().await {
                Some(batch) => batch?,
                None => return Ok(None),
            },
        };
        let count = batch.num_rows().min(self.batch_rows);
        if count < batch.num_rows() {
            self.pending = Some(batch.slice(count, batch.num_rows() - count));
        }
        let batch = batch.slice(0, count);
        let rows = self.next_row..self.next_row + count;
        self.next_row = rows.end;

        let keep = self.resolved.keep.iter();
        let mut columns: Vec<ArrayRef> = keep.map(|at| Arc::clone(batch.column(*at))).collect();
        let joins = self.resolved.joins.iter().zip(&mut self.found);
        for ((join, found), counter) in joins.zip(&self.matched) {
            match found {
                Some(found) => {
                    let (found, matched) = found.columns(rows.clone()).await?;
                    columns.extend(found);
                    if !join.counts_when_found() {
                        counter.add(matched);
                    }
                }
                None => columns.extend(
                    join.fields
                        .fields()
                        .iter()
                        .map(|field| new_null_array(field.data_type(), count)),
                ),
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let schema = Arc::clone(&self.resolved.output);
        let batch = RecordBatch::try_new_with_options(schema, columns, &options)?;
        self.session.metrics.output.record_output(count);
        Ok(Some(batch))
    }
}

/// A stream of the answer that runs the joins when it is polled first.
pub(super) fn stream(
    resolved: &Arc<Resolved>,
    output: impl Future<Output = Result<Output>> + Send + 'static,
) -> SendableRecordBatchStream {
    use futures::TryStreamExt;
    let schema = Arc::clone(&resolved.output);
    let batches = futures::stream::once(output)
        .map_ok(Output::stream)
        .try_flatten();
    Box::pin(RecordBatchStreamAdapter::new(schema, batches))
}
