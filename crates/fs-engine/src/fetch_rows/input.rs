//! The rows of the input, read again after all of them were seen.

use arrow::array::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use futures::TryStreamExt;

/// Hands out the rows of a stream in batches of a length, and not past an end.
pub(super) struct Cursor {
    rows: SendableRecordBatchStream,
    rest: Option<RecordBatch>,
}

impl Cursor {
    pub(super) fn new(rows: SendableRecordBatchStream) -> Self {
        Self { rows, rest: None }
    }

    /// The next rows, at most `limit`; `None` at the end.
    pub(super) async fn next(
        &mut self,
        limit: usize,
    ) -> Result<Option<RecordBatch>, DataFusionError> {
        let batch = match self.rest.take() {
            Some(rest) => rest,
            None => match self.rows.try_next().await? {
                Some(batch) => batch,
                None => return Ok(None),
            },
        };
        if batch.num_rows() <= limit {
            return Ok(Some(batch));
        }
        self.rest = Some(batch.slice(limit, batch.num_rows() - limit));
        Ok(Some(batch.slice(0, limit)))
    }
}
