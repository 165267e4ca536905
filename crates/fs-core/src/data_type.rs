//! The types that features, request columns and join keys may have.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arrow_schema::{DataType as ArrowType, Field, TimeUnit};
use serde::{Deserialize, Serialize};

use crate::suggest::{did_you_mean, hint};

/// The time zone of every timestamp column that we write.
pub const UTC: &str = "UTC";

/// The type of one value that is not a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScalarType {
    /// `bool`.
    Bool,
    /// `int32`.
    Int32,
    /// `int64`.
    Int64,
    /// `float32`.
    Float32,
    /// `float64`.
    Float64,
    /// `string`, UTF-8.
    String,
    /// `bytes`.
    Bytes,
    /// `timestamp`, microseconds UTC.
    Timestamp,
}

impl ScalarType {
    /// Every scalar type.
    pub const ALL: [Self; 8] = [
        Self::Bool,
        Self::Int32,
        Self::Int64,
        Self::Float32,
        Self::Float64,
        Self::String,
        Self::Bytes,
        Self::Timestamp,
    ];

    /// The word that definitions use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Float32 => "float32",
            Self::Float64 => "float64",
            Self::String => "string",
            Self::Bytes => "bytes",
            Self::Timestamp => "timestamp",
        }
    }

    /// The Arrow type of a column of these.
    pub fn to_arrow(self) -> ArrowType {
        match self {
            Self::Bool => ArrowType::Boolean,
            Self::Int32 => ArrowType::Int32,
            Self::Int64 => ArrowType::Int64,
            Self::Float32 => ArrowType::Float32,
            Self::Float64 => ArrowType::Float64,
            Self::String => ArrowType::Utf8,
            Self::Bytes => ArrowType::Binary,
            Self::Timestamp => timestamp_type(),
        }
    }
}

/// The Arrow type of event and created times: microseconds UTC.
pub fn timestamp_type() -> ArrowType {
    ArrowType::Timestamp(TimeUnit::Microsecond, Some(Arc::from(UTC)))
}

/// The type of a feature: a scalar, or `array<T>` of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum DataType {
    /// One value.
    Scalar(ScalarType),
    /// A list of values, any of which may be null.
    Array(ScalarType),
}

impl DataType {
    /// The Arrow type of a column of these.
    pub fn to_arrow(self) -> ArrowType {
        match self {
            Self::Scalar(scalar) => scalar.to_arrow(),
            Self::Array(scalar) => {
                ArrowType::List(Arc::new(Field::new_list_field(scalar.to_arrow(), true)))
            }
        }
    }

    /// The type whose columns have exactly the Arrow type `arrow`, if there is one.
    pub fn from_arrow(arrow: &ArrowType) -> Option<Self> {
        let scalar = |arrow: &ArrowType| {
            ScalarType::ALL
                .into_iter()
                .find(|scalar| scalar.to_arrow() == *arrow)
        };
        match arrow {
            ArrowType::List(item) => scalar(item.data_type()).map(Self::Array),
            other => scalar(other).map(Self::Scalar),
        }
    }
}

/// A text that names no type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a type{}; types are bool, int32, int64, float32, float64, string, bytes, \
     timestamp, and array<T> of each",
    hint(did_you_mean(text, NAMES))
)]
pub struct UnknownType {
    /// The text that was refused.
    pub text: String,
}

const NAMES: [&str; 8] = [
    "bool",
    "int32",
    "int64",
    "float32",
    "float64",
    "string",
    "bytes",
    "timestamp",
];

impl FromStr for DataType {
    type Err = UnknownType;

    fn from_str(text: &str) -> Result<Self, UnknownType> {
        let unknown = || UnknownType {
            text: text.to_owned(),
        };
        let scalar = |name: &str| {
            ScalarType::ALL
                .into_iter()
                .find(|scalar| scalar.as_str() == name.trim())
        };
        match text
            .trim()
            .strip_prefix("array<")
            .map(|rest| rest.strip_suffix('>'))
        {
            Some(Some(item)) => scalar(item).map(Self::Array).ok_or_else(unknown),
            Some(None) => Err(unknown()),
            None => scalar(text).map(Self::Scalar).ok_or_else(unknown),
        }
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(scalar) => f.write_str(scalar.as_str()),
            Self::Array(scalar) => write!(f, "array<{}>", scalar.as_str()),
        }
    }
}

impl TryFrom<String> for DataType {
    type Error = UnknownType;
    fn try_from(text: String) -> Result<Self, UnknownType> {
        text.parse()
    }
}

impl From<DataType> for String {
    fn from(data_type: DataType) -> Self {
        data_type.to_string()
    }
}

/// The type of a join key: a scalar whose equality is equality of bytes, so no floats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyType {
    /// `bool`.
    Bool,
    /// `int32`.
    Int32,
    /// `int64`.
    Int64,
    /// `string`.
    String,
    /// `bytes`.
    Bytes,
    /// `timestamp`.
    Timestamp,
}

impl KeyType {
    /// Every type that a join key may have.
    pub const ALL: [Self; 6] = [
        Self::Bool,
        Self::Int32,
        Self::Int64,
        Self::String,
        Self::Bytes,
        Self::Timestamp,
    ];

    /// The same type as a feature would have it.
    pub const fn scalar(self) -> ScalarType {
        match self {
            Self::Bool => ScalarType::Bool,
            Self::Int32 => ScalarType::Int32,
            Self::Int64 => ScalarType::Int64,
            Self::String => ScalarType::String,
            Self::Bytes => ScalarType::Bytes,
            Self::Timestamp => ScalarType::Timestamp,
        }
    }

    /// The Arrow type of a column of these.
    pub fn to_arrow(self) -> ArrowType {
        self.scalar().to_arrow()
    }
}

impl fmt::Display for KeyType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.scalar().as_str())
    }
}

/// A text that names no type that a join key may have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` cannot be the type of a join key; keys are bool, int32, int64, string, bytes or \
     timestamp"
)]
pub struct UnknownKeyType {
    /// The text that was refused.
    pub text: String,
}

impl FromStr for KeyType {
    type Err = UnknownKeyType;

    fn from_str(text: &str) -> Result<Self, UnknownKeyType> {
        Self::ALL
            .into_iter()
            .find(|key_type| key_type.scalar().as_str() == text.trim())
            .ok_or_else(|| UnknownKeyType {
                text: text.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_type() -> impl Iterator<Item = DataType> {
        ScalarType::ALL
            .into_iter()
            .flat_map(|s| [DataType::Scalar(s), DataType::Array(s)])
    }

    #[test]
    fn every_type_reads_back_from_its_name_and_from_its_arrow_type() {
        for data_type in every_type() {
            assert_eq!(data_type.to_string().parse(), Ok(data_type));
            assert_eq!(DataType::from_arrow(&data_type.to_arrow()), Some(data_type));
        }
    }

    #[test]
    fn an_unknown_type_is_refused_with_the_nearest_one() {
        let error = "flaot64".parse::<DataType>().unwrap_err().to_string();
        assert!(error.contains("did you mean `float64`?"), "{error}");
        assert!("array<array<int64>>".parse::<DataType>().is_err());
    }

    #[test]
    fn a_float_cannot_be_a_join_key() {
        assert!("float64".parse::<KeyType>().is_err());
    }
}
