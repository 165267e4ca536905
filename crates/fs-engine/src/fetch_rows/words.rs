//! Columns of eight bytes a value, row by row: the payload of a row in one or two lines of the cache.
//!
//! ```text
//!   columns    a: a0 a1 a2 …        rows    valid a0 b0 c0 │ valid a1 b1 c1 │ …
//!              b: b0 b1 b2 …
//!              c: c0 c1 c2 …
//! ```
//!
//! Rows are asked for in the order of the input, which has nothing to do with theirs. With columns apart,
//! every value would be a wait for memory of its own.

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, PrimitiveArray, RecordBatch, downcast_primitive,
    new_null_array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, Schema};

use super::directory::NOTHING;
use super::payload::PIECE_ROWS;

/// So many columns have a bit each in a word.
const MOST_COLUMNS: usize = 64;
/// Rows that are written, or read, at a time.
const BLOCK_ROWS: usize = 64;

/// Which columns of a table are kept row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WordColumns {
    columns: Vec<usize>,
    /// The columns that are not.
    others: Vec<usize>,
}

impl WordColumns {
    /// The columns of `schema` with eight bytes a value, if there are several.
    pub(super) fn of(schema: &Schema) -> Self {
        let fields = schema.fields().iter().enumerate();
        let eight = fields.filter(|(_, field)| field.data_type().primitive_width() == Some(8));
        let columns: Vec<usize> = eight.map(|(at, _)| at).take(MOST_COLUMNS).collect();
        let columns = if columns.len() > 1 {
            columns
        } else {
            Vec::new()
        };
        let others = 0..schema.fields().len();
        let others = others.filter(|at| !columns.contains(at)).collect();
        Self { columns, others }
    }

    /// The columns that are not kept row by row.
    pub(super) fn others(&self) -> &[usize] {
        &self.others
    }

    /// Which of these columns a column of the table is.
    pub(super) fn position(&self, column: usize) -> Option<usize> {
        self.columns.iter().position(|at| *at == column)
    }

    /// Words of a row: which values are there, and the values.
    fn width(&self) -> usize {
        1 + self.columns.len()
    }

    /// The rows of a piece.
    pub(super) fn rows(&self, piece: &RecordBatch) -> Vec<u64> {
        if self.columns.is_empty() {
            return Vec::new();
        }
        let width = self.width();
        let data: Vec<_> = self
            .columns
            .iter()
            .map(|at| piece.column(*at).to_data())
            .collect();
        let all = u64::MAX >> (MOST_COLUMNS - self.columns.len());
        let mut words = vec![all; piece.num_rows() * width];
        let blocks = words.chunks_mut(BLOCK_ROWS * width);
        for (start, block) in (0..).step_by(BLOCK_ROWS).zip(blocks) {
            for (at, data) in data.iter().enumerate() {
                let values = &data.buffer::<u64>(0)[start..];
                for (row, value) in block.chunks_exact_mut(width).zip(values) {
                    row[at + 1] = *value;
                }
                if let Some(nulls) = data.nulls().filter(|nulls| nulls.null_count() > 0) {
                    for (row, words) in (start..).zip(block.chunks_exact_mut(width)) {
                        words[0] &= !(u64::from(nulls.is_null(row)) << at);
                    }
                }
            }
        }
        words
    }

    /// The values of some of these columns at `places`; `pieces` are what [`Self::rows`] made.
    pub(super) fn gather(
        &self,
        pieces: &[Vec<u64>],
        places: &[usize],
        columns: &[(usize, &DataType)],
    ) -> Vec<ArrayRef> {
        // There may be no words at all then.
        if columns.is_empty() {
            return Vec::new();
        }
        let width = self.width();
        let row = |place: usize| {
            let start = place % PIECE_ROWS * width;
            &pieces[place / PIECE_ROWS][start..start + width]
        };
        let mut valid = vec![0; places.len()];
        let mut values: Vec<Vec<u64>> = columns.iter().map(|_| vec![0; places.len()]).collect();
        for (start, block) in (0..).step_by(BLOCK_ROWS).zip(places.chunks(BLOCK_ROWS)) {
            // First and last word of every row, so that memory is waited for once.
            let ends = block
                .iter()
                .filter(|place| **place != NOTHING)
                .map(|place| {
                    let row = row(*place);
                    row[0] ^ row[width - 1]
                });
            black_box(ends.fold(0, |ends, row| ends ^ row));
            for (at, place) in (start..).zip(block) {
                if *place == NOTHING {
                    continue;
                }
                let row = row(*place);
                valid[at] = row[0];
                for ((column, _), values) in columns.iter().zip(&mut values) {
                    values[at] = row[column + 1];
                }
            }
        }
        let all = valid.iter().fold(u64::MAX, |all, valid| all & valid);
        let columns = columns.iter().zip(values);
        columns
            .map(|((column, data_type), values)| {
                let bit = 1 << column;
                let nulls = (all & bit == 0).then(|| {
                    let is_valid = |at: usize| valid[at] & bit != 0;
                    NullBuffer::new(BooleanBuffer::collect_bool(valid.len(), is_valid))
                });
                array(data_type, values, nulls)
            })
            .collect()
    }
}

