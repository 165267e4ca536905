//! [`Duplicates`]: rows with the join keys and event time of the row before them.

use arrow::array::RecordBatch;
use arrow::buffer::BooleanBuffer;
use arrow::error::ArrowError;
use arrow::row::{OwnedRow, RowConverter, SortField};

/// Tells rows from the row before them, in a stream that is sorted by the columns that count.
#[derive(Debug)]
pub(super) struct Duplicates {
    columns: Vec<usize>,
    converter: RowConverter,
    last: Option<OwnedRow>,
}

impl Duplicates {
    /// `columns` of batches like `example` tell rows apart.
    pub(super) fn new(
        columns: Vec<usize>,
        schema: &arrow::datatypes::Schema,
    ) -> Result<Self, ArrowError> {
        let fields = columns
            .iter()
            .map(|at| SortField::new(schema.field(*at).data_type().clone()));
        Ok(Self {
            converter: RowConverter::new(fields.collect())?,
            columns,
            last: None,
        })
    }

    /// Which rows are like the row before them, be it in the batch before.
    pub(super) fn find(&mut self, batch: &RecordBatch) -> Result<BooleanBuffer, ArrowError> {
        let columns = self.columns.iter().map(|at| batch.column(*at).clone());
        let rows = self
            .converter
            .convert_columns(&columns.collect::<Vec<_>>())?;
        let found = BooleanBuffer::collect_bool(rows.num_rows(), |at| match at.checked_sub(1) {
            Some(before) => rows.row(before) == rows.row(at),
            None => self
                .last
                .as_ref()
                .is_some_and(|last| last.row() == rows.row(at)),
        });
        if let Some(last) = rows.num_rows().checked_sub(1) {
            self.last = Some(rows.row(last).owned());
        }
        Ok(found)
    }
}
