//! Null masks: one byte per value, 1 where it is null; empty if none is.

use arrow::array::Array;
use arrow::buffer::NullBuffer;
use bytes::Bytes;

use crate::Error;

/// The mask of an Arrow column.
pub(super) fn mask(array: &dyn Array) -> Bytes {
    match array.nulls() {
        Some(nulls) if nulls.null_count() > 0 => {
            nulls.iter().map(|is_valid| u8::from(!is_valid)).collect()
        }
        _ => Bytes::new(),
    }
}

/// Checks that a mask fits its column.
pub(crate) fn check_mask(column: &str, nulls: &[u8], values: usize) -> Result<(), Error> {
    if nulls.is_empty() || nulls.len() == values {
        return Ok(());
    }
    Err(Error::NullMask {
        column: column.to_owned(),
        values,
        nulls: nulls.len(),
    })
}

/// A mask that fits its column.
pub(super) struct Mask(Bytes);

impl Mask {
    pub(super) fn new(column: &str, nulls: Bytes, values: usize) -> Result<Self, Error> {
        check_mask(column, &nulls, values)?;
        Ok(Self(nulls))
    }

    /// The mask as Arrow has it.
    pub(super) fn buffer(&self) -> Option<NullBuffer> {
        (!self.0.is_empty()).then(|| self.0.iter().map(|null| *null == 0).collect())
    }

    /// The values, without those that are null.
    pub(super) fn over<T>(&self, values: Vec<T>) -> impl Iterator<Item = Option<T>> {
        let is_null = |row: usize| self.0.get(row).is_some_and(|null| *null != 0);
        values
            .into_iter()
            .enumerate()
            .map(move |(row, value)| (!is_null(row)).then_some(value))
    }
}
