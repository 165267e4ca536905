//! [`Records`]: answers of fixed width, one record per slot.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array,
    TimestampMicrosecondArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use fs_core::{DataType, ScalarType};

use crate::aggregate::Scalar;

/// So many records are looked at together: as many as a word of validity has bits.
const BLOCK: usize = 64;

/// Answers of fixed width, one record per slot, a word per answer.
///
/// The rows of a spine are in any order. One that looks for its answers finds them all in one
/// place, where columns would have it look for each.
#[derive(Debug, Clone)]
pub(super) struct Records {
    width: usize,
    words: Vec<u64>,
    /// For each record, one bit per answer that is not null.
    valid: Vec<u64>,
}

impl Records {
    /// So many records of `width` nulls.
    pub(super) fn new(records: usize, width: usize) -> Self {
        Self {
            width,
            words: vec![0; records * width],
            valid: vec![0; records * width.div_ceil(64)],
        }
    }

    /// Bytes that so many records take.
    pub(super) const fn bytes_of(records: usize, width: usize) -> usize {
        records * (width + width.div_ceil(64)) * size_of::<u64>()
    }

    pub(super) const fn bytes(&self) -> usize {
        size_of_val(self.words.as_slice()) + size_of_val(self.valid.as_slice())
    }

    /// Sets an answer that was null.
    #[inline]
    pub(super) fn set(&mut self, record: usize, at: usize, word: u64) {
        self.words[record * self.width + at] = word;
        self.valid[record * self.width.div_ceil(64) + at / 64] |= 1 << (at % 64);
    }

    fn words(&self, record: usize) -> &[u64] {
        &self.words[record * self.width..][..self.width]
    }

    fn valid(&self, record: usize) -> &[u64] {
        let width = self.width.div_ceil(64);
        &self.valid[record * width..][..width]
    }
}

/// The type of an answer that goes to a record; `None` for those that go to columns.
pub(super) const fn fixed(data_type: DataType) -> Option<ScalarType> {
    match data_type {
        DataType::Scalar(ScalarType::String | ScalarType::Bytes) | DataType::Array(_) => None,
        DataType::Scalar(scalar) => Some(scalar),
    }
}

/// The word that an answer is in a record; `None` for those that go to columns.
#[inline]
pub(super) fn word(scalar: Scalar<'_>) -> Option<u64> {
    match scalar {
        Scalar::Bool(value) => Some(u64::from(value)),
        Scalar::Int32(value) => Some(u64::from(value.cast_unsigned())),
        Scalar::Int64(value) | Scalar::Timestamp(value) => Some(value.cast_unsigned()),
        Scalar::Float32(value) => Some(u64::from(value.to_bits())),
        Scalar::Float64(value) => Some(value.to_bits()),
        Scalar::Row | Scalar::String(_) | Scalar::Bytes(_) => None,
    }
}

/// The columns of `types` of records at these places: which of `chunks`, and which record of it.
pub(super) fn columns(
    chunks: &[&Records],
    places: &[(usize, usize)],
    types: &[ScalarType],
) -> Vec<ArrayRef> {
    let rows = places.len();
    let mut words: Vec<Vec<u64>> = types.iter().map(|_| vec![0; rows]).collect();
    let mut valid: Vec<Vec<u64>> = types
        .iter()
        .map(|_| Vec::with_capacity(rows.div_ceil(BLOCK)))
        .collect();
    let mut records: Vec<&[u64]> = Vec::with_capacity(BLOCK);
    let mut valids: Vec<&[u64]> = Vec::with_capacity(BLOCK);
    let mut all: Vec<u64> = Vec::new();
    for (block, places) in places.chunks(BLOCK).enumerate() {
        records.clear();
        records.extend(places.iter().map(|(chunk, at)| chunks[*chunk].words(*at)));
        valids.clear();
        valids.extend(places.iter().map(|(chunk, at)| chunks[*chunk].valid(*at)));
        // Most columns have no nulls for a long while.
        let in_all = |word: usize| valids.iter().fold(u64::MAX, |all, valid| all & valid[word]);
        all.clear();
        all.extend((0..types.len().div_ceil(64)).map(in_all));
        let rows = block * BLOCK..block * BLOCK + places.len();
        for (at, (words, valid)) in words.iter_mut().zip(&mut valid).enumerate() {
            for (word, record) in words[rows.clone()].iter_mut().zip(&records) {
                *word = record[at];
            }
            valid.push(match all[at / 64] >> (at % 64) & 1 {
                1 => u64::MAX,
                _ => bits(&valids, at),
            });
        }
    }
    let columns = words.into_iter().zip(valid).zip(types);
    columns
        .map(|((words, valid), scalar)| column(*scalar, words, valid))
        .collect()
}

