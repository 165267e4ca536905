//! What can be wrong with the arrays that a kernel is given.

use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use fs_core::{Code, Coded, DataType as FeatureType, FeatureName, KeyType, ScalarType};

use crate::aggregate::Component;

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
    /// Not as many columns beside the events as the plan of their windows has.
    #[error("{found} {what} columns were given where the windows need {expected}")]
    EventColumns {
        /// Which columns.
        what: &'static str,
        /// How many the plan has.
        expected: usize,
        /// How many there were.
        found: usize,
    },
    /// A column of the events of a type that is not the one declared.
    #[error("column `{column}` of the events is {found}, but {expected} is needed")]
    EventColumn {
        /// The column.
        column: FeatureName,
        /// The type declared.
        expected: FeatureType,
        /// Its type.
        found: DataType,
    },
    /// The integers of a window add up to more than the feature holds.
    #[error(
        "the sum of feature `{feature}` is beyond what int64 holds: make its window shorter, or \
         its column float64"
    )]
    Overflow {
        /// The feature.
        feature: FeatureName,
    },
    /// Values of a type that a state is not made for.
    #[error(
        "a state of {component} is not made for {}",
        input.map_or_else(|| "rows without a value".to_owned(), |input| input.to_string())
    )]
    Unfit {
        /// What the state keeps.
        component: Component,
        /// The type of the values; none of rows.
        input: Option<FeatureType>,
    },
    /// A value of another type than the column that it is for.
    #[error("a value of type {} is for another column", found.map_or("list or none", ScalarType::as_str))]
    NotThatType {
        /// The type of the value; none of lists and rows.
        found: Option<ScalarType>,
    },
    /// Bytes that hold no state.
    #[error("the bytes of a window's state are broken: {problem}")]
    BrokenState {
        /// What is wrong with them.
        problem: &'static str,
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
            | Self::Ragged { .. }
            | Self::EventColumns { .. }
            | Self::EventColumn { .. }
            | Self::Overflow { .. } => Code::InvalidArgument,
            Self::TooMany => Code::ResourceExhausted,
            Self::NotKept { .. }
            | Self::Unfit { .. }
            | Self::NotThatType { .. }
            | Self::BrokenState { .. }
            | Self::Arrow(_) => Code::Internal,
        }
    }
}
