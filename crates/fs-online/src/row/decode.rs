//! From packed rows to Arrow columns.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ListBuilder};
use arrow::datatypes::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use fs_core::{DataType, FeatureName, ScalarType};

use super::shape::{Shape, bit, bitmap_bytes, part, u32_at};
use super::values::{Blobs, Bools, Numbers, Strings, Values};
use super::{HEADER_BYTES, LAYOUT_AT, order_bytes};
use crate::{Error, RowLayout, RowProblem};

/// Reads some features of the rows of one view, whatever layout each row has.
///
/// ```text
///   layouts             rows                 wanted: b, c    b        c
///   1: a int64, b int64   key 1: layout 1                    value    null    c is not in layout 1
///   2: b int64, c bool    key 2: layout 2                    value    value
///                         no row                             null     null
/// ```
/// Features are found by name *and* type: a feature whose type has changed reads as null in rows of
/// before. Made once for a view and a list of features, and used for every request.
#[derive(Debug)]
pub struct RowDecoder {
    wanted: Vec<DataType>,
    layouts: Vec<Known>,
}

/// A layout, and where it has the wanted features.
#[derive(Debug)]
struct Known {
    id: u32,
    shape: Shape,
    places: Vec<Option<usize>>,
}

/// A row whose header and length are right.
#[derive(Clone, Copy)]
struct Row<'a> {
    layout: &'a Known,
    bytes: &'a [u8],
}

/// A value, and where its layout has it.
struct Cell<'a> {
    feature: usize,
    bytes: &'a [u8],
}

impl RowDecoder {
    /// A decoder for the features `wanted`, in this order, in rows of any of `layouts`.
    pub fn new(layouts: &[RowLayout], wanted: &[(FeatureName, DataType)]) -> Self {
        let known = |layout: &RowLayout| Known {
            id: layout.id(),
            shape: Shape::of(layout),
            places: wanted
                .iter()
                .map(|feature| layout.features().iter().position(|have| have == feature))
                .collect(),
        };
        Self {
            wanted: wanted.iter().map(|(_, data_type)| *data_type).collect(),
            layouts: layouts.iter().map(known).collect(),
        }
    }

    /// One column for each wanted feature, with one value for each row; null where there is no row.
    ///
    /// The columns have the Arrow types of the wanted features. Features that are not wanted are not
    /// looked at. Errors: a damaged row; [`Error::UnknownLayout`] for a row of a layout that was
    /// added since, after which the caller reads the layouts again.
    pub fn decode<R: AsRef<[u8]>>(&self, rows: &[Option<R>]) -> Result<Vec<ArrayRef>, Error> {
        let rows: Vec<Option<Row<'_>>> = rows
            .iter()
            .map(|row| row.as_ref().map(|row| self.open(row.as_ref())).transpose())
            .collect::<Result<_, _>>()?;
        self.wanted
            .iter()
            .enumerate()
            .map(|(wanted, data_type)| Ok(column(*data_type, &rows, wanted)?))
            .collect()
    }

    fn open<'a>(&'a self, bytes: &'a [u8]) -> Result<Row<'a>, Error> {
        order_bytes(bytes)?;
        let id = u32_at(&bytes[LAYOUT_AT..HEADER_BYTES], 0).unwrap_or_default();
        let layout = self
            .layouts
            .iter()
            .find(|layout| usize::try_from(layout.id) == Ok(id))
            .ok_or_else(|| Error::UnknownLayout {
                layout: u32::try_from(id).unwrap_or_default(),
            })?;
        layout.shape.check_length(bytes)?;
        Ok(Row { layout, bytes })
    }
}

impl<'a> Row<'a> {
    fn cell(self, wanted: usize) -> Result<Option<Cell<'a>>, RowProblem> {
        let Some(feature) = self.layout.places.get(wanted).copied().flatten() else {
            return Ok(None);
        };
        let value = self.layout.shape.value(self.bytes, feature)?;
        Ok(value.map(|bytes| Cell { feature, bytes }))
    }
}

