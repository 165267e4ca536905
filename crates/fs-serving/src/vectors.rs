//! The answer: columns of values, and a status for each.

use arrow::array::ArrayRef;
use fs_core::{DataType, EventTime, ViewName};

/// Whether a value is there, and if not, why. The numbers are those of Feast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Status {
    /// The value is there.
    Present = 1,
    /// The entity has a row, and its value is null.
    NullValue = 2,
    /// The entity has no row, or none that was visible yet.
    NotFound = 3,
    /// The entity has a row, but it is older than the ttl of its view; the value is withheld.
    OutsideMaxAge = 4,
}

impl Status {
    /// The name that people and Feast use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Present => "PRESENT",
            Self::NullValue => "NULL_VALUE",
            Self::NotFound => "NOT_FOUND",
            Self::OutsideMaxAge => "OUTSIDE_MAX_AGE",
        }
    }

    /// The status with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Present),
            2 => Some(Self::NullValue),
            3 => Some(Self::NotFound),
            4 => Some(Self::OutsideMaxAge),
            _ => None,
        }
    }

    /// The number that goes over the wire.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// One column per feature, in the order asked for, one row per entity, in the order given.
#[derive(Debug, Clone)]
pub struct FeatureVectors {
    /// The features.
    pub columns: Vec<VectorColumn>,
    /// When the rows behind them were true, view by view.
    pub event_times: Vec<ViewEventTimes>,
    /// How many rows every column has.
    pub rows: usize,
}

/// One feature of every entity.
#[derive(Debug, Clone)]
pub struct VectorColumn {
    /// `feature`, or `view__feature`.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// The values; null wherever the status is not [`Status::Present`].
    pub values: ArrayRef,
    /// One status per value.
    pub statuses: Vec<Status>,
}

/// When the rows of one view were true.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewEventTimes {
    /// The view, under the label that it has in the request.
    pub view: ViewName,
    /// One time per row of the request; none where the status is [`Status::NotFound`].
    pub times: Vec<Option<EventTime>>,
}
