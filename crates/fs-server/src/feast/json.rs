//! JSON to the last bit.
//!
//! `serde_json`, as this workspace builds it, reads a float to within one unit of its last place: what is
//! pushed would not be what is served. Here a float is what Rust reads. Everything else is the JSON of
//! RFC 8259; an integer beyond 64 bits is a float, as deep as 128 levels.

mod number;
mod reader;

use std::fmt;

use serde::de::Deserialize;

use self::reader::Reader;

/// Why a body cannot be read, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonError {
    message: String,
    /// The byte at which reading ended; none where the JSON is right, and says something else than it
    /// should.
    at: Option<usize>,
}

impl JsonError {
    /// Whether it is no JSON at all.
    pub(super) const fn is_syntax(&self) -> bool {
        self.at.is_some()
    }

    fn syntax(message: impl Into<String>, at: usize) -> Self {
        Self {
            message: message.into(),
            at: Some(at),
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.at {
            Some(at) => write!(f, " at byte {at}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for JsonError {}

impl serde::de::Error for JsonError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self {
            message: message.to_string(),
            at: None,
        }
    }
}

/// Reads a whole text; strings without escapes stay where they are.
pub(super) fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, JsonError> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| JsonError::syntax("the text is not UTF-8", error.valid_up_to()))?;
    let mut reader = Reader::new(text);
    let value = T::deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

#[cfg(test)]
mod tests;
