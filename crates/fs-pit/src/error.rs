//! What can be wrong with the arrays that a kernel is given.

use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use fs_core::{Code, Coded, KeyType};

/// Why a kernel refused its input.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A spine row without a time.
    #[error("row {} of the spine has no event time: every row of a spine needs one", row + 1)]
    NullSpineTime {
        /// The row, counted from 0.
        row: usize,
    },
    /// A feature row without a time.
    #[error("row {row} of feature batch {batch} has no event time: it cannot be placed in time")]
    NullEventTime {
        /// The batch, counted from 0 in the order offered.
        batch: u32,
        /// The row in that batch, counted from 0.
        row: usize,
    },
    /// Not as many key columns as on the other side.
    #[error("{found} key columns were given where {expected} are needed")]
    KeyCount {
        /// How many key columns the first side has.
        expected: usize,
        /// How many this one has.
        found: usize,
    },
    /// A key column of a type that no key may have.
    #[error("key column {position} is {found}, which no join key may be")]
    NotAKey {
        /// The column among the key columns, counted from 0.
        position: usize,
        /// Its type.
        found: DataType,
    },
    /// Key columns of two types where they must agree.
    #[error("key column {position} is {found}, but {expected} is needed")]
    KeyMismatch {
        /// The column among the key columns, counted from 0.
        position: usize,
        /// The type that the first side has.
        expected: KeyType,
        /// The type that this one has.
        found: KeyType,
    },
    /// Columns of one batch with different lengths.
    #[error("the {column} column has {found} rows, but the event times have {expected}")]
    Ragged {
        /// Which column.
        column: &'static str,
        /// The number of event times.
        expected: usize,
        /// The number of rows found.
        found: usize,
    },
    /// A batch, or a number of batches, beyond 32 bits.
    #[error("more than {} rows in one batch, or batches in one run", u32::MAX)]
    TooMany,
    /// A row identity that was never kept, or was dropped.
    #[error("row {row} of feature batch {batch} was not kept")]
    NotKept {
        /// The batch.
        batch: u32,
        /// The row in that batch.
        row: u32,
    },
    /// Arrow could not copy or convert a column.
    #[error("cannot copy feature columns")]
    Arrow(#[from] ArrowError),
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::NullSpineTime { .. }
            | Self::NullEventTime { .. }
            | Self::KeyCount { .. }
            | Self::NotAKey { .. }
            | Self::KeyMismatch { .. }
            | Self::Ragged { .. } => Code::InvalidArgument,
            Self::TooMany => Code::ResourceExhausted,
            Self::NotKept { .. } | Self::Arrow(_) => Code::Internal,
        }
    }
}
