//! The lists of one feature: how many items each row has, and then the items of all rows.

use bytes::BufMut;
use fs_core::DataType;
use fs_online::{Cell, ListCell};
use fs_serving::VectorColumn;

use super::values::{Form, number};
use crate::wire::protobuf::{Writer, delimited_len, optional_len, varint_len, zigzag32, zigzag64};

/// The lists of a feature, on their way to the wire.
pub(super) struct Items<'a>(VectorColumn<'a>);

/// How many bytes their parts take.
#[derive(Default)]
struct Sizes {
    /// The number of items of every row.
    lengths: usize,
    /// The values of the items, without the key and length that packed ones have.
    values: usize,
    items: usize,
    has_nulls: bool,
}

impl<'a> Items<'a> {
    pub(super) const fn of(column: VectorColumn<'a>) -> Self {
        Self(column)
    }

    /// How many bytes they take.
    pub(super) fn measure(&self) -> usize {
        let sizes = self.sizes();
        optional_len(sizes.lengths) + delimited_len(self.column_len(&sizes))
    }

    pub(super) fn write(&self, out: &mut Writer<'_, impl BufMut>) {
        let sizes = self.sizes();
        if sizes.lengths > 0 {
            out.begin(1, sizes.lengths);
            for row in 0..self.0.rows() {
                out.varint(self.list(row).map_or(0, |list| list.len() as u64));
                out.spill();
            }
        }
        out.begin(2, self.column_len(&sizes));
        out.begin(self.number(), self.values_len(&sizes));
        if !self.are_blobs() && sizes.values > 0 {
            out.begin(1, sizes.values);
        }
        for item in self.items() {
            write_item(out, self.form(), item);
        }
        if sizes.has_nulls {
            out.begin(15, sizes.items);
            for item in self.items() {
                out.byte(u8::from(item.is_none()));
                out.spill();
            }
        }
    }

    fn sizes(&self) -> Sizes {
        let form = self.form();
        let mut sizes = Sizes::default();
        for row in 0..self.0.rows() {
            let Some(list) = self.list(row) else {
                sizes.lengths += 1;
                continue;
            };
            sizes.lengths += varint_len(list.len() as u64);
            sizes.items += list.len();
            for item in list.iter() {
                sizes.values += item_len(form, item);
                sizes.has_nulls |= item.is_none();
            }
        }
        sizes
    }

    /// The `Column` of the items.
    fn column_len(&self, sizes: &Sizes) -> usize {
        let nulls = if sizes.has_nulls { sizes.items } else { 0 };
        delimited_len(self.values_len(sizes)) + optional_len(nulls)
    }

    fn values_len(&self, sizes: &Sizes) -> usize {
        if self.are_blobs() {
            sizes.values
        } else {
            optional_len(sizes.values)
        }
    }

    fn items(&self) -> impl Iterator<Item = Option<Cell<'a>>> {
        (0..self.0.rows())
            .filter_map(|row| self.list(row))
            .flat_map(|list| list.iter())
    }

    fn list(&self, row: usize) -> Option<ListCell<'a>> {
        match self.0.cell(row)? {
            Cell::List(list) => Some(list),
            _ => None,
        }
    }

    fn number(&self) -> u8 {
        let (DataType::Scalar(item) | DataType::Array(item)) = self.0.data_type();
        number(item)
    }

    fn form(&self) -> Form {
        let (DataType::Scalar(item) | DataType::Array(item)) = self.0.data_type();
        Form::of(item)
    }

    fn are_blobs(&self) -> bool {
        matches!(self.form(), Form::Blob)
    }
}

/// How many bytes an item takes; a null is written as the default of its type.
fn item_len(form: Form, item: Option<Cell<'_>>) -> usize {
    match form {
        Form::Same1 => 1,
        Form::Same4 => 4,
        Form::Same8 => 8,
        Form::Zigzag32 | Form::Zigzag64 => varint_len(zigzag(item)),
        Form::Blob => delimited_len(blob(item).len()),
    }
}

fn write_item(out: &mut Writer<'_, impl BufMut>, form: Form, item: Option<Cell<'_>>) {
    match (form, item) {
        (Form::Same1, item) => out.byte(u8::from(matches!(item, Some(Cell::Bool(true))))),
        (Form::Same4 | Form::Same8, Some(Cell::Float32(value))) => {
            out.fill(4, |place| place.copy_from_slice(&value.to_le_bytes()));
        }
        (Form::Same4 | Form::Same8, Some(Cell::Float64(value))) => {
            out.fill(8, |place| place.copy_from_slice(&value.to_le_bytes()));
        }
        (Form::Same4 | Form::Same8, Some(Cell::Timestamp(value))) => {
            out.fill(8, |place| place.copy_from_slice(&value.to_le_bytes()));
        }
        (Form::Same4, _) => out.fill(4, |_| {}),
        (Form::Same8, _) => out.fill(8, |_| {}),
        (Form::Zigzag32 | Form::Zigzag64, item) => out.varint(zigzag(item)),
        (Form::Blob, item) => out.bytes(1, blob(item)),
    }
    out.spill();
}

fn zigzag(item: Option<Cell<'_>>) -> u64 {
    match item {
        Some(Cell::Int32(value)) => zigzag32(value),
        Some(Cell::Int64(value)) => zigzag64(value),
        _ => 0,
    }
}

fn blob(item: Option<Cell<'_>>) -> &[u8] {
    match item {
        Some(Cell::String(text)) => text.as_bytes(),
        Some(Cell::Bytes(bytes)) => bytes,
        _ => &[],
    }
}