/// The type is looked at once for a column, not once for a value.
fn column(
    data_type: DataType,
    rows: &[Option<Row<'_>>],
    wanted: usize,
) -> Result<ArrayRef, RowProblem> {
    match data_type {
        DataType::Scalar(scalar) => match scalar {
            ScalarType::Bool => scalars::<Bools>(rows, wanted),
            ScalarType::Int32 => scalars::<Numbers<Int32Type>>(rows, wanted),
            ScalarType::Int64 => scalars::<Numbers<Int64Type>>(rows, wanted),
            ScalarType::Float32 => scalars::<Numbers<Float32Type>>(rows, wanted),
            ScalarType::Float64 => scalars::<Numbers<Float64Type>>(rows, wanted),
            ScalarType::String => scalars::<Strings>(rows, wanted),
            ScalarType::Bytes => scalars::<Blobs>(rows, wanted),
            ScalarType::Timestamp => scalars::<Numbers<TimestampMicrosecondType>>(rows, wanted),
        },
        DataType::Array(scalar) => match scalar {
            ScalarType::Bool => arrays::<Bools>(rows, wanted),
            ScalarType::Int32 => arrays::<Numbers<Int32Type>>(rows, wanted),
            ScalarType::Int64 => arrays::<Numbers<Int64Type>>(rows, wanted),
            ScalarType::Float32 => arrays::<Numbers<Float32Type>>(rows, wanted),
            ScalarType::Float64 => arrays::<Numbers<Float64Type>>(rows, wanted),
            ScalarType::String => arrays::<Strings>(rows, wanted),
            ScalarType::Bytes => arrays::<Blobs>(rows, wanted),
            ScalarType::Timestamp => arrays::<Numbers<TimestampMicrosecondType>>(rows, wanted),
        },
    }
}

fn scalars<V: Values>(rows: &[Option<Row<'_>>], wanted: usize) -> Result<ArrayRef, RowProblem> {
    use arrow::array::ArrayBuilder as _;

    let mut builder = V::builder(rows.len());
    for row in rows {
        match row.map(|row| row.cell(wanted)).transpose()?.flatten() {
            Some(cell) => V::append(&mut builder, cell.bytes, cell.feature)?,
            None => V::append_null(&mut builder),
        }
    }
    Ok(builder.finish())
}

fn arrays<V: Values>(rows: &[Option<Row<'_>>], wanted: usize) -> Result<ArrayRef, RowProblem> {
    let mut builder = ListBuilder::with_capacity(V::builder(rows.len()), rows.len());
    for row in rows {
        match row.map(|row| row.cell(wanted)).transpose()?.flatten() {
            Some(cell) => {
                append_items::<V>(builder.values(), &cell)?;
                builder.append(true);
            }
            None => builder.append(false),
        }
    }
    let lists: Arc<dyn Array> = Arc::new(builder.finish());
    Ok(lists)
}

fn append_items<V: Values>(builder: &mut V::Builder, cell: &Cell<'_>) -> Result<(), RowProblem> {
    let feature = cell.feature;
    let bad_bounds = || RowProblem::BadBounds { feature };
    let count = u32_at(cell.bytes, 0).ok_or_else(bad_bounds)?;
    let rest = cell.bytes.get(4..).ok_or_else(bad_bounds)?;
    let (bitmap, rest) = rest
        .split_at_checked(bitmap_bytes(count))
        .ok_or_else(bad_bounds)?;
    // The bounds of all items are checked before the first is read: a count that lies costs nothing.
    let width = V::WIDTH.unwrap_or(4);
    let (items, data) = count
        .checked_mul(width)
        .and_then(|bytes| rest.split_at_checked(bytes))
        .ok_or_else(bad_bounds)?;
    let end = match (V::WIDTH, count.checked_sub(1)) {
        (None, Some(last)) => u32_at(items, last).ok_or_else(bad_bounds)?,
        _ => 0,
    };
    if end != data.len() {
        return Err(bad_bounds());
    }
    for index in 0..count {
        if !bit(bitmap, index) {
            V::append_null(builder);
            continue;
        }
        let value = match V::WIDTH {
            Some(width) => items.get(index * width..(index + 1) * width),
            None => part(items, data, index),
        };
        V::append(builder, value.ok_or_else(bad_bounds)?, feature)?;
    }
    Ok(())
}
