//! [`Literal`]: a value that a definition compares a column with.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ScalarType;
use crate::time::{EventTime, parse_micros};

/// A value that a definition compares a column with, of the kind that the column has.
///
/// | Column | Literal | As definitions write it |
/// |---|---|---|
/// | `bool` | [`Bool`](Self::Bool) | `true` |
/// | `int32`, `int64` | [`Int`](Self::Int), which fits the column | `-80` |
/// | `float32`, `float64` | [`Float`](Self::Float) | `0.5` |
/// | `string` | [`String`](Self::String) | `rain` |
/// | `timestamp` | [`Timestamp`](Self::Timestamp) | `2013-03-31T23:00:00Z` |
///
/// A literal is brought to the type of its column before it is compared: 0.1 and a `float32` column
/// compare as the `float32` that is nearest to 0.1. There are none of `bytes` and of arrays.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Literal {
    /// Of a `bool` column.
    Bool(bool),
    /// Of an `int32` or `int64` column.
    Int(i64),
    /// Of a `float32` or `float64` column.
    Float(Finite),
    /// Of a `string` column.
    String(String),
    /// Of a `timestamp` column.
    Timestamp(EventTime),
}

/// A text that is not a value of the column's type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLiteral {
    /// It reads as something else, or does not fit.
    #[error("`{text}` is not a value of type {scalar}", scalar = scalar.as_str())]
    WrongType {
        /// The text that was refused.
        text: String,
        /// The type of the column.
        scalar: ScalarType,
    },
    /// There are no literals of that type.
    #[error("values of type {scalar} cannot be written in a definition", scalar = scalar.as_str())]
    NotWritable {
        /// The type of the column.
        scalar: ScalarType,
    },
}

impl Literal {
    /// Reads `text` as a value of a column of type `scalar`.
    pub fn parse(scalar: ScalarType, text: &str) -> Result<Self, BadLiteral> {
        let value = match scalar {
            ScalarType::Bool => text.parse().ok().map(Self::Bool),
            ScalarType::Int32 => text.parse::<i32>().ok().map(|n| Self::Int(n.into())),
            ScalarType::Int64 => text.parse().ok().map(Self::Int),
            ScalarType::Float32 => {
                let fits = |number: &Finite| number.get().abs() <= f64::from(f32::MAX);
                text.parse().ok().filter(fits).map(Self::Float)
            }
            ScalarType::Float64 => text.parse().ok().map(Self::Float),
            ScalarType::String => Some(Self::String(text.to_owned())),
            ScalarType::Timestamp => {
                let micros = parse_micros(text).ok();
                micros.map(|micros| Self::Timestamp(EventTime::from_micros(micros)))
            }
            ScalarType::Bytes => return Err(BadLiteral::NotWritable { scalar }),
        };
        value.ok_or_else(|| BadLiteral::WrongType {
            text: text.to_owned(),
            scalar,
        })
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => value.fmt(f),
            Self::String(value) => f.write_str(value),
            Self::Timestamp(value) => value.fmt(f),
        }
    }
}

/// A floating-point number that is neither infinite nor `NaN`, and therefore has an order.
///
/// There is one zero: -0 is read as 0. It is stored as the shortest text that reads back as the same
/// number, because readers of JSON may round numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Finite(f64);

/// Not a number, or not a finite one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a finite number")]
pub struct NotFinite {
    /// The text that was refused.
    pub text: String,
}

impl Finite {
    /// `number`; `None` if it is infinite or `NaN`.
    pub fn new(number: f64) -> Option<Self> {
        // Adding 0 turns -0 into 0.
        number.is_finite().then_some(Self(number + 0.0))
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl Eq for Finite {}

impl Ord for Finite {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Finite {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl std::hash::Hash for Finite {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl fmt::Display for Finite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for Finite {
    type Err = NotFinite;

    fn from_str(text: &str) -> Result<Self, NotFinite> {
        let number = text.parse().ok().and_then(Self::new);
        number.ok_or_else(|| NotFinite {
            text: text.to_owned(),
        })
    }
}

impl TryFrom<String> for Finite {
    type Error = NotFinite;

    fn try_from(text: String) -> Result<Self, NotFinite> {
        text.parse()
    }
}

impl From<Finite> for String {
    fn from(number: Finite) -> Self {
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_literal_has_the_type_of_its_column() {
        let read = |scalar, text| Literal::parse(scalar, text).unwrap();
        assert_eq!(read(ScalarType::Int32, "-80"), Literal::Int(-80));
        assert_eq!(
            read(ScalarType::Float32, "-80"),
            Literal::Float(Finite::new(-80.0).unwrap())
        );
        assert_eq!(
            read(ScalarType::String, "-80"),
            Literal::String("-80".to_owned())
        );
        assert_eq!(
            read(ScalarType::Timestamp, "1970-01-02"),
            Literal::Timestamp(EventTime::from_micros(86_400_000_000))
        );
    }

    #[test]
    fn what_does_not_fit_the_column_is_refused_with_its_type() {
        for (scalar, text) in [
            (ScalarType::Int32, "3000000000"),
            (ScalarType::Int64, "1.5"),
            (ScalarType::Float64, "NaN"),
            (ScalarType::Float64, "1e999"),
            (ScalarType::Float32, "1e300"),
            (ScalarType::Bool, "yes"),
            (ScalarType::Timestamp, "yesterday"),
        ] {
            let error = Literal::parse(scalar, text).unwrap_err().to_string();
            let expected = format!("`{text}` is not a value of type {}", scalar.as_str());
            assert_eq!(error, expected);
        }
        assert!(Literal::parse(ScalarType::Bytes, "00").is_err());
    }

    #[test]
    fn there_is_one_zero() {
        assert_eq!(Finite::new(-0.0), Finite::new(0.0));
        assert_eq!(Finite::new(-0.0).unwrap().to_string(), "0");
    }

    proptest! {
        #[test]
        fn a_number_reads_back_to_the_last_bit(bits: u64) {
            let Some(number) = Finite::new(f64::from_bits(bits)) else {
                return Ok(());
            };
            let json = serde_json::to_string(&number).unwrap();
            let back: Finite = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(back.get().to_bits(), number.get().to_bits());
        }
    }
}
