//! [`SourceState`]: what the sources of a view are, so that a run reads one thing from first to last.

mod fingerprint;
mod unchanged;

use std::fmt;

use fs_core::{Catalog, FeatureView, SourceKind};

use crate::pins::{Pin, Pins};
use crate::view_plan::ViewPlan;
use crate::{Engine, Error};

pub(crate) use unchanged::{explained, unchanged};

/// The sources that a view reads, through SQL too, as they were at one moment.
///
/// ```text
///   source_state ── late_start ── spread ── view_rows chunk 1 ── view_rows chunk 2 …
///        │                                        │                     │
///        └ lists files, opens Delta tables        └ read those files and those versions
/// ```
/// A file that is replaced or removed after that ends the stream with
/// [`Error::SourceChanged`]; a file that comes to a folder, and a later version of a Delta table, is
/// left to the next run.
#[derive(Clone)]
pub struct SourceState {
    fingerprint: String,
    delta_version: Option<i64>,
    pub(crate) pins: Pins,
}

impl SourceState {
    /// 32 hexadecimal digits that are the same for as long as the sources are: made from the paths,
    /// sizes, times and tags of all files, and from the versions of Delta tables.
    ///
    /// A file that is written again changes them, though it has the same content.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The version of the table, for a view without `query:` over a Delta source.
    pub const fn delta_version(&self) -> Option<i64> {
        self.delta_version
    }
}

impl fmt::Debug for SourceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceState")
            .field("fingerprint", &self.fingerprint)
            .field("delta_version", &self.delta_version)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Looks at the sources of a view: lists files, opens Delta tables.
    ///
    /// Reads metadata and, of CSV and JSON, a sample; no rows.
    pub async fn source_state(
        &self,
        catalog: &Catalog,
        view: &FeatureView,
    ) -> Result<SourceState, Error> {
        let tables = self.tables(catalog);
        ViewPlan::open(&tables, view).await?;
        let source = tables.source(&view.source)?;
        let own_delta = view.query.is_none() && matches!(source.kind, SourceKind::Delta { .. });
        let version = match tables.pins.get(&source.name) {
            Some(Pin::Delta(table)) if own_delta => table.version(),
            _ => None,
        };
        Ok(SourceState {
            fingerprint: fingerprint::of(&tables.pins),
            delta_version: version.and_then(|version| i64::try_from(version).ok()),
            pins: tables.pins,
        })
    }
}
