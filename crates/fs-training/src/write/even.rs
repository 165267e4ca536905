//! Batches of one length, whatever length they came in.

use arrow::array::RecordBatch;
use arrow::compute::BatchCoalescer;
use arrow::datatypes::SchemaRef;

use crate::Error;

/// Cuts batches into ones of the same number of rows, but for the last.
///
/// Rows are copied only into batches that are made of several; others are parts of those that came.
pub(super) struct Even<I> {
    batches: I,
    rows: usize,
    /// What is left of the batch that came last.
    rest: Option<RecordBatch>,
    /// Rows of a batch that is made of several.
    short: BatchCoalescer,
}

impl<I: Iterator<Item = Result<RecordBatch, Error>>> Even<I> {
    pub(super) fn new(batches: I, schema: &SchemaRef, rows: usize) -> Self {
        Self {
            batches,
            rows,
            rest: None,
            short: BatchCoalescer::new(SchemaRef::clone(schema), rows),
        }
    }

    fn cut(&mut self) -> Result<Option<RecordBatch>, Error> {
        loop {
            let batch = match self.rest.take() {
                Some(rest) => Some(rest),
                None => self.batches.next().transpose()?,
            };
            let Some(batch) = batch else {
                self.short.finish_buffered_batch()?;
                return Ok(self.short.next_completed_batch());
            };
            let (came, missing) = (batch.num_rows(), self.rows - self.short.get_buffered_rows());
            let taken = batch.slice(0, missing.min(came));
            if came > missing {
                self.rest = Some(batch.slice(missing, came - missing));
            }
            if taken.num_rows() == self.rows {
                return Ok(Some(taken));
            }
            self.short.push_batch(taken)?;
            if let Some(full) = self.short.next_completed_batch() {
                return Ok(Some(full));
            }
        }
    }
}

impl<I: Iterator<Item = Result<RecordBatch, Error>>> Iterator for Even<I> {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        self.cut().transpose()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, AsArray, Int64Array};
    use arrow::datatypes::Int64Type;

    use super::*;

    fn batch(first: i64, rows: i64) -> RecordBatch {
        let numbers = Int64Array::from_iter_values(first..first + rows);
        RecordBatch::try_from_iter([("number", Arc::new(numbers) as Arc<dyn Array>)]).unwrap()
    }

    fn cut(batches: &[RecordBatch]) -> Vec<RecordBatch> {
        let came = batches.iter().cloned().map(Ok);
        let even = Even::new(came, &batch(0, 0).schema(), 10);
        even.map(Result::unwrap).collect()
    }

    fn addresses(batches: &[RecordBatch]) -> Vec<*const i64> {
        let columns = batches.iter().map(|batch| batch.column(0));
        columns
            .map(|column| column.as_primitive::<Int64Type>().values().as_ptr())
            .collect()
    }

    #[test]
    fn batches_are_cut_to_one_length_in_order() {
        let came = [
            batch(0, 3),
            batch(3, 0),
            batch(3, 24),
            batch(27, 3),
            batch(30, 4),
        ];
        assert_eq!(
            cut(&came),
            [batch(0, 10), batch(10, 10), batch(20, 10), batch(30, 4)]
        );
        assert!(cut(&[]).is_empty());
    }

    #[test]
    fn batches_of_that_length_are_not_copied() {
        let came = [batch(0, 10), batch(10, 10)];
        assert_eq!(addresses(&cut(&came)), addresses(&came));
    }

    #[test]
    fn a_longer_batch_is_cut_without_a_copy() {
        let came = batch(0, 20);
        let parts = [came.slice(0, 10), came.slice(10, 10)];
        assert_eq!(addresses(&cut(&[came])), addresses(&parts));
    }

    #[test]
    fn an_error_among_the_batches_comes_through() {
        let came = [Ok(batch(0, 3)), Err(Error::Interrupted)];
        let mut even = Even::new(came.into_iter(), &batch(0, 0).schema(), 10);
        assert!(matches!(even.next(), Some(Err(Error::Interrupted))));
    }
}