/// Bit `at` of up to 64 rows of bits.
fn bits(rows: &[&[u64]], at: usize) -> u64 {
    let rows = rows.iter().rev();
    rows.fold(0, |bits, row| (bits << 1) | (row[at / 64] >> (at % 64) & 1))
}

/// A column of words, and a bit for each that is not null.
fn column(scalar: ScalarType, words: Vec<u64>, valid: Vec<u64>) -> ArrayRef {
    let rows = words.len();
    let valid = BooleanBuffer::new(Buffer::from_vec(valid), 0, rows);
    let nulls = Some(NullBuffer::new(valid)).filter(|nulls| nulls.null_count() > 0);
    #[expect(clippy::cast_possible_truncation, reason = "the upper half is empty")]
    let halves = |words: Vec<u64>| words.into_iter().map(|word| word as u32);
    match scalar {
        ScalarType::Bool => {
            let bools: BooleanBuffer = words.iter().map(|word| *word == 1).collect();
            Arc::new(BooleanArray::new(bools, nulls))
        }
        ScalarType::Int32 => {
            let ints: Vec<i32> = halves(words).map(u32::cast_signed).collect();
            Arc::new(Int32Array::new(ints.into(), nulls))
        }
        ScalarType::Float32 => {
            let floats: Vec<f32> = halves(words).map(f32::from_bits).collect();
            Arc::new(Float32Array::new(floats.into(), nulls))
        }
        ScalarType::Float64 => {
            let floats = ScalarBuffer::new(Buffer::from_vec(words), 0, rows);
            Arc::new(Float64Array::new(floats, nulls))
        }
        ScalarType::Int64 | ScalarType::String | ScalarType::Bytes => {
            let longs = ScalarBuffer::new(Buffer::from_vec(words), 0, rows);
            Arc::new(Int64Array::new(longs, nulls))
        }
        ScalarType::Timestamp => {
            let times = ScalarBuffer::new(Buffer::from_vec(words), 0, rows);
            let times = TimestampMicrosecondArray::new(times, nulls);
            Arc::new(times.with_data_type(scalar.to_arrow()))
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray};
    use arrow::datatypes::Int64Type;

    use super::*;

    #[test]
    fn records_are_found_wherever_they_are_and_nulls_are_where_nothing_was_set() {
        const WIDTH: usize = 70;
        let value = |record: usize, at: usize| (record * 100 + at) as u64;
        let is_set = |record: usize, at: usize| at == 69 || !(record + at).is_multiple_of(3);
        let mut chunks = [Records::new(100, WIDTH), Records::new(50, WIDTH)];
        for record in 0..150 {
            for at in (0..WIDTH).filter(|at| is_set(record, *at)) {
                chunks[record / 100].set(record % 100, at, value(record, at));
            }
        }
        let order: Vec<usize> = (0..150).rev().chain([7, 7, 149]).collect();
        let places: Vec<_> = order.iter().map(|at| (at / 100, at % 100)).collect();
        let chunks: Vec<&Records> = chunks.iter().collect();
        let columns = columns(&chunks, &places, &[ScalarType::Int64; WIDTH]);
        for (at, column) in columns.iter().enumerate() {
            let column = column.as_primitive::<Int64Type>();
            for (row, record) in order.iter().enumerate() {
                let found = column
                    .is_valid(row)
                    .then(|| column.value(row).cast_unsigned());
                let expected = is_set(*record, at).then(|| value(*record, at));
                assert_eq!(found, expected, "record {record}, answer {at}");
            }
        }
        assert!(columns[69].nulls().is_none());
    }
}
