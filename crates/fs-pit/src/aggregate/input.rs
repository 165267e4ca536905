//! [`Input`]: the types that values may have, and how states keep them.

mod float;
mod integer;
mod kept;
mod text;

use std::fmt::Debug;

use arrow::array::{Array, BooleanArray};
use arrow::buffer::BooleanBuffer;

use super::{Scalar, bytes};
use crate::Error;

pub use float::{F32, F64, Float32, Float64};
pub use integer::{Int32, Int64, Micros};
pub use kept::Kept;
pub use text::{Binary, Bytes, Text, Texts};

/// A type of values: how a column of them is read, and what states keep of one.
///
/// | Input | Value | From Arrow | Kept as |
/// |---|---|---|---|
/// | [`Rows`] | `()`: that there is a row | anything | `()` |
/// | [`Bool`] | `bool` | Boolean | `bool` |
/// | [`Int32`], [`Int64`] | `i32`, `i64` | Int32, Int64 | themselves |
/// | [`Micros`] | `i64` | Timestamp of microseconds | itself |
/// | [`Float32`], [`Float64`] | `f32`, `f64` | Float32, Float64 | bits in total order |
/// | [`Text`] | `&str` | Utf8, LargeUtf8, Utf8View | a shared text |
/// | [`Binary`] | `&[u8]` | Binary, LargeBinary, BinaryView | shared bytes |
pub trait Input: Copy + Debug + Send + Sync + 'static {
    /// A value, read where it lies.
    type Value<'v>: Copy;
    /// A column of values, ready to be read; what its nulls hold may be anything.
    type Column<'c>: Copy;
    /// A value as states keep it.
    type Kept: Kept;

    /// Whether keeping a value costs nothing.
    const PLAIN: bool = true;

    /// The column that `array` is; `None` if it is of another type.
    fn column(array: &dyn Array) -> Option<Self::Column<'_>>;

    /// The value in a row that is not null.
    fn value(column: Self::Column<'_>, row: usize) -> Self::Value<'_>;

    /// The value that `scalar` is; `None` if it is of another type.
    fn of(scalar: Scalar<'_>) -> Option<Self::Value<'_>>;

    /// The value as states keep it.
    fn keep(value: Self::Value<'_>) -> Self::Kept;

    /// Whether a value is less than, the same as, or greater than one that is kept.
    fn order(value: Self::Value<'_>, kept: &Self::Kept) -> std::cmp::Ordering;

    /// A value that is kept.
    fn scalar(kept: &Self::Kept) -> Scalar<'_>;

    /// Sixty-four bits that are the same for equal values, in every release.
    fn hash(value: Self::Value<'_>) -> u64;

    /// Bytes on the heap.
    fn heap_bytes(kept: &Self::Kept) -> usize {
        let _ = kept;
        0
    }

    /// Appends a value as bytes.
    fn write(kept: &Self::Kept, out: &mut Vec<u8>);

    /// Takes a value off the front of `bytes`.
    fn read(bytes: &mut &[u8]) -> Result<Self::Kept, Error>;
}

/// What can be compared with a number.
pub trait Number: Input {
    /// Whether all are whole.
    const WHOLE: bool;

    /// The value, or the nearest number.
    fn number(value: Self::Value<'_>) -> f64;
}

/// Integers, and what counts as one.
pub trait Integer: Number {
    /// The value; 1 for true.
    fn widen(value: Self::Value<'_>) -> i64;
}

/// Floating-point numbers.
pub trait Float: Number {
    /// The value, exactly.
    fn widen(value: Self::Value<'_>) -> f64;
}

/// Rows, whatever is in them.
#[derive(Debug, Clone, Copy)]
pub struct Rows;

/// `bool`.
#[derive(Debug, Clone, Copy)]
pub struct Bool;

impl Input for Rows {
    type Value<'v> = ();
    type Column<'c> = ();
    type Kept = ();

    fn column(_: &dyn Array) -> Option<()> {
        Some(())
    }

    #[inline]
    fn value((): Self::Column<'_>, _: usize) -> Self::Value<'_> {}

    fn of(_: Scalar<'_>) -> Option<()> {
        Some(())
    }

    fn keep((): ()) {}

    fn order((): (), (): &()) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }

    fn scalar((): &()) -> Scalar<'_> {
        Scalar::Row
    }

    fn hash((): ()) -> u64 {
        0
    }

    fn write((): &(), _: &mut Vec<u8>) {}

    fn read(_: &mut &[u8]) -> Result<(), Error> {
        Ok(())
    }
}

impl Input for Bool {
    type Value<'v> = bool;
    type Column<'c> = &'c BooleanBuffer;
    type Kept = bool;

    fn column(array: &dyn Array) -> Option<&BooleanBuffer> {
        let array = array.as_any().downcast_ref::<BooleanArray>();
        array.map(BooleanArray::values)
    }

    #[inline]
    fn value(column: Self::Column<'_>, row: usize) -> Self::Value<'_> {
        column.value(row)
    }

    fn of(scalar: Scalar<'_>) -> Option<bool> {
        match scalar {
            Scalar::Bool(value) => Some(value),
            _ => None,
        }
    }

    fn keep(value: bool) -> bool {
        value
    }

    fn order(value: bool, kept: &bool) -> std::cmp::Ordering {
        value.cmp(kept)
    }

    fn scalar(kept: &bool) -> Scalar<'_> {
        Scalar::Bool(*kept)
    }

    fn hash(value: bool) -> u64 {
        super::hash::word(u64::from(value))
    }

    fn write(kept: &bool, out: &mut Vec<u8>) {
        out.push(u8::from(*kept));
    }

    fn read(bytes: &mut &[u8]) -> Result<bool, Error> {
        match bytes::byte(bytes)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(bytes::broken("a bool is neither true nor false")),
        }
    }
}

impl Number for Bool {
    const WHOLE: bool = true;

    fn number(value: bool) -> f64 {
        f64::from(value)
    }
}

impl Integer for Bool {
    #[inline]
    fn widen(value: bool) -> i64 {
        i64::from(value)
    }
}
