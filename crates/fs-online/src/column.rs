//! Arrow columns of the declared types, whatever shape they came in.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float32Array, Float64Array, Int32Array,
    Int64Array, ListArray, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType as ArrowType, Float32Type, Float64Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType,
};
use fs_core::{DataType, ScalarType};

use crate::Error;

/// A column of one scalar type.
pub(crate) enum Scalars {
    Bool(BooleanArray),
    Int32(Int32Array),
    Int64(Int64Array),
    Float32(Float32Array),
    Float64(Float64Array),
    String(StringArray),
    Bytes(BinaryArray),
    Timestamp(TimestampMicrosecondArray),
}

/// A column of one feature type.
pub(crate) enum Column {
    Scalar(Scalars),
    Array(ListArray, Scalars),
}

impl Column {
    /// Reads `array` as a column of type `declared`; `name` is for the error.
    ///
    /// Another shape of the same type is fine (views, dictionaries, large offsets, another name of
    /// the time zone); another type is not.
    pub(crate) fn of(
        name: impl Fn() -> String,
        array: &ArrayRef,
        declared: DataType,
    ) -> Result<Self, Error> {
        let wrong_type = |found: String| Error::ColumnType {
            column: name(),
            expected: declared,
            found,
        };
        let found = array.data_type();
        let array = if DataType::from_arrow(found) == Some(declared) {
            ArrayRef::clone(array)
        } else if is_shape_of(found, declared) {
            let options = CastOptions {
                safe: false,
                ..CastOptions::default()
            };
            cast_with_options(array, &declared.to_arrow(), &options)
                .map_err(|error| wrong_type(format!("{found} ({error})")))?
        } else {
            return Err(wrong_type(found.to_string()));
        };
        Ok(match declared {
            DataType::Scalar(scalar) => Self::Scalar(Scalars::of(&array, scalar)),
            DataType::Array(scalar) => {
                let lists = array.as_list::<i32>();
                Self::Array(lists.clone(), Scalars::of(lists.values(), scalar))
            }
        })
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Scalar(scalars) => scalars.is_null(row),
            Self::Array(lists, _) => lists.is_null(row),
        }
    }
}

impl Scalars {
    fn of(array: &ArrayRef, scalar: ScalarType) -> Self {
        match scalar {
            ScalarType::Bool => Self::Bool(array.as_boolean().clone()),
            ScalarType::Int32 => Self::Int32(array.as_primitive::<Int32Type>().clone()),
            ScalarType::Int64 => Self::Int64(array.as_primitive::<Int64Type>().clone()),
            ScalarType::Float32 => Self::Float32(array.as_primitive::<Float32Type>().clone()),
            ScalarType::Float64 => Self::Float64(array.as_primitive::<Float64Type>().clone()),
            ScalarType::String => Self::String(array.as_string::<i32>().clone()),
            ScalarType::Bytes => Self::Bytes(array.as_binary::<i32>().clone()),
            ScalarType::Timestamp => {
                Self::Timestamp(array.as_primitive::<TimestampMicrosecondType>().clone())
            }
        }
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Bool(values) => values.is_null(row),
            Self::Int32(values) => values.is_null(row),
            Self::Int64(values) => values.is_null(row),
            Self::Float32(values) => values.is_null(row),
            Self::Float64(values) => values.is_null(row),
            Self::String(values) => values.is_null(row),
            Self::Bytes(values) => values.is_null(row),
            Self::Timestamp(values) => values.is_null(row),
        }
    }
}

/// Whether `found` holds the same values as `declared`, only stored in another way.
fn is_shape_of(found: &ArrowType, declared: DataType) -> bool {
    match (declared, found) {
        (
            DataType::Array(scalar),
            ArrowType::List(item) | ArrowType::LargeList(item) | ArrowType::FixedSizeList(item, _),
        ) => is_shape_of_scalar(item.data_type(), scalar),
        (DataType::Scalar(scalar), found) => is_shape_of_scalar(found, scalar),
        _ => false,
    }
}

fn is_shape_of_scalar(found: &ArrowType, scalar: ScalarType) -> bool {
    if let ArrowType::Dictionary(_, values) = found {
        return is_shape_of_scalar(values, scalar);
    }
    match scalar {
        ScalarType::String => {
            matches!(
                found,
                ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View
            )
        }
        ScalarType::Bytes => matches!(
            found,
            ArrowType::Binary
                | ArrowType::LargeBinary
                | ArrowType::BinaryView
                | ArrowType::FixedSizeBinary(_)
        ),
        ScalarType::Timestamp => matches!(found, ArrowType::Timestamp(TimeUnit::Microsecond, _)),
        other => *found == other.to_arrow(),
    }
}
