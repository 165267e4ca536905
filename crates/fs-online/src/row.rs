//! Feature rows as bytes: row format 1.
//!
//! ```text
//!   at      bytes     what
//!   0       1         format: 1
//!   1       4         id of the layout
//!   5       24        order: event, created, sequence (see RowOrder)
//!   29      (n+7)/8   one bit for each of the n features, lowest first: 1 where there is a value
//!           …         fixed block: the bool, int, float and timestamp features in layout order
//!           4 * v     for each of the v string, bytes and array features: where it ends, counted
//!                     from the end of these numbers
//!           …         the values of those features, one after the other
//! ```
//!
//! Numbers are little-endian, except in the order. A `bool` takes one byte, `int32` and `float32`
//! four, the others eight; floats keep their bits, whatever NaN they are. The place of a null is
//! kept, zero in the fixed block and empty in the variable one, so that every feature of a layout
//! is found without looking at another.
//!
//! An array is `count` (u32), one bit for each item as above, and then the items: side by side where
//! they have a width, else `count` ends (u32, counted from the end of these numbers) and the values.
//!
//! The format is frozen: `golden/rows.json` describes rows that every later release must read, and
//! `golden/rows.bin` holds them. No bytes, however broken, make a reader panic or allocate more than
//! they are long.

mod cell;
mod decode;
mod encode;
mod open;
mod shape;
mod to_arrow;

pub use cell::{Cell, ListCell};
pub use decode::RowDecoder;
pub use encode::RowEncoder;
pub use open::{OpenRows, Unopened};
pub use to_arrow::to_arrow;

use crate::{Error, RowOrder, RowProblem};

/// The first byte of every row.
pub const FORMAT: u8 = 1;

/// Format, layout and order.
pub(crate) const HEADER_BYTES: usize = ORDER_AT + RowOrder::BYTES;

const LAYOUT_AT: usize = 1;
const ORDER_AT: usize = 5;

/// The bytes of a row's order, which compare as the orders do.
///
/// This is all that a store ever reads of a row: 24 bytes from byte 5 on.
pub fn order_bytes(row: &[u8]) -> Result<&[u8; RowOrder::BYTES], Error> {
    let too_short = || RowProblem::TooShort {
        length: row.len(),
        needed: HEADER_BYTES,
    };
    let format = *row.first().ok_or_else(too_short)?;
    if format != FORMAT {
        return Err(RowProblem::UnknownFormat { format }.into());
    }
    let order = row.get(ORDER_AT..).and_then(|rest| rest.first_chunk());
    Ok(order.ok_or_else(too_short)?)
}

/// The order of a row: its event time, created time and sequence.
pub fn order(row: &[u8]) -> Result<RowOrder, Error> {
    order_bytes(row).map(RowOrder::from_bytes)
}

#[cfg(test)]
mod tests;
