//! [`Outcome`]: what a run has done so far.

use fs_core::EventTime;

use crate::Publication;
use crate::window::Window;

/// What a run has done so far, so that it can be told however the run ends.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// What is replaced; `None` while that is not known, and where there is nothing to read.
    pub(crate) window: Option<Window>,
    /// Where an earlier run of the same was killed, and this one went on.
    pub(crate) resumed: Option<EventTime>,
    /// The version of the table before; `None` if there was none.
    pub(crate) version_before: Option<i64>,
    /// The version of the table that the run made last.
    pub(crate) version: Option<i64>,
    /// Commits of the run.
    pub(crate) chunks: u64,
    pub(crate) rows_read: u64,
    pub(crate) rows_written: u64,
    /// Rows that went to quarantine.
    pub(crate) rejected: u64,
    /// Rows that broke an expectation which only warns.
    pub(crate) warned: u64,
    /// Expectations that are not met, in words.
    pub(crate) warnings: Vec<String>,
    pub(crate) published: Option<Publication>,
}
