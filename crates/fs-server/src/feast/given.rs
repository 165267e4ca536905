//! One value as a client of Feast gave it, in JSON or in protobuf.

mod json;
mod message;

use std::fmt;

pub(super) use self::json::Text;

/// A value before anybody knows what it should be. Texts and bytes are those of the request.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Given<'a> {
    /// No value.
    Null,
    Bool(bool),
    Int(i64),
    /// An integer beyond `i64`.
    Unsigned(u64),
    Float(f64),
    Text(Text<'a>),
    Bytes(&'a [u8]),
    /// Seconds since 1970-01-01T00:00:00Z.
    Seconds(i64),
    List(Vec<Given<'a>>),
    /// What no column of ours can hold: `a map`.
    Other(&'static str),
}

/// What errors show of a text.
const SHOWN: usize = 40;

impl fmt::Display for Given<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Unsigned(value) => write!(f, "{value}"),
            Self::Float(value) => write!(f, "{value:?}"),
            Self::Text(text) if text.chars().count() > SHOWN => {
                let start: String = text.chars().take(SHOWN).collect();
                write!(f, "the text {start:?}…")
            }
            Self::Text(text) => write!(f, "the text {text:?}"),
            Self::Bytes(bytes) => write!(f, "{} bytes", bytes.len()),
            Self::Seconds(seconds) => write!(f, "the timestamp {seconds}"),
            Self::List(_) => f.write_str("a list"),
            Self::Other(kind) => f.write_str(kind),
        }
    }
}
