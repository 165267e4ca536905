//! When the rows of one view were true: the message `ViewEventTimes`.

use bytes::BufMut;
use fs_core::{EventTime, ScalarType};
use fs_serving::ViewRows;

use super::values::number;
use crate::wire::protobuf::{Writer, delimited_len, optional_len};

/// The times of a view, on their way to the wire.
pub(super) struct Times<'a> {
    view: ViewRows<'a>,
    rows: usize,
    /// The bytes of the null mask; zero where no row is without a time.
    nulls: usize,
}

impl<'a> Times<'a> {
    pub(super) fn of(view: ViewRows<'a>, rows: usize) -> Self {
        let has_nulls = (0..rows).any(|row| view.event_time(row).is_none());
        let nulls = if has_nulls { rows } else { 0 };
        Self { view, rows, nulls }
    }

    pub(super) fn len(&self) -> usize {
        delimited_len(self.view.label().as_str().len()) + delimited_len(self.column_len())
    }

    fn column_len(&self) -> usize {
        delimited_len(self.micros_len()) + optional_len(self.nulls)
    }

    const fn micros_len(&self) -> usize {
        optional_len(8 * self.rows)
    }

    pub(super) fn write(&self, out: &mut Writer<'_, impl BufMut>) {
        let times = (0..self.rows).map(|row| self.view.event_time(row));
        out.bytes(1, self.view.label().as_str().as_bytes());
        out.begin(2, self.column_len());
        out.begin(number(ScalarType::Timestamp), self.micros_len());
        if self.rows > 0 {
            out.begin(1, 8 * self.rows);
        }
        for time in times.clone() {
            let micros = time.map_or(0, EventTime::as_micros);
            out.fill(8, |place| place.copy_from_slice(&micros.to_le_bytes()));
        }
        if self.nulls > 0 {
            out.begin(15, self.nulls);
            for time in times {
                out.byte(u8::from(time.is_none()));
                out.spill();
            }
        }
    }
}
