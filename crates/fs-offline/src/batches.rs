//! Batches of bounded size, however wide the rows are.
//!
//! What sorts and merges holds several batches at once, of every part that it has spilled. At 8,192 rows
//! each, those of a view with hundreds of features would not fit into its memory; so wide rows come in
//! batches of fewer.

use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Schema};
use datafusion::error::DataFusionError;

/// The rows of a batch of narrow rows, and the fewest that wide ones come in.
const ROWS: usize = 8192;
const FEWEST_ROWS: usize = 64;

/// What texts and lists are taken for.
const VARIABLE_BYTES: usize = 32;

/// How many bytes a batch should have at most, for a sort with so much memory.
pub(crate) fn bytes_for(sort_memory_bytes: usize) -> usize {
    (sort_memory_bytes / 64).clamp(256 << 10, 4 << 20)
}

/// How many rows of these columns a batch of so many bytes should have.
pub(crate) fn rows_of(columns: &Schema, batch_bytes: usize) -> usize {
    let bytes_of = |data_type: &DataType| match data_type {
        DataType::Boolean => 1,
        other => other.primitive_width().unwrap_or(VARIABLE_BYTES),
    };
    let fields = columns.fields().iter();
    let bytes: usize = fields.map(|field| bytes_of(field.data_type())).sum();
    (batch_bytes / bytes.max(1)).clamp(FEWEST_ROWS, ROWS)
}

/// `batch`, in parts that do not keep the whole alive if it has more than twice so many bytes.
pub(crate) fn cut(
    batch: &RecordBatch,
    batch_bytes: usize,
) -> Vec<Result<RecordBatch, DataFusionError>> {
    let parts = batch.get_array_memory_size().div_ceil(2 * batch_bytes);
    if parts <= 1 || batch.num_rows() <= FEWEST_ROWS {
        return vec![Ok(batch.clone())];
    }
    let rows = batch.num_rows().div_ceil(parts).max(FEWEST_ROWS);
    let starts = (0..batch.num_rows()).step_by(rows);
    starts
        .map(|start| {
            let end = (start + rows).min(batch.num_rows());
            let row = |row: usize| u32::try_from(row).unwrap_or(u32::MAX);
            let places = UInt32Array::from_iter_values(row(start)..row(end));
            Ok(take_record_batch(batch, &places)?)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array};
    use arrow::compute::concat_batches;
    use arrow::datatypes::Field;

    use super::*;

    fn wide(columns: usize, rows: u32) -> RecordBatch {
        let field = |n| Field::new(format!("f{n}"), DataType::Float64, true);
        let schema = Schema::new((0..columns).map(field).collect::<Vec<_>>());
        let values = Float64Array::from_iter_values((0..rows).map(f64::from));
        let column: ArrayRef = Arc::new(values);
        RecordBatch::try_new(Arc::new(schema), vec![column; columns]).unwrap()
    }

    #[test]
    fn wide_rows_come_in_batches_of_fewer() {
        let rows =
            |columns, sort_memory| rows_of(&wide(columns, 0).schema(), bytes_for(sort_memory));
        assert_eq!(rows(20, 128 << 20), 8192);
        assert_eq!(rows(50, 128 << 20), 5242);
        assert_eq!(rows(2_000, 128 << 20), 131);
        assert_eq!(rows(50, 16 << 20), 655);
        assert_eq!(rows(100_000, 1 << 30), 64);
    }

    #[test]
    fn a_large_batch_is_cut_into_parts_that_are_it_together() {
        let batch = wide(1_000, 8_192);
        let parts: Vec<RecordBatch> = cut(&batch, 4 << 20)
            .into_iter()
            .map(Result::unwrap)
            .collect();
        assert_eq!(parts.len(), 8);
        assert_eq!(concat_batches(&batch.schema(), &parts).unwrap(), batch);
        assert!(
            parts
                .iter()
                .all(|part| part.get_array_memory_size() <= 8 << 20)
        );
        let narrow = wide(50, 8_192);
        assert_eq!(cut(&narrow, 2 << 20).len(), 1);
    }
}
