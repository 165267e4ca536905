//! One part of an entity key, and how people and JSON write it.

use std::fmt;

use crate::KeyType;
use crate::time::{format_micros, parse_micros};

/// The value of one join key.
///
/// Values compare by their bytes: strings are not normalised, `1` is not `01`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum KeyValue {
    /// A `bool` key.
    Bool(bool),
    /// An `int32` key.
    Int32(i32),
    /// An `int64` key.
    Int64(i64),
    /// A `string` key.
    String(String),
    /// A `bytes` key.
    Bytes(Vec<u8>),
    /// A `timestamp` key, microseconds UTC.
    Timestamp(i64),
}

/// A text that is not a value of the key's type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a value of type {key_type}")]
pub struct BadKeyValue {
    /// The text that was refused.
    pub text: String,
    /// The type that the key has.
    pub key_type: KeyType,
}

impl KeyValue {
    /// Reads a key as a person writes it on a command line; bytes are read as hexadecimal digits.
    pub fn parse(key_type: KeyType, text: &str) -> Result<Self, BadKeyValue> {
        let value = match key_type {
            KeyType::Bool => text.parse().ok().map(Self::Bool),
            KeyType::Int32 => text.parse().ok().map(Self::Int32),
            KeyType::Int64 => text.parse().ok().map(Self::Int64),
            KeyType::String => Some(Self::String(text.to_owned())),
            KeyType::Bytes => from_hex(text).map(Self::Bytes),
            KeyType::Timestamp => parse_micros(text).ok().map(Self::Timestamp),
        };
        value.ok_or_else(|| BadKeyValue {
            text: text.to_owned(),
            key_type,
        })
    }

    /// The type of this value.
    pub const fn key_type(&self) -> KeyType {
        match self {
            Self::Bool(_) => KeyType::Bool,
            Self::Int32(_) => KeyType::Int32,
            Self::Int64(_) => KeyType::Int64,
            Self::String(_) => KeyType::String,
            Self::Bytes(_) => KeyType::Bytes,
            Self::Timestamp(_) => KeyType::Timestamp,
        }
    }
}

impl fmt::Display for KeyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Int32(value) => value.fmt(f),
            Self::Int64(value) => value.fmt(f),
            Self::String(value) => f.write_str(value),
            Self::Bytes(value) => value.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
            Self::Timestamp(value) => f.write_str(&format_micros(*value)),
        }
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_as_its_type_and_prints_as_it_was_written() {
        for (key_type, text) in [
            (KeyType::Bool, "true"),
            (KeyType::Int32, "-7"),
            (KeyType::Int64, "9007199254740993"),
            (KeyType::String, "N14228"),
            (KeyType::Bytes, "00ff"),
            (KeyType::Timestamp, "2013-01-01T00:00:00Z"),
        ] {
            let value = KeyValue::parse(key_type, text).unwrap();
            assert_eq!(value.to_string(), text);
            assert_eq!(value.key_type(), key_type);
        }
    }

    #[test]
    fn a_key_of_the_wrong_type_is_refused_with_its_text_and_type() {
        let error = KeyValue::parse(KeyType::Int32, "3000000000").unwrap_err();
        assert_eq!(
            error.to_string(),
            "`3000000000` is not a value of type int32"
        );
    }
}
