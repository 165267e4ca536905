//! What a run did for one view.

use fs_core::{TimeRange, ViewName};
use fs_offline::{OfflineStore, RunRecord};

/// What a run did for one view: the record of it, and what the record says in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSummary {
    /// As it is recorded in `_runs`.
    pub record: RunRecord,
    /// Event times that were never materialized, and that the next incremental run covers: the
    /// window began after the watermark, which therefore stayed where it is.
    pub gap: Option<TimeRange>,
}

/// An id that no run has: when it started, and the view.
///
/// `1356998400000000-weather`; if that is taken, the microsecond after.
pub(crate) async fn free_id(
    offline: &OfflineStore,
    started: i64,
    view: &ViewName,
) -> Result<String, fs_offline::Error> {
    let mut micros = started;
    loop {
        let id = format!("{micros}-{view}");
        match offline.show_run(&id).await {
            Err(fs_offline::Error::NoSuchRun { .. }) => return Ok(id),
            Ok(_) => micros = micros.saturating_add(1),
            Err(error) => return Err(error),
        }
    }
}
