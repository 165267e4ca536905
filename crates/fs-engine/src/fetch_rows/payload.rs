//! The columns of the wanted rows of one table, in pieces of a fixed length.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::utils::memory::RecordBatchMemoryCounter;
use datafusion::error::DataFusionError;

use super::gather::{Slots, gather};
use super::words::WordColumns;

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

/// A piece as it is kept: what can be is row by row, the rest by columns.
#[derive(Debug, Default)]
pub(super) struct Piece {
    words: Vec<u64>,
    /// The columns that are not row by row.
    others: Option<RecordBatch>,
}

impl Piece {
    pub(super) fn new(layout: &WordColumns, piece: &RecordBatch) -> Result<Self, DataFusionError> {
        Ok(Self {
            words: layout.rows(piece),
            others: Some(piece.project(layout.others())?),
        })
    }

    /// Bytes on the heap; buffers that `counted` knows already are left out.
    pub(super) fn bytes(&self, counted: &mut RecordBatchMemoryCounter) -> usize {
        let others = self.others.as_ref();
        let others = others.map_or(0, |others| counted.count_batch(others));
        others + size_of_val(self.words.as_slice())
    }
}

/// The payload of a table.
#[derive(Debug)]
pub(super) struct Payload {
    layout: WordColumns,
    words: Vec<Vec<u64>>,
    /// The pieces of every column that is not kept row by row.
    others: Vec<Vec<ArrayRef>>,
}

impl Payload {
    pub(super) fn new(layout: WordColumns, pieces: Vec<Piece>) -> Self {
        let mut words = Vec::with_capacity(pieces.len());
        let mut others = vec![Vec::with_capacity(pieces.len()); layout.others().len()];
        for piece in pieces {
            words.push(piece.words);
            let columns = piece.others.iter().flat_map(RecordBatch::columns);
            for (pieces, column) in others.iter_mut().zip(columns) {
                pieces.push(Arc::clone(column));
            }
        }
        Self {
            layout,
            words,
            others,
        }
    }

    /// The values of these columns at `slots`, in the order asked for.
    pub(super) fn gather(
        &self,
        wanted: &[(usize, &DataType)],
        slots: &Slots,
    ) -> Result<Vec<ArrayRef>, DataFusionError> {
        let in_rows: Vec<(usize, &DataType)> = wanted
            .iter()
            .filter_map(|(column, data_type)| Some((self.layout.position(*column)?, *data_type)))
            .collect();
        let in_rows = self.layout.gather(&self.words, slots.places(), &in_rows);
        let mut in_rows = in_rows.into_iter();
        wanted
            .iter()
            .map(|(column, data_type)| {
                if self.layout.position(*column).is_some() {
                    let missing = || DataFusionError::Internal("a column went missing".to_owned());
                    return in_rows.next().ok_or_else(missing);
                }
                let other = self.layout.others().iter().position(|at| at == column);
                let pieces = other.map_or(&[][..], |other| &self.others[other]);
                gather(data_type, pieces, slots)
            })
            .collect()
    }
}
