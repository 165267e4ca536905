//! `feast.types.Value`, one after the other: field 1 of a feature vector.

use bytes::BufMut;
use fs_core::ScalarType;
use fs_online::{Cell, ListCell};
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use super::super::seconds;

/// The fields of a value.
mod field {
    pub(super) const BYTES: u32 = 1;
    pub(super) const STRING: u32 = 2;
    pub(super) const INT32: u32 = 3;
    pub(super) const INT64: u32 = 4;
    pub(super) const DOUBLE: u32 = 5;
    pub(super) const FLOAT: u32 = 6;
    pub(super) const BOOL: u32 = 7;
    pub(super) const UNIX_TIMESTAMP: u32 = 8;
    /// From a scalar to its list.
    pub(super) const LIST: u32 = 10;
    /// A list of values.
    pub(super) const VALUES: u32 = 42;
}

/// Values that were encoded.
#[derive(Debug, Default)]
pub(in crate::feast::answer) struct Values {
    out: Vec<u8>,
    /// The items of one list.
    items: Vec<u8>,
}

impl Values {
    pub(in crate::feast::answer) fn clear(&mut self) {
        self.out.clear();
    }

    pub(in crate::feast::answer) const fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.out
    }

    /// Encodes one value; null is a value without a field.
    pub(in crate::feast::answer) fn push(&mut self, cell: Option<Cell<'_>>) {
        match cell {
            Some(Cell::List(list)) => self.list(list),
            cell => scalar(cell, &mut self.out),
        }
    }

    fn list(&mut self, list: ListCell<'_>) {
        self.items.clear();
        let field = if list.iter().any(|item| item.is_none()) {
            for item in list.iter() {
                scalar(item, &mut self.items);
            }
            field::VALUES
        } else {
            items(list, &mut self.items);
            field::LIST + scalar_field(list.item_type())
        };
        let length = encoded_len_varint(self.items.len() as u64) + self.items.len();
        open(prost::encoding::key_len(field) + length, &mut self.out);
        encode_key(field, WireType::LengthDelimited, &mut self.out);
        encode_varint(self.items.len() as u64, &mut self.out);
        self.out.put_slice(&self.items);
    }
}

/// The items of a typed list: numbers packed, texts and bytes one by one.
fn items(list: ListCell<'_>, out: &mut Vec<u8>) {
    if list.is_empty() {
        return;
    }
    if matches!(list.item_type(), ScalarType::String | ScalarType::Bytes) {
        for item in list.iter().flatten() {
            match item {
                Cell::String(text) => blob(1, text.as_bytes(), out),
                Cell::Bytes(bytes) => blob(1, bytes, out),
                _ => {}
            }
        }
        return;
    }
    let length: usize = list.iter().flatten().map(number_len).sum();
    encode_key(1, WireType::LengthDelimited, out);
    encode_varint(length as u64, out);
    for item in list.iter().flatten() {
        number(item, out);
    }
}

/// A scalar as field 1.
fn scalar(cell: Option<Cell<'_>>, out: &mut Vec<u8>) {
    let Some(cell) = cell else {
        return open(0, out);
    };
    match cell {
        Cell::String(text) => text_value(field::STRING, text.as_bytes(), out),
        Cell::Bytes(bytes) => text_value(field::BYTES, bytes, out),
        Cell::List(_) => open(0, out),
        cell => {
            let (field, wire) = number_field(cell);
            open(1 + number_len(cell), out);
            encode_key(field, wire, out);
            number(cell, out);
        }
    }
}

/// Begins a value of so many bytes.
fn open(length: usize, out: &mut Vec<u8>) {
    encode_key(1, WireType::LengthDelimited, out);
    encode_varint(length as u64, out);
}

fn text_value(field: u32, bytes: &[u8], out: &mut Vec<u8>) {
    open(
        1 + encoded_len_varint(bytes.len() as u64) + bytes.len(),
        out,
    );
    blob(field, bytes, out);
}

fn blob(field: u32, bytes: &[u8], out: &mut Vec<u8>) {
    encode_key(field, WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.put_slice(bytes);
}

const fn scalar_field(scalar: ScalarType) -> u32 {
    match scalar {
        ScalarType::Bool => field::BOOL,
        ScalarType::Int32 => field::INT32,
        ScalarType::Int64 => field::INT64,
        ScalarType::Float32 => field::FLOAT,
        ScalarType::Float64 => field::DOUBLE,
        ScalarType::String => field::STRING,
        ScalarType::Bytes => field::BYTES,
        ScalarType::Timestamp => field::UNIX_TIMESTAMP,
    }
}

const fn number_field(cell: Cell<'_>) -> (u32, WireType) {
    match cell {
        Cell::Float64(_) => (field::DOUBLE, WireType::SixtyFourBit),
        Cell::Float32(_) => (field::FLOAT, WireType::ThirtyTwoBit),
        Cell::Bool(_) => (field::BOOL, WireType::Varint),
        Cell::Int32(_) => (field::INT32, WireType::Varint),
        Cell::Timestamp(_) => (field::UNIX_TIMESTAMP, WireType::Varint),
        _ => (field::INT64, WireType::Varint),
    }
}

fn number_len(cell: Cell<'_>) -> usize {
    match cell {
        Cell::Float64(_) => 8,
        Cell::Float32(_) => 4,
        cell => encoded_len_varint(varint(cell)),
    }
}

fn number(cell: Cell<'_>, out: &mut Vec<u8>) {
    match cell {
        Cell::Float64(value) => out.put_f64_le(value),
        Cell::Float32(value) => out.put_f32_le(value),
        cell => encode_varint(varint(cell), out),
    }
}

fn varint(cell: Cell<'_>) -> u64 {
    match cell {
        Cell::Bool(value) => u64::from(value),
        Cell::Int32(value) => i64::from(value).cast_unsigned(),
        Cell::Int64(value) => value.cast_unsigned(),
        Cell::Timestamp(micros) => seconds(micros).cast_unsigned(),
        _ => 0,
    }
}
