//! [`SourceChanges`]: how far back a Delta source has changed since a version of it was read.
//!
//! ```text
//!   version 7, read by the last run      commits 8 … 12                      version 12, read now
//!                                        add f5 (10:00 .. 10:59)
//!                                        remove f2 (07:00 .. 07:59)          since 07:00
//!                                        optimize: dataChange = false
//! ```
//! The least event times come from the statistics of the log, and where there are none from the
//! files: those that were removed are still there until the table is vacuumed.

mod commits;

use std::collections::HashMap;

use deltalake::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use fs_core::{Catalog, EventTime, FeatureView, Source, SourceKind};
use futures::{StreamExt, stream};

use crate::delta_file::DeltaFile;
use crate::delta_table::failure;
use crate::error::BoxError;
use crate::event_times::{Known, column_in_files};
use crate::tables::Tables;
use crate::{Engine, Error, SourceState};
use commits::Touched;

/// How many files are read at once.
const CONCURRENT_FILES: usize = 8;

/// How far back in event time a source has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceChanges {
    /// It has not: no commit since added or removed a row with an event time.
    Nothing,
    /// No row that was added or removed is older than this; it may also be a little, or where a whole
    /// file was written again much, older than the oldest of them.
    Since(EventTime),
    /// It cannot be told: the source is no Delta table, or the view has a `query:`; commits since, or
    /// files that they removed, have been cleaned up; the table has been made anew.
    ///
    /// The caller then knows no more than of a source of files, and reads again what the `lateness`
    /// and the created times of the source say. That may miss changes further back, so whoever was
    /// promised that every commit is seen reads everything again.
    Unknown,
}

impl Engine {
    /// How far back the source of `view` has changed between `version`, which was read before, and the
    /// version of `state`.
    pub async fn changed_since(
        &self,
        catalog: &Catalog,
        view: &FeatureView,
        version: i64,
        state: &SourceState,
    ) -> Result<SourceChanges, Error> {
        let tables = self.pinned(catalog, state);
        let source = tables.source(&view.source)?;
        let (None, SourceKind::Delta { path }) = (&view.query, &source.kind) else {
            return Ok(SourceChanges::Unknown);
        };
        let table = tables.delta(source, path).await?;
        let (Ok(before), Some(now)) = (u64::try_from(version), table.version()) else {
            return Ok(SourceChanges::Unknown);
        };
        if before >= now {
            let same = before == now;
            return Ok(if same {
                SourceChanges::Nothing
            } else {
                SourceChanges::Unknown
            });
        }
        let touched = Touched::between(&table, before, now).await;
        let finder = tables.finder(source, path);
        let touched = touched.map_err(|cause| failure(&finder, table.table_url(), cause))?;
        let Some(touched) = touched else {
            return Ok(SourceChanges::Unknown);
        };
        let options = &tables.shared.options.storage_options;
        let options = options.clone().into_iter().collect();
        let Some(files) = with_statistics(touched, &table, before, options).await else {
            return Ok(SourceChanges::Unknown);
        };
        least(files, &table, &tables, source).await
    }
}

/// The touched files, each with what the log says of it; `None` where it says nothing any more.
async fn with_statistics(
    touched: Touched,
    table: &DeltaTable,
    before: u64,
    options: HashMap<String, String>,
) -> Option<Vec<DeltaFile>> {
    let mut files = touched.added;
    if touched.removed.is_empty() {
        return Some(files);
    }
    let earlier = at_version(table, before, options).await.ok();
    let known = match &earlier {
        Some(earlier) => DeltaFile::all(earlier).await.unwrap_or_default(),
        None => Vec::new(),
    };
    let mut known: HashMap<String, DeltaFile> = known
        .into_iter()
        .map(|file| (file.path.clone(), file))
        .collect();
    files.extend(touched.removed.into_iter().map(|file| {
        let known = known.remove(&file.path);
        known.unwrap_or(file)
    }));
    Some(files)
}

async fn at_version(
    table: &DeltaTable,
    version: u64,
    options: HashMap<String, String>,
) -> Result<DeltaTable, DeltaTableError> {
    DeltaTableBuilder::from_url(table.table_url().clone())?
        .with_storage_options(options)
        .with_version(version)
        .load()
        .await
}

/// The least event time in `files`.
async fn least(
    files: Vec<DeltaFile>,
    table: &DeltaTable,
    tables: &Tables,
    source: &Source,
) -> Result<SourceChanges, Error> {
    let column = column_in_files(source);
    let mut known = stream::iter(files)
        .map(|file| async move {
            match file.logged(table, column) {
                Known::Nothing => file.times(table, tables, source).await,
                known => Ok(vec![known]),
            }
            .map_err(|cause| (file.display(table), cause))
        })
        .buffered(CONCURRENT_FILES);
    let mut least = None;
    while let Some(known) = known.next().await {
        let known = match known {
            Ok(known) => known,
            Err((_, cause)) if is_gone(&cause) => return Ok(SourceChanges::Unknown),
            Err((file, cause)) => {
                return Err(Error::Unreachable {
                    location: file,
                    cause,
                });
            }
        };
        for known in known {
            match known {
                Known::Times(piece) => least = least.into_iter().chain([piece.low]).min(),
                Known::NoTimes => {}
                Known::Nothing => return Ok(SourceChanges::Unknown),
            }
        }
    }
    Ok(least.map_or(SourceChanges::Nothing, SourceChanges::Since))
}

/// Whether the file was removed, and vacuumed.
fn is_gone(cause: &BoxError) -> bool {
    matches!(
        cause.downcast_ref::<object_store::Error>(),
        Some(object_store::Error::NotFound { .. })
    )
}
