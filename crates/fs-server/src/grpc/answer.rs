//! An answer, written as protobuf straight from the packed rows.
//!
//! ```text
//!   GetOnlineFeaturesResponse       registry_version 1, row_count 2
//!     columns 3                     name 1
//!       values 2   Column           one of 1 to 9, by type
//!       statuses 3                  a byte per row; left out when all are PRESENT
//!     event_times 4                 on request: view 1, event_times 2 (a Column)
//! ```
//! Lengths come before what they measure, so everything is measured first: that costs nothing where
//! values have a width, and one look at every value elsewhere. The bytes are those that prost would
//! write. Of the answer for one entity, all but the values is [kept](frame) from one to the next.

mod frame;
mod lists;
mod times;
mod values;

use bytes::{BufMut, Bytes, BytesMut};
use fs_serving::{FeatureVectors, VectorColumn};

use self::frame::Frame;
use self::times::Times;
use self::values::Values;
use crate::wire::protobuf::{Writer, delimited_len, optional_len, varint_len};

/// Rows whose values are copied in one go.
const ROWS: usize = 256;

/// An answer to be sent.
#[derive(Debug)]
pub(crate) struct Answer {
    vectors: FeatureVectors,
    with_times: bool,
    /// What was measured; nothing where the answer has a frame.
    columns: Vec<Size>,
    length: usize,
}

/// What was measured of a column.
#[derive(Debug, Clone, Copy)]
struct Size {
    /// The bytes of its values.
    values: usize,
    /// The bytes of its statuses: none where all are PRESENT.
    statuses: usize,
    /// All of its bytes.
    length: usize,
}

impl Answer {
    pub(crate) fn new(vectors: FeatureVectors, with_times: bool) -> Self {
        let framed = Frame::of(&vectors, with_times).map(Frame::len);
        match framed {
            Some(length) => Self {
                vectors,
                with_times,
                columns: Vec::new(),
                length,
            },
            None => Self::measured(vectors, with_times),
        }
    }

    fn measured(vectors: FeatureVectors, with_times: bool) -> Self {
        let columns: Vec<Size> = vectors.columns().map(Size::of).collect();
        let times: usize = vectors
            .views()
            .filter(|_| with_times)
            .map(|view| delimited_len(Times::of(view, vectors.rows()).len()))
            .sum();
        let messages = columns.iter().map(|column| delimited_len(column.length));
        let length = numbers_len(&vectors) + messages.sum::<usize>() + times;
        Self {
            vectors,
            with_times,
            columns,
            length,
        }
    }

    /// How many bytes it takes.
    pub(super) const fn len(&self) -> usize {
        self.length
    }

    pub(super) fn write(&self, out: &mut impl BufMut) {
        match Frame::of(&self.vectors, self.with_times) {
            Some(frame) => frame.write(&self.vectors, out),
            None => self.write_measured(out),
        }
    }

    fn write_measured(&self, out: &mut impl BufMut) {
        let mut out = Writer::new(out, self.length);
        write_columns(&self.vectors, &self.columns, &mut out);
        for view in self.vectors.views().filter(|_| self.with_times) {
            let times = Times::of(view, self.vectors.rows());
            out.begin(4, times.len());
            times.write(&mut out);
        }
        out.finish();
    }

    /// The bytes, in one piece.
    pub(crate) fn to_bytes(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(self.length);
        self.write(&mut bytes);
        bytes.freeze()
    }
}

impl Size {
    fn of(column: VectorColumn<'_>) -> Self {
        let values = Values::of(column).measure();
        let statuses = if column.all_present() {
            0
        } else {
            column.rows()
        };
        let length = optional_len(column.name().len())
            + delimited_len(delimited_len(values))
            + optional_len(statuses);
        Self {
            values,
            statuses,
            length,
        }
    }

    /// Writes the column that it is of: a `FeatureColumn`.
    fn write(self, column: VectorColumn<'_>, out: &mut Writer<'_, impl BufMut>) {
        if !column.name().is_empty() {
            out.bytes(1, column.name().as_bytes());
        }
        let values = Values::of(column);
        out.begin(2, delimited_len(self.values));
        out.begin(values.number(), self.values);
        values.write(out);
        if self.statuses > 0 {
            out.begin(3, self.statuses);
            for first in (0..self.statuses).step_by(ROWS) {
                let rows = first..self.statuses.min(first + ROWS);
                out.fill(rows.len(), |place| column.put_statuses(rows, place));
            }
        }
    }
}

/// The bytes of `registry_version` and `row_count`.
fn numbers_len(vectors: &FeatureVectors) -> usize {
    number_len(vectors.plan().version()) + number_len(vectors.rows() as u64)
}

/// Writes the numbers, and the columns as they were measured.
fn write_columns(vectors: &FeatureVectors, sizes: &[Size], out: &mut Writer<'_, impl BufMut>) {
    number(out, 1, vectors.plan().version());
    number(out, 2, vectors.rows() as u64);
    for (column, size) in vectors.columns().zip(sizes) {
        out.begin(3, size.length);
        size.write(column, out);
    }
}

/// A number is left out when it is zero.
const fn number_len(value: u64) -> usize {
    if value == 0 { 0 } else { 1 + varint_len(value) }
}

fn number(out: &mut Writer<'_, impl BufMut>, field: u8, value: u64) {
    if value != 0 {
        out.byte(field << 3);
        out.varint(value);
    }
}

#[cfg(test)]
mod tests;
