//! The protocols of feature servers: a question as bytes, and what is in an answer.

mod feast;
mod json;
mod native;

use bytes::Bytes;

use crate::entities::KeyColumn;
use crate::{Selection, Values};

/// A protocol that feature servers speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wire {
    /// gRPC, `fs.v1.FeatureStore/GetOnlineFeatures`.
    Native,
    /// gRPC, `feast.serving.ServingService/GetOnlineFeatures`.
    Feast,
    /// HTTP/1.1, `POST /get-online-features` with JSON, as Feast has it.
    Http,
}

impl Wire {
    /// The path of the request.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Native => "/fs.v1.FeatureStore/GetOnlineFeatures",
            Self::Feast => "/feast.serving.ServingService/GetOnlineFeatures",
            Self::Http => "/get-online-features",
        }
    }

    /// The question, without the framing of the protocol.
    pub(crate) fn encode(self, selection: &Selection, entities: Vec<KeyColumn>) -> Vec<u8> {
        match self {
            Self::Native => native::encode(selection, entities),
            Self::Feast => feast::encode(selection, entities),
            Self::Http => json::encode(selection, entities),
        }
    }

    /// Decodes an answer to its end and counts its values; says what is wrong with one that has not
    /// `rows` values of every feature.
    pub(crate) fn check(self, answer: Bytes, rows: usize) -> Result<Values, String> {
        match self {
            Self::Native => native::check(answer, rows),
            Self::Feast => feast::check(answer, rows),
            Self::Http => json::check(&answer, rows),
        }
    }
}

/// What an answer must not be short of.
fn same_rows(what: &str, found: usize, rows: usize) -> Result<(), String> {
    if found == rows {
        return Ok(());
    }
    Err(format!("{what} has {found} values for {rows} entities"))
}

#[cfg(test)]
mod tests;
