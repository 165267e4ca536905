//! From the wire to Arrow.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, ListArray, PrimitiveArray, StringArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{
    Field, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use bytes::Bytes;
use fs_core::data_type::UTC;
use fs_proto::v1::column::Values;
use fs_proto::v1::{
    Bools, BytesValues, Column, Doubles, Floats, Int32s, Int64s, Lists, Strings, Timestamps,
};

use super::nulls::Mask;
use crate::Error;

/// A column as Arrow. `name` is for the error.
pub(crate) fn to_array(name: &str, column: Column) -> Result<ArrayRef, Error> {
    let nulls = column.nulls;
    let values = column.values.ok_or_else(|| Error::NoValues {
        column: name.to_owned(),
    })?;
    Ok(match values {
        Values::Bools(Bools { values }) => {
            let mask = Mask::new(name, nulls, values.len())?;
            Arc::new(mask.over(values).collect::<BooleanArray>())
        }
        Values::Int32s(Int32s { values }) => Arc::new(numbers::<Int32Type>(name, nulls, values)?),
        Values::Int64s(Int64s { values }) => Arc::new(numbers::<Int64Type>(name, nulls, values)?),
        Values::Floats(Floats { values }) => Arc::new(numbers::<Float32Type>(name, nulls, values)?),
        Values::Doubles(Doubles { values }) => {
            Arc::new(numbers::<Float64Type>(name, nulls, values)?)
        }
        Values::Strings(Strings { values }) => {
            let mask = Mask::new(name, nulls, values.len())?;
            Arc::new(mask.over(values).collect::<StringArray>())
        }
        Values::BytesValues(BytesValues { values }) => {
            let mask = Mask::new(name, nulls, values.len())?;
            Arc::new(mask.over(values).collect::<BinaryArray>())
        }
        Values::Timestamps(Timestamps { micros }) => {
            let times = numbers::<TimestampMicrosecondType>(name, nulls, micros)?;
            Arc::new(times.with_timezone(UTC))
        }
        Values::Lists(lists) => Arc::new(self::lists(name, nulls, *lists)?),
    })
}

fn numbers<T: ArrowPrimitiveType>(
    name: &str,
    nulls: Bytes,
    values: Vec<T::Native>,
) -> Result<PrimitiveArray<T>, Error> {
    let mask = Mask::new(name, nulls, values.len())?;
    Ok(PrimitiveArray::new(values.into(), mask.buffer()))
}

fn lists(name: &str, nulls: Bytes, lists: Lists) -> Result<ListArray, Error> {
    let malformed = || Error::MalformedLists {
        column: name.to_owned(),
    };
    let items = lists.items.map(|items| *items).unwrap_or_default();
    if matches!(items.values, Some(Values::Lists(_))) {
        return Err(malformed());
    }
    let items = to_array(name, items)?;
    let mask = Mask::new(name, nulls, lists.lengths.len())?;
    let total = lists.lengths.iter().try_fold(0_usize, |total, length| {
        total.checked_add(usize::try_from(*length).ok()?)
    });
    if total != Some(items.len()) || i32::try_from(items.len()).is_err() {
        return Err(malformed());
    }
    let lengths = lists.lengths.iter().map(|length| *length as usize);
    let offsets = OffsetBuffer::from_lengths(lengths);
    let field = Field::new_list_field(items.data_type().clone(), true);
    ListArray::try_new(Arc::new(field), offsets, items, mask.buffer())
        .map_err(|_inconsistent| malformed())
}