fn array(data_type: &DataType, values: Vec<u64>, nulls: Option<NullBuffer>) -> ArrayRef {
    fn of<T: ArrowPrimitiveType>(
        data_type: &DataType,
        values: Vec<u64>,
        nulls: Option<NullBuffer>,
    ) -> ArrayRef {
        let values = ScalarBuffer::<T::Native>::from(Buffer::from_vec(values));
        let array = PrimitiveArray::<T>::new(values, nulls);
        Arc::new(array.with_data_type(data_type.clone()))
    }
    macro_rules! primitive {
        ($t:ty) => {
            of::<$t>(data_type, values, nulls)
        };
    }
    downcast_primitive! {
        data_type => (primitive),
        // Not reached: only primitive columns are kept row by row.
        _ => new_null_array(data_type, values.len())
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, Int64Array, StringArray, TimestampMicrosecondArray};

    use super::*;

    #[test]
    fn a_single_column_of_eight_bytes_stays_a_column() {
        let ints: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let batch = RecordBatch::try_from_iter([("ints", ints)]).unwrap();
        let words = WordColumns::of(batch.schema_ref());
        assert_eq!((words.position(0), words.others()), (None, &[0][..]));
        let pieces = [words.rows(&batch)];
        assert!(words.gather(&pieces, &[1, NOTHING], &[]).is_empty());
    }

    #[test]
    fn values_and_nulls_come_back_at_any_place_and_in_any_order() {
        let ints: Int64Array = (0..300).map(|row| (row % 7 != 0).then_some(row)).collect();
        let floats: Float64Array = (0..300).map(|row| Some(f64::from(row) / 3.0)).collect();
        let times = TimestampMicrosecondArray::from_iter_values(300..600).with_timezone("UTC");
        let texts: StringArray = (0..300).map(|_| Some("text")).collect();
        let batch = RecordBatch::try_from_iter_with_nullable([
            ("ints", Arc::new(ints.clone()) as ArrayRef, true),
            ("texts", Arc::new(texts), true),
            ("floats", Arc::new(floats.clone()), true),
            ("times", Arc::new(times.clone()), true),
        ])
        .unwrap();
        let words = WordColumns::of(batch.schema_ref());
        assert_eq!(words.columns, [0, 2, 3]);
        // A piece that starts in the middle of its buffers.
        let pieces = [words.rows(&batch.slice(10, 290))];
        let places = [289, 0, 4, NOTHING, 4];
        let fields = batch.schema_ref().fields();
        let wanted = [(2, fields[3].data_type()), (0, fields[0].data_type())];
        let found = words.gather(&pieces, &places, &wanted);
        let rows = [Some(299), Some(10), Some(14), None, Some(14)];
        let expected: TimestampMicrosecondArray = rows
            .map(|row| row.map(|row| times.value(row)))
            .into_iter()
            .collect();
        assert_eq!(
            found[0].as_ref(),
            &expected.with_timezone("UTC") as &dyn Array
        );
        let expected: Int64Array = rows
            .map(|row| {
                row.filter(|row| ints.is_valid(*row))
                    .map(|row| ints.value(row))
            })
            .into_iter()
            .collect();
        assert_eq!(found[1].as_ref(), &expected as &dyn Array);
    }

    #[test]
    fn a_table_without_several_columns_of_eight_bytes_keeps_no_words() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec!["one", "two"]));
        let lone: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
        let batch = RecordBatch::try_from_iter([("texts", texts), ("lone", lone)]).unwrap();
        let words = WordColumns::of(batch.schema_ref());
        assert_eq!(words.others(), [0, 1]);
        let pieces = [words.rows(&batch)];
        assert!(words.gather(&pieces, &[1, 0], &[]).is_empty());
    }
}
