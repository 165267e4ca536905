//! [`Scalar`]: one value, whatever its type, read where it lies.

use fs_core::ScalarType;

/// One value that is not null.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    /// A row without a value: what `*` counts.
    Row,
    /// `bool`.
    Bool(bool),
    /// `int32`.
    Int32(i32),
    /// `int64`.
    Int64(i64),
    /// `float32`.
    Float32(f32),
    /// `float64`.
    Float64(f64),
    /// `string`.
    String(&'a str),
    /// `bytes`.
    Bytes(&'a [u8]),
    /// `timestamp`: microseconds UTC.
    Timestamp(i64),
}

impl Scalar<'_> {
    /// The type of the value; none of a row.
    pub const fn scalar_type(&self) -> Option<ScalarType> {
        Some(match self {
            Self::Row => return None,
            Self::Bool(_) => ScalarType::Bool,
            Self::Int32(_) => ScalarType::Int32,
            Self::Int64(_) => ScalarType::Int64,
            Self::Float32(_) => ScalarType::Float32,
            Self::Float64(_) => ScalarType::Float64,
            Self::String(_) => ScalarType::String,
            Self::Bytes(_) => ScalarType::Bytes,
            Self::Timestamp(_) => ScalarType::Timestamp,
        })
    }
}
