//! The columns of the wanted rows of one table, in pieces of a fixed length.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;

/// Rows of a piece; the last piece of a chunk may have fewer.
pub(super) const PIECE_ROWS: usize = 1 << 16;

/// Cuts batches into pieces; copies only where a piece is made of several batches.
pub(super) struct Pieces {
    schema: SchemaRef,
    waiting: Vec<RecordBatch>,
    waiting_rows: usize,
    done: Vec<RecordBatch>,
}

impl Pieces {
    pub(super) fn new(schema: SchemaRef) -> Self {
        Self {
            schema,
            waiting: Vec::new(),
            waiting_rows: 0,
            done: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, mut batch: RecordBatch) -> Result<(), DataFusionError> {
        while self.waiting_rows + batch.num_rows() >= PIECE_ROWS {
            let missing = PIECE_ROWS - self.waiting_rows;
            self.waiting.push(batch.slice(0, missing));
            batch = batch.slice(missing, batch.num_rows() - missing);
            self.close()?;
        }
        if batch.num_rows() > 0 {
            self.waiting_rows += batch.num_rows();
            self.waiting.push(batch);
        }
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Vec<RecordBatch>, DataFusionError> {
        if !self.waiting.is_empty() {
            self.close()?;
        }
        Ok(self.done)
    }

    fn close(&mut self) -> Result<(), DataFusionError> {
        let piece = match self.waiting.as_slice() {
            [only] => only.clone(),
            several => concat_batches(&self.schema, several)?,
        };
        self.done.push(piece);
        self.waiting.clear();
        self.waiting_rows = 0;
        Ok(())
    }
}

/// The payload of a table.
#[derive(Debug)]
pub(super) struct Payload {
    /// The pieces of every column.
    columns: Vec<Vec<ArrayRef>>,
}

impl Payload {
    pub(super) fn new(schema: &SchemaRef, pieces: &[RecordBatch]) -> Self {
        let column = |at| pieces.iter().map(move |piece| Arc::clone(piece.column(at)));
        let columns = (0..schema.fields().len()).map(|at| column(at).collect());
        Self {
            columns: columns.collect(),
        }
    }

    pub(super) fn column(&self, at: usize) -> &[ArrayRef] {
        &self.columns[at]
    }
}
