//! One key column, whatever Arrow layout its values have.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryViewArray, FixedSizeBinaryArray, LargeBinaryArray,
    LargeStringArray, StringArray, StringViewArray,
};
use arrow::buffer::{NullBuffer, ScalarBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use fs_core::KeyType;

use crate::Error;

/// The key type of a column, if its Arrow type can be one.
pub(crate) fn key_type_of(arrow: &DataType) -> Option<KeyType> {
    match arrow {
        DataType::Boolean => Some(KeyType::Bool),
        DataType::Int32 => Some(KeyType::Int32),
        DataType::Int64 => Some(KeyType::Int64),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Some(KeyType::String),
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => Some(KeyType::Bytes),
        DataType::Timestamp(TimeUnit::Microsecond, _) => Some(KeyType::Timestamp),
        DataType::Dictionary(_, values) => key_type_of(values),
        _ => None,
    }
}

/// A key column that can be read row by row.
#[derive(Debug)]
pub(super) struct KeyColumn {
    values: Values,
    nulls: Option<NullBuffer>,
}

#[derive(Debug)]
enum Values {
    /// Of eight bytes or fewer, widened.
    Words(ScalarBuffer<i64>),
    Utf8(StringArray),
    LargeUtf8(LargeStringArray),
    Utf8View(StringViewArray),
    Binary(BinaryArray),
    LargeBinary(LargeBinaryArray),
    BinaryView(BinaryViewArray),
    FixedSizeBinary(FixedSizeBinaryArray),
}

impl KeyColumn {
    /// Reads a column for which [`key_type_of`] has an answer.
    pub(super) fn new(column: &ArrayRef) -> Result<Self, Error> {
        let values = match column.data_type() {
            DataType::Dictionary(_, values) => return Self::new(&cast(column, values)?),
            DataType::Boolean => {
                let bits = column.as_boolean().values();
                Values::Words(bits.iter().map(i64::from).collect())
            }
            DataType::Int32 => {
                let values = column.as_primitive::<Int32Type>().values();
                Values::Words(values.iter().map(|value| i64::from(*value)).collect())
            }
            DataType::Int64 => Values::Words(column.as_primitive::<Int64Type>().values().clone()),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                let values = column.as_primitive::<TimestampMicrosecondType>().values();
                Values::Words(values.clone())
            }
            DataType::Utf8 => Values::Utf8(column.as_string().clone()),
            DataType::LargeUtf8 => Values::LargeUtf8(column.as_string().clone()),
            DataType::Utf8View => Values::Utf8View(column.as_string_view().clone()),
            DataType::Binary => Values::Binary(column.as_binary().clone()),
            DataType::LargeBinary => Values::LargeBinary(column.as_binary().clone()),
            DataType::BinaryView => Values::BinaryView(column.as_binary_view().clone()),
            DataType::FixedSizeBinary(_) => {
                Values::FixedSizeBinary(column.as_fixed_size_binary().clone())
            }
            other => {
                return Err(Error::NotAKey {
                    position: 0,
                    found: other.clone(),
                });
            }
        };
        Ok(Self {
            values,
            nulls: column.logical_nulls(),
        })
    }

    /// Whether values are read with [`Self::bytes`]; otherwise with [`Self::word`].
    pub(super) const fn is_variable(&self) -> bool {
        !matches!(self.values, Values::Words(_))
    }

    /// The value of a column of fixed width, widened; `None` for a null.
    pub(super) fn word(&self, row: usize) -> Option<u64> {
        match &self.values {
            Values::Words(words) if !self.is_null(row) => Some(words[row].cast_unsigned()),
            _ => None,
        }
    }

    /// All values of a column of fixed width without nulls.
    pub(super) fn words(&self) -> Option<&[i64]> {
        match &self.values {
            Values::Words(words) if self.nulls.is_none() => Some(words),
            _ => None,
        }
    }

    /// The bytes of a string or binary value; `None` for a null.
    pub(super) fn bytes(&self, row: usize) -> Option<&[u8]> {
        if self.is_null(row) {
            return None;
        }
        match &self.values {
            Values::Words(_) => None,
            Values::Utf8(column) => Some(column.value(row).as_bytes()),
            Values::LargeUtf8(column) => Some(column.value(row).as_bytes()),
            Values::Utf8View(column) => Some(column.value(row).as_bytes()),
            Values::Binary(column) => Some(column.value(row)),
            Values::LargeBinary(column) => Some(column.value(row)),
            Values::BinaryView(column) => Some(column.value(row)),
            Values::FixedSizeBinary(column) => Some(column.value(row)),
        }
    }

    fn is_null(&self, row: usize) -> bool {
        self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row))
    }
}
