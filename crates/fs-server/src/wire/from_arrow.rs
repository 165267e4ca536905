//! From Arrow to the wire.

use arrow::array::{Array, ArrowPrimitiveType, AsArray, ListArray};
use arrow::datatypes::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use bytes::Bytes;
use fs_core::{DataType, ScalarType};
use fs_proto::v1::column::Values;
use fs_proto::v1::{
    Bools, BytesValues, Column, Doubles, Floats, Int32s, Int64s, Lists, Strings, Timestamps,
};

use super::nulls::mask;

/// The values of `array`, which has the Arrow type of `data_type`: one slot per row, the default of
/// its type where it is null. The null mask is left empty, because statuses say more; only the
/// items of lists have theirs.
pub(crate) fn from_array(data_type: DataType, array: &dyn Array) -> Column {
    let values = match data_type {
        DataType::Scalar(scalar) => scalars(scalar, array),
        DataType::Array(scalar) => lists(scalar, array.as_list()),
    };
    Column {
        values: Some(values),
        nulls: Bytes::new(),
    }
}

fn scalars(scalar: ScalarType, array: &dyn Array) -> Values {
    match scalar {
        ScalarType::Bool => Values::Bools(Bools {
            values: or_default(array.as_boolean().iter()),
        }),
        ScalarType::Int32 => Values::Int32s(Int32s {
            values: natives::<Int32Type>(array),
        }),
        ScalarType::Int64 => Values::Int64s(Int64s {
            values: natives::<Int64Type>(array),
        }),
        ScalarType::Float32 => Values::Floats(Floats {
            values: natives::<Float32Type>(array),
        }),
        ScalarType::Float64 => Values::Doubles(Doubles {
            values: natives::<Float64Type>(array),
        }),
        ScalarType::String => {
            let texts = array.as_string::<i32>().iter();
            Values::Strings(Strings {
                values: or_default(texts.map(|text| text.map(str::to_owned))),
            })
        }
        ScalarType::Bytes => {
            let blobs = array.as_binary::<i32>().iter();
            Values::BytesValues(BytesValues {
                values: or_default(blobs.map(|blob| blob.map(Bytes::copy_from_slice))),
            })
        }
        ScalarType::Timestamp => Values::Timestamps(Timestamps {
            micros: natives::<TimestampMicrosecondType>(array),
        }),
    }
}

fn natives<T: ArrowPrimitiveType>(array: &dyn Array) -> Vec<T::Native> {
    let array = array.as_primitive::<T>();
    if array.null_count() == 0 {
        return array.values().to_vec();
    }
    or_default(array.iter())
}

fn or_default<T: Default>(values: impl Iterator<Item = Option<T>>) -> Vec<T> {
    values.map(Option::unwrap_or_default).collect()
}

/// Lists that are null have no items, so the items of all rows lie side by side: whoever builds a
/// list column by appending makes it so.
fn lists(scalar: ScalarType, lists: &ListArray) -> Values {
    let offsets = lists.value_offsets();
    let lengths = offsets
        .windows(2)
        .map(|ends| u32::try_from(ends[1] - ends[0]).unwrap_or_default());
    let bound = |offset: Option<&i32>| {
        let offset = offset.copied().unwrap_or_default();
        usize::try_from(offset).unwrap_or_default()
    };
    let (start, end) = (bound(offsets.first()), bound(offsets.last()));
    let items = lists.values().slice(start, end.saturating_sub(start));
    Values::Lists(Box::new(Lists {
        lengths: lengths.collect(),
        items: Some(Box::new(Column {
            values: Some(scalars(scalar, &items)),
            nulls: mask(&items),
        })),
    }))
}
