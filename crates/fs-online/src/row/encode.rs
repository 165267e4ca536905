//! From Arrow columns to packed rows.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::ArrowNativeType;
use bytes::{Bytes, BytesMut};

use super::shape::{Shape, Slot, bitmap_bytes, set_bit};
use super::{FORMAT, HEADER_BYTES};
use crate::column::{Column, Scalars};
use crate::{Error, RowLayout, RowOrder};

/// Packs rows of one layout.
#[derive(Debug)]
pub struct RowEncoder {
    layout: RowLayout,
    shape: Shape,
}

impl RowEncoder {
    /// An encoder for rows of `layout`.
    pub fn new(layout: &RowLayout) -> Self {
        Self {
            layout: layout.clone(),
            shape: Shape::of(layout),
        }
    }

    /// The layout that it packs.
    pub const fn layout(&self) -> &RowLayout {
        &self.layout
    }

    /// Packs one row for every order: one column for each feature of the layout, in its order.
    ///
    /// The rows share one buffer, which lives as long as any of them. Errors: a column too few or
    /// too many, of another length, or of another type; a row of more than 4 GiB.
    pub fn encode(&self, columns: &[ArrayRef], orders: &[RowOrder]) -> Result<Vec<Bytes>, Error> {
        let columns = self.check(columns, orders.len())?;
        let mut out = BytesMut::with_capacity(orders.len() * self.shape.data_at);
        let mut ends = Vec::with_capacity(orders.len());
        for (row, order) in orders.iter().enumerate() {
            self.encode_row(&mut out, &columns, row, order)?;
            ends.push(out.len());
        }
        let bytes = out.freeze();
        let mut start = 0;
        Ok(ends
            .into_iter()
            .map(|end| {
                let row = bytes.slice(start..end);
                start = end;
                row
            })
            .collect())
    }

    fn check(&self, columns: &[ArrayRef], rows: usize) -> Result<Vec<Column>, Error> {
        let features = self.layout.features();
        if features.len() != columns.len() {
            return Err(Error::Count {
                what: "feature columns",
                expected: features.len(),
                found: columns.len(),
            });
        }
        let mut checked = Vec::with_capacity(columns.len());
        for ((name, data_type), column) in features.iter().zip(columns) {
            if column.len() != rows {
                return Err(Error::Count {
                    what: "rows of every feature column",
                    expected: rows,
                    found: column.len(),
                });
            }
            checked.push(Column::of(|| name.to_string(), column, *data_type)?);
        }
        Ok(checked)
    }

    fn encode_row(
        &self,
        out: &mut BytesMut,
        columns: &[Column],
        row: usize,
        order: &RowOrder,
    ) -> Result<(), Error> {
        let start = out.len();
        out.extend_from_slice(&[FORMAT]);
        out.extend_from_slice(&self.layout.id().to_le_bytes());
        out.extend_from_slice(&order.to_bytes());
        out.resize(start + self.shape.data_at, 0);
        for (feature, (column, slot)) in columns.iter().zip(self.shape.slots()).enumerate() {
            let is_null = column.is_null(row);
            if !is_null {
                set_bit(&mut out[start + HEADER_BYTES..], feature);
            }
            match (slot, column) {
                (Slot::Fixed { at, width }, Column::Scalar(values)) if !is_null => {
                    let at = start + at;
                    write_fixed(&mut out[at..at + width], values, row);
                }
                (Slot::Fixed { .. }, _) => {}
                (Slot::Variable { index }, column) => {
                    if !is_null {
                        append(out, column, row).ok_or(Error::RowTooLarge { row })?;
                    }
                    let end = u32::try_from(out.len() - start - self.shape.data_at).ok();
                    let end = end.ok_or(Error::RowTooLarge { row })?;
                    let at = start + self.shape.ends_at + 4 * index;
                    out[at..at + 4].copy_from_slice(&end.to_le_bytes());
                }
            }
        }
        Ok(())
    }
}

/// Writes a value that has a width into its place.
fn write_fixed(place: &mut [u8], values: &Scalars, row: usize) {
    match values {
        Scalars::Bool(values) => place.copy_from_slice(&[u8::from(values.value(row))]),
        Scalars::Int32(values) => place.copy_from_slice(&values.value(row).to_le_bytes()),
        Scalars::Int64(values) => place.copy_from_slice(&values.value(row).to_le_bytes()),
        Scalars::Float32(values) => place.copy_from_slice(&values.value(row).to_le_bytes()),
        Scalars::Float64(values) => place.copy_from_slice(&values.value(row).to_le_bytes()),
        Scalars::Timestamp(values) => place.copy_from_slice(&values.value(row).to_le_bytes()),
        Scalars::String(_) | Scalars::Bytes(_) => {}
    }
}

/// Appends a value that has no width; `None` if it is larger than 4 GiB.
fn append(out: &mut BytesMut, column: &Column, row: usize) -> Option<()> {
    match column {
        Column::Scalar(values) => append_blob(out, values, row),
        Column::Array(lists, items) => {
            let offsets = lists.value_offsets();
            let range = offsets[row].as_usize()..offsets[row + 1].as_usize();
            return append_array(out, items, range);
        }
    }
    Some(())
}

fn append_blob(out: &mut BytesMut, values: &Scalars, row: usize) {
    match values {
        Scalars::String(values) => out.extend_from_slice(values.value(row).as_bytes()),
        Scalars::Bytes(values) => out.extend_from_slice(values.value(row)),
        _ => {}
    }
}

fn append_array(out: &mut BytesMut, items: &Scalars, range: std::ops::Range<usize>) -> Option<()> {
    let count = range.len();
    out.extend_from_slice(&u32::try_from(count).ok()?.to_le_bytes());
    let bitmap_at = out.len();
    out.resize(bitmap_at + bitmap_bytes(count), 0);
    for (index, item) in range.clone().enumerate() {
        if !items.is_null(item) {
            set_bit(&mut out[bitmap_at..], index);
        }
    }
    let items_at = out.len();
    if let Some(width) = items.width() {
        out.resize(items_at + count * width, 0);
        for (index, item) in range.enumerate() {
            if !items.is_null(item) {
                let at = items_at + index * width;
                write_fixed(&mut out[at..at + width], items, item);
            }
        }
        return Some(());
    }
    let data_at = items_at + 4 * count;
    out.resize(data_at, 0);
    for (index, item) in range.enumerate() {
        if !items.is_null(item) {
            append_blob(out, items, item);
        }
        let end = u32::try_from(out.len() - data_at).ok()?;
        let at = items_at + 4 * index;
        out[at..at + 4].copy_from_slice(&end.to_le_bytes());
    }
    Some(())
}

impl Scalars {
    const fn width(&self) -> Option<usize> {
        match self {
            Self::Bool(_) => Some(1),
            Self::Int32(_) | Self::Float32(_) => Some(4),
            Self::Int64(_) | Self::Float64(_) | Self::Timestamp(_) => Some(8),
            Self::String(_) | Self::Bytes(_) => None,
        }
    }
}
