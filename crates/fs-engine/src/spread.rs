//! [`Spread`]: where in time the rows of a source lie, without reading them.

use std::sync::Arc;

use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use fs_core::{Catalog, EventTime, FeatureView, FileFormat, Source, SourceKind, TimeRange};
use futures::{StreamExt, TryStreamExt, stream};

use crate::delta_file::DeltaFile;
use crate::delta_table::failure;
use crate::event_times::{Known, column_in_files, of_footer};
use crate::files::Files;
use crate::source_state::explained;
use crate::tables::Tables;
use crate::{Engine, Error, SourceState};

/// How many footers are read at once.
const CONCURRENT_FOOTERS: usize = 16;

/// Where in time the rows of a source lie, as the statistics of its files say.
///
/// ```text
///   file, row group     event times             rows
///   a.parquet 0         10:00:00 .. 10:59:59    131072
///   a.parquet 1         11:00:00 .. 11:59:59    131072
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    /// Row groups or files that may have a row in the range, in the order of the source.
    pub pieces: Vec<Piece>,
}

/// Rows that are read together: a row group, or a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// At or before the least event time.
    pub low: EventTime,
    /// At or after the greatest event time.
    pub high: EventTime,
    /// How many rows it has.
    pub rows: u64,
}

impl Spread {
    /// How many rows all pieces have. More than the range has, where a piece reaches out of it.
    pub fn rows(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.rows).sum()
    }

    /// About how many rows lie in `range`, were those of each piece evenly spread.
    pub fn rows_in(&self, range: &TimeRange) -> u64 {
        self.pieces.iter().map(|piece| piece.rows_in(range)).sum()
    }
}

impl Piece {
    /// Whether a row of it may lie in `range`.
    pub fn overlaps(&self, range: &TimeRange) -> bool {
        self.low < range.end() && range.start().is_none_or(|start| start <= self.high)
    }

    fn rows_in(&self, range: &TimeRange) -> u64 {
        let micros = |time: EventTime| i128::from(time.as_micros());
        let (low, past) = (micros(self.low), micros(self.high) + 1);
        let start = range.start().map_or(low, micros);
        let inside = micros(range.end()).min(past) - start.max(low);
        let width = (past - low).max(1);
        let rows = i128::from(self.rows) * inside.clamp(0, width) / width;
        u64::try_from(rows).unwrap_or(self.rows)
    }
}

impl Engine {
    /// Where in time the rows of `range` lie; `None` where that cannot be known without reading them:
    /// CSV, JSON and SQL sources, views with a `query:`, files without statistics of the event time.
    ///
    /// Rows without an event time are in no piece. Reads the footers of Parquet files and the log of a
    /// Delta table.
    pub async fn spread(
        &self,
        catalog: &Catalog,
        view: &FeatureView,
        range: &TimeRange,
        state: &SourceState,
    ) -> Result<Option<Spread>, Error> {
        let tables = self.pinned(catalog, state);
        let source = tables.source(&view.source)?;
        if view.query.is_some() {
            return Ok(None);
        }
        let known = match &source.kind {
            SourceKind::Files {
                file_format: FileFormat::Parquet,
                path,
            } => {
                let files = tables.parquet_files(source, path).await?;
                let known = of_parquet(&tables, source, &files).await;
                explained(&tables, known).await?
            }
            SourceKind::Delta { path } => {
                let known = of_delta(&tables, source, path).await;
                explained(&tables, known).await?
            }
            SourceKind::Files { .. } | SourceKind::Sql { .. } => return Ok(None),
        };
        let mut pieces = Vec::with_capacity(known.len());
        for known in known {
            match known {
                Known::Times(piece) if piece.overlaps(range) => pieces.push(piece),
                Known::Times(_) | Known::NoTimes => {}
                Known::Nothing => return Ok(None),
            }
        }
        Ok(Some(Spread { pieces }))
    }
}

async fn of_parquet(tables: &Tables, source: &Source, files: &Files) -> Result<Vec<Known>, Error> {
    let column = column_in_files(source);
    let cache = tables
        .shared
        .runtime
        .cache_manager
        .get_file_metadata_cache();
    let groups: Vec<Vec<Known>> = stream::iter(files.list.clone())
        .map(|file| {
            let cache = Arc::clone(&cache);
            async move {
                let footer = DFParquetMetadata::new(files.store.as_ref(), &file)
                    .with_file_metadata_cache(Some(cache))
                    .fetch_metadata()
                    .await;
                let footer = footer.map_err(|cause| unreadable(files.display(&file), cause))?;
                of_footer(column, &footer).map_err(|cause| unreadable(files.display(&file), cause))
            }
        })
        .buffered(CONCURRENT_FOOTERS)
        .try_collect()
        .await?;
    Ok(groups.into_iter().flatten().collect())
}

async fn of_delta(tables: &Tables, source: &Source, path: &str) -> Result<Vec<Known>, Error> {
    let column = column_in_files(source);
    let table = tables.delta(source, path).await?;
    let table = &table;
    let files = DeltaFile::all(table).await;
    let finder = tables.finder(source, path);
    let files = files.map_err(|cause| failure(&finder, table.table_url(), cause))?;
    let groups: Vec<Vec<Known>> = stream::iter(files)
        .map(|file| async move {
            match file.logged(table, column) {
                Known::Nothing => {
                    let known = file.footer(table, column).await;
                    known.map_err(|cause| unreadable(file.display(table), cause))
                }
                known => Ok(vec![known]),
            }
        })
        .buffered(CONCURRENT_FOOTERS)
        .try_collect()
        .await?;
    Ok(groups.into_iter().flatten().collect())
}

fn unreadable(file: String, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Unreadable {
        file,
        format: "Parquet",
        cause: cause.into(),
    }
}
