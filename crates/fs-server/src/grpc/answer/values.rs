//! The values of one feature: the message within a `Column`, one slot per row.

use bytes::BufMut;
use fs_core::{DataType, ScalarType};
use fs_serving::VectorColumn;

use super::ROWS;
use super::lists::Items;
use crate::wire::protobuf::{Writer, delimited_len, optional_len, varint_len, zigzag32, zigzag64};

/// The values of a feature, on their way to the wire.
pub(super) struct Values<'a>(VectorColumn<'a>);

/// How values of a scalar type are written.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// As they lie in the row, packed.
    Same1,
    Same4,
    Same8,
    /// As zigzag varints, packed.
    Zigzag32,
    Zigzag64,
    /// Each with its length.
    Blob,
}

impl Form {
    pub(super) const fn of(scalar: ScalarType) -> Self {
        match scalar {
            ScalarType::Bool => Self::Same1,
            ScalarType::Int32 => Self::Zigzag32,
            ScalarType::Int64 => Self::Zigzag64,
            ScalarType::Float32 => Self::Same4,
            ScalarType::Float64 | ScalarType::Timestamp => Self::Same8,
            ScalarType::String | ScalarType::Bytes => Self::Blob,
        }
    }
}

/// The field of `Column` that holds values of a type.
pub(super) const fn number(scalar: ScalarType) -> u8 {
    match scalar {
        ScalarType::Bool => 1,
        ScalarType::Int32 => 2,
        ScalarType::Int64 => 3,
        ScalarType::Float32 => 4,
        ScalarType::Float64 => 5,
        ScalarType::String => 6,
        ScalarType::Bytes => 7,
        ScalarType::Timestamp => 8,
    }
}

impl<'a> Values<'a> {
    pub(super) const fn of(column: VectorColumn<'a>) -> Self {
        Self(column)
    }

    /// The field of `Column` that holds them.
    pub(super) const fn number(&self) -> u8 {
        match self.0.data_type() {
            DataType::Scalar(scalar) => number(scalar),
            DataType::Array(_) => 9,
        }
    }

    /// How many bytes they take.
    pub(super) fn measure(&self) -> usize {
        let rows = self.0.rows();
        let form = match self.0.data_type() {
            DataType::Scalar(scalar) => Form::of(scalar),
            DataType::Array(_) => return Items::of(self.0).measure(),
        };
        match form {
            Form::Same1 => optional_len(rows),
            Form::Same4 => optional_len(4 * rows),
            Form::Same8 => optional_len(8 * rows),
            Form::Zigzag32 | Form::Zigzag64 => optional_len(self.varints(form)),
            Form::Blob => (0..rows)
                .map(|row| delimited_len(self.0.bytes(row).map_or(0, <[u8]>::len)))
                .sum(),
        }
    }

    pub(super) fn write(&self, out: &mut Writer<'_, impl BufMut>) {
        let rows = self.0.rows();
        let form = match self.0.data_type() {
            DataType::Scalar(scalar) => Form::of(scalar),
            DataType::Array(_) => return Items::of(self.0).write(out),
        };
        if rows == 0 {
            return;
        }
        match form {
            Form::Same1 => self.copy::<1>(out),
            Form::Same4 => self.copy::<4>(out),
            Form::Same8 => self.copy::<8>(out),
            Form::Zigzag32 | Form::Zigzag64 => {
                out.begin(1, self.varints(form));
                self.each_varint(form, |value| {
                    out.varint(value);
                    out.spill();
                });
            }
            Form::Blob => {
                for row in 0..rows {
                    out.bytes(1, self.0.bytes(row).unwrap_or_default());
                }
            }
        }
    }

    fn copy<const W: usize>(&self, out: &mut Writer<'_, impl BufMut>) {
        let rows = self.0.rows();
        out.begin(1, W * rows);
        for first in (0..rows).step_by(ROWS) {
            let rows = first..rows.min(first + ROWS);
            out.fill(W * rows.len(), |place| self.0.gather::<W>(rows, place));
        }
    }

    /// How many bytes the values take as varints.
    fn varints(&self, form: Form) -> usize {
        let mut bytes = 0;
        self.each_varint(form, |value| bytes += varint_len(value));
        bytes
    }

    fn each_varint(&self, form: Form, mut each: impl FnMut(u64)) {
        let rows = self.0.rows();
        let mut place = [0; 8 * ROWS];
        for first in (0..rows).step_by(ROWS) {
            let rows = first..rows.min(first + ROWS);
            let count = rows.len();
            if matches!(form, Form::Zigzag32) {
                self.0.gather::<4>(rows, &mut place);
                let (values, _) = place.as_chunks();
                for value in values.iter().take(count) {
                    each(zigzag32(i32::from_le_bytes(*value)));
                }
            } else {
                self.0.gather::<8>(rows, &mut place);
                let (values, _) = place.as_chunks();
                for value in values.iter().take(count) {
                    each(zigzag64(i64::from_le_bytes(*value)));
                }
            }
        }
    }
}
