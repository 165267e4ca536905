//! The event times that files promise, from their statistics; read from the files where there are none.
//!
//! | From | Known of | Exact |
//! |---|---|---|
//! | the log of a Delta table | a file | a bound may be a millisecond too wide |
//! | the footer of a Parquet file | each row group | yes |
//! | the column itself | a file | yes |

mod delta_log;
mod parquet_file;

use fs_core::{EventTime, Source};

pub(crate) use delta_log::of_log;
pub(crate) use parquet_file::{at, of_file, of_footer, of_rows};

use crate::spread::Piece;

/// What is known of rows that lie together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// Their event times and their number.
    Times(Piece),
    /// None of them has an event time, or there are none.
    NoTimes,
    /// Nothing.
    Nothing,
}

impl Known {
    pub(crate) fn of(low: Option<i64>, high: Option<i64>, rows: u64, nulls: Option<u64>) -> Self {
        match (low, high) {
            (Some(low), Some(high)) => Self::Times(Piece {
                low: EventTime::from_micros(low),
                high: EventTime::from_micros(high),
                rows,
            }),
            _ if rows == 0 || nulls == Some(rows) => Self::NoTimes,
            _ => Self::Nothing,
        }
    }
}

/// What the event-time column of a source is called in its files.
pub(crate) fn column_in_files(source: &Source) -> &str {
    let name = &source.timestamp_field;
    let renamed = source.field_mapping.iter().find(|(_, to)| *to == name);
    renamed.map_or(name, |(from, _)| from)
}
