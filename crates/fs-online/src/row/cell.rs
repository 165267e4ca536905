//! One value of a packed row, read where it lies.

use fs_core::{DataType, ScalarType};

use super::shape::{bit, bitmap_bytes, part, u32_at, width};
use crate::RowProblem;

/// A value that is there. Strings, bytes and lists stay in the row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// `bool`.
    Bool(bool),
    /// `int32`.
    Int32(i32),
    /// `int64`.
    Int64(i64),
    /// `float32`, its bits as they were written.
    Float32(f32),
    /// `float64`, its bits as they were written.
    Float64(f64),
    /// `string`.
    String(&'a str),
    /// `bytes`.
    Bytes(&'a [u8]),
    /// `timestamp`: microseconds UTC.
    Timestamp(i64),
    /// `array<T>`.
    List(ListCell<'a>),
}

/// The items of a list.
///
/// ```text
///   array<int32>   [7, null]   len 2   item_type int32   iter Some(Int32(7)), None
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ListCell<'a> {
    item_type: ScalarType,
    count: usize,
    bitmap: &'a [u8],
    /// Items that have a width, or where the others end.
    items: &'a [u8],
    /// Items that have none.
    data: &'a [u8],
}

impl<'a> Cell<'a> {
    /// The value of type `data_type` that `bytes` hold; none where [`check`] refuses them.
    pub(super) fn read(data_type: DataType, bytes: &'a [u8]) -> Option<Self> {
        match data_type {
            DataType::Scalar(scalar) => Self::scalar(scalar, bytes),
            DataType::Array(item) => ListCell::split(item, bytes).map(Self::List),
        }
    }

    fn scalar(scalar: ScalarType, bytes: &'a [u8]) -> Option<Self> {
        Some(match scalar {
            ScalarType::Bool => match bytes {
                [0] => Self::Bool(false),
                [1] => Self::Bool(true),
                _ => return None,
            },
            ScalarType::Int32 => Self::Int32(i32::from_le_bytes(bytes.try_into().ok()?)),
            ScalarType::Int64 => Self::Int64(i64::from_le_bytes(bytes.try_into().ok()?)),
            ScalarType::Float32 => Self::Float32(f32::from_le_bytes(bytes.try_into().ok()?)),
            ScalarType::Float64 => Self::Float64(f64::from_le_bytes(bytes.try_into().ok()?)),
            ScalarType::String => Self::String(str::from_utf8(bytes).ok()?),
            ScalarType::Bytes => Self::Bytes(bytes),
            ScalarType::Timestamp => Self::Timestamp(i64::from_le_bytes(bytes.try_into().ok()?)),
        })
    }
}

impl<'a> ListCell<'a> {
    /// How many items there are, nulls included.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The type of the items.
    pub const fn item_type(&self) -> ScalarType {
        self.item_type
    }

    /// The items in order; none for one that is null.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Option<Cell<'a>>> + use<'a> {
        let list = *self;
        (0..list.count).map(move |index| {
            let bytes = list.item(index)?;
            Cell::scalar(list.item_type, bytes)
        })
    }

    /// The bytes of an item; none for one that is null.
    fn item(&self, index: usize) -> Option<&'a [u8]> {
        if !bit(self.bitmap, index) {
            return None;
        }
        self.place(index)
    }

    fn place(&self, index: usize) -> Option<&'a [u8]> {
        match width(self.item_type) {
            Some(width) => self.items.get(index * width..(index + 1) * width),
            None => part(self.items, self.data, index),
        }
    }

    /// Splits a list into its parts; none if they do not add up to its length. The bounds of all
    /// items together are checked before any is read: a count that lies costs nothing.
    fn split(item_type: ScalarType, bytes: &'a [u8]) -> Option<Self> {
        let count = u32_at(bytes, 0)?;
        let (bitmap, rest) = bytes.get(4..)?.split_at_checked(bitmap_bytes(count))?;
        let width = width(item_type);
        let (items, data) = rest.split_at_checked(count.checked_mul(width.unwrap_or(4))?)?;
        let end = match (width, count.checked_sub(1)) {
            (None, Some(last)) => u32_at(items, last)?,
            _ => 0,
        };
        (end == data.len()).then_some(Self {
            item_type,
            count,
            bitmap,
            items,
            data,
        })
    }
}

/// Whether bytes of this type may be wrong: numbers never are.
pub(super) const fn may_be_wrong(data_type: DataType) -> bool {
    !matches!(
        data_type,
        DataType::Scalar(
            ScalarType::Int32
                | ScalarType::Int64
                | ScalarType::Float32
                | ScalarType::Float64
                | ScalarType::Timestamp
        )
    )
}

/// Checks that [`Cell::read`] can read `bytes`, and every item in them; `feature` is for the error.
pub(super) fn check(data_type: DataType, bytes: &[u8], feature: usize) -> Result<(), RowProblem> {
    let item = match data_type {
        DataType::Scalar(scalar) => return check_scalar(scalar, bytes, feature),
        DataType::Array(item) => item,
    };
    let bad_bounds = RowProblem::BadBounds { feature };
    let list = ListCell::split(item, bytes).ok_or(bad_bounds)?;
    for index in 0..list.count {
        if bit(list.bitmap, index) {
            check_scalar(item, list.place(index).ok_or(bad_bounds)?, feature)?;
        }
    }
    Ok(())
}

fn check_scalar(scalar: ScalarType, bytes: &[u8], feature: usize) -> Result<(), RowProblem> {
    match scalar {
        ScalarType::Bool if !matches!(bytes, [0 | 1]) => Err(RowProblem::NotBool { feature }),
        ScalarType::String if str::from_utf8(bytes).is_err() => {
            Err(RowProblem::NotUtf8 { feature })
        }
        _ => Ok(()),
    }
}
