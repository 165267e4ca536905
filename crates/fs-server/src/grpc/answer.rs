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
//! write.

mod lists;
mod times;
mod values;

use bytes::{BufMut, Bytes, BytesMut};
use fs_serving::{FeatureVectors, VectorColumn};

use self::times::Times;
use self::values::Values;
use crate::wire::protobuf::{Writer, delimited_len, optional_len, varint_len};

/// Rows whose values are copied in one go.
const ROWS: usize = 256;

/// An answer to be sent.
#[derive(Debug)]
pub(crate) struct Answer {
    vectors: FeatureVectors,
    version: u64,
    with_times: bool,
    /// How many bytes the values of each column take.
    values: Vec<usize>,
    length: usize,
}

/// One feature as a message.
struct Column<'a> {
    name: &'a str,
    values: Values<'a>,
    /// Zero where all are PRESENT.
    statuses: usize,
}

impl Answer {
    pub(crate) fn new(vectors: FeatureVectors, with_times: bool) -> Self {
        let version = vectors.plan().version();
        let values = vectors.columns().map(|it| Values::of(it).measure());
        let values: Vec<usize> = values.collect();
        let columns: usize = vectors
            .columns()
            .zip(&values)
            .map(|(column, values)| delimited_len(Column::of(column).len(*values)))
            .sum();
        let times: usize = vectors
            .views()
            .filter(|_| with_times)
            .map(|view| delimited_len(Times::of(view, vectors.rows()).len()))
            .sum();
        let length = number_len(version) + number_len(vectors.rows() as u64) + columns + times;
        Self {
            vectors,
            version,
            with_times,
            values,
            length,
        }
    }

    /// How many bytes it takes.
    pub(super) const fn len(&self) -> usize {
        self.length
    }

    pub(super) fn write(&self, out: &mut impl BufMut) {
        let mut out = Writer::new(out, self.length);
        number(&mut out, 1, self.version);
        number(&mut out, 2, self.vectors.rows() as u64);
        for (column, values) in self.vectors.columns().zip(&self.values) {
            Column::of(column).write(&mut out, *values);
        }
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

impl<'a> Column<'a> {
    fn of(column: VectorColumn<'a>) -> Self {
        let statuses = if column.all_present() {
            0
        } else {
            column.rows()
        };
        Self {
            name: column.name(),
            values: Values::of(column),
            statuses,
        }
    }

    fn len(&self, values: usize) -> usize {
        optional_len(self.name.len())
            + delimited_len(delimited_len(values))
            + optional_len(self.statuses)
    }

    fn write(&self, out: &mut Writer<'_, impl BufMut>, values: usize) {
        out.begin(3, self.len(values));
        if !self.name.is_empty() {
            out.bytes(1, self.name.as_bytes());
        }
        out.begin(2, delimited_len(values));
        out.begin(self.values.number(), values);
        self.values.write(out);
        if self.statuses > 0 {
            out.begin(3, self.statuses);
            for first in (0..self.statuses).step_by(ROWS) {
                let rows = first..self.statuses.min(first + ROWS);
                out.fill(rows.len(), |place| {
                    self.values.column().put_statuses(rows, place);
                });
            }
        }
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
