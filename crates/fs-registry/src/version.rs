//! One recorded version of a project's definitions.

use std::sync::Arc;

use fs_core::{Catalog, EventTime};

use crate::Error;

/// What a project's definitions were, from one apply to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number: 1 is the first.
    pub number: u64,
    /// When it was recorded.
    pub applied_at: EventTime,
    /// What the person who applied it said about it.
    pub note: Option<String>,
    /// The definitions.
    pub catalog: Arc<Catalog>,
}

/// One line of a history.
///
/// A version that cannot be read does not hide the others: it is listed with the reason.
#[derive(Debug)]
pub struct HistoryEntry {
    /// The number of the version.
    pub number: u64,
    /// The version, or why it cannot be read.
    pub version: Result<Version, Error>,
}
