//! How features that were added later get into rows that are already there.
//!
//! ```text
//!   the table                                        rows of the source
//!   user  event  created  clicks  score  _sequence   user  event  created  score
//!   7     10:00  10:05    3       null   5           7     10:00  10:05    0.5
//!   7     10:01  null     4       null   6           8     10:00  null     0.9     no such row
//!   9     10:02  null     5       null   pushed      9     10:02  null     0.7     was pushed
//!
//!   afterwards
//!   7     10:00  10:05    3       0.5    5
//!   7     10:01  null     4       null   6
//!   9     10:02  null     5       null   pushed
//! ```
//!
//! A row of the table and one of the source belong together when their keys, event times and created
//! times are equal, nulls included. Where several are, the first goes with the first, in the order of
//! `_sequence` and of the stream, and so on. Only the named columns change; no row comes or goes, and
//! every row keeps its `_sequence`. Rows that were pushed stay as they are: a source does not know of
//! them.
//!
//! The commit says `fs.backfill` with the window, so that [`changes`](crate::changes) tells publishers
//! which rows are not newer and yet not the same.

mod lacking;
mod merge;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlan;
use deltalake::kernel::Action;
use deltalake::protocol::{DeltaOperation, SaveMode};
use fs_core::{CREATED_TIMESTAMP, EVENT_TIMESTAMP, Fence, SEQUENCE, TimeRange};

use crate::commit::Commit;
use crate::data_file::DataFile;
use crate::evolution::{evolve, forget_keys};
use crate::fence::ensure_not_fenced;
use crate::landing::Prepared;
use crate::plans::Condition;
use crate::replace::{notes, predicate, window_entry};
use crate::rewrite::{BY_TIME, STATISTICS, reading};
use crate::stamp::Stamp;
use crate::table::Table;
use crate::{Error, OfflineStore, RunProgress, TableSchema, once, plans, rewrite, stale};
pub use lacking::Lacking;
use merge::Merge;

/// The entry of the commit information that holds the window.
pub(crate) const BACKFILL: &str = "fs.backfill";

/// The rows of the table, those of the source, and both together are sorted at once.
const SORTS: usize = 3;

/// Values for columns of rows that are already there.
pub struct Backfill {
    /// The event times whose rows get values.
    pub window: TimeRange,
    /// The columns that get values; features of the schema.
    pub features: Vec<String>,
    /// The join keys, the times, and these features; of a created time that is missing, all are null.
    pub rows: SendableRecordBatchStream,
    /// What the writer shows to prove that nobody has taken over from it.
    pub fence: Option<Fence>,
    /// How far a run of several windows has come with this one.
    pub progress: Option<RunProgress>,
}

/// What a backfill did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backfilled {
    /// The version of the table that has the values.
    pub version: i64,
    /// Rows of the window that could have got values: those that were not pushed.
    pub rows: u64,
    /// Rows that got values.
    pub matched: u64,
}

impl fmt::Debug for Backfill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Backfill")
            .field("window", &self.window)
            .field("features", &self.features)
            .field("fence", &self.fence)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

impl OfflineStore {
    /// Gives rows of a window values for some columns, in one commit; widens the table first.
    ///
    /// Doing it twice leaves what doing it once leaves. A table that was never written is
    /// [`Error::NotMaterialized`].
    pub async fn backfill_window(
        &self,
        schema: &TableSchema,
        backfill: Backfill,
    ) -> Result<Backfilled, Error> {
        let view = schema.view();
        let window = backfill.window;
        let table = self.open_for_reading(schema, None).await?;
        ensure_not_fenced(view, Some(&table), backfill.fence).await?;
        let evolution = evolve(schema, Some(&table)).await?;
        let stale = self.stale_files(view, Some(&table), &window).await?;
        let columns = Columns::of(schema, &evolution.columns, &backfill.features)?;
        let files: Vec<DataFile> = stale.iter().map(|stale| stale.file.clone()).collect();
        let counts = Counts::default();
        let plan = self.filled(&table, &columns, &files, backfill.rows, window, &counts);
        let plan = plan.and_then(|filled| {
            let mut parts = stale::kept(&table.log, &columns.of_table, &stale, &window)?;
            parts.push(filled);
            rewrite::sorted(parts, &BY_TIME)
        });
        let added = self.write_rows_with(view, &table.log, plan, &STATISTICS, SORTS);
        let added = added.await?;
        let mut actions = evolution.actions;
        if backfill.progress.is_some() {
            forget_keys(Some(&table), &mut actions)?;
        }
        actions.extend(stale.into_iter().map(|file| file.remove));
        actions.extend(added.into_iter().map(Action::Add));
        let prepared = Prepared {
            schema,
            log: Arc::clone(&table.log),
            table: Some(table),
            commit: Commit {
                table: view.to_string(),
                actions,
                transactions: notes(backfill.fence, None, backfill.progress.as_ref()),
                note: (BACKFILL, window_entry(&window)),
                operation: DeltaOperation::Write {
                    mode: SaveMode::Overwrite,
                    partition_by: None,
                    predicate: Some(predicate(&window)),
                },
            },
            fence: backfill.fence,
        };
        let version = self.land(prepared).await?;
        Ok(Backfilled {
            version,
            rows: counts.rows.load(Ordering::Relaxed),
            matched: counts.matched.load(Ordering::Relaxed),
        })
    }

    /// A plan of the rows of `files` that lie in the window and were not pushed, with values from
    /// `rows`.
    fn filled(
        &self,
        table: &Table,
        columns: &Columns,
        files: &[DataFile],
        rows: SendableRecordBatchStream,
        window: TimeRange,
        counts: &Counts,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        let mut by: Vec<&str> = columns.keys.iter().map(String::as_str).collect();
        by.extend([EVENT_TIMESTAMP, CREATED_TIMESTAMP, SEQUENCE]);
        let inside = [Condition::Inside(window), Condition::Pushed(false)];
        let stored = plans::files(&table.log, &columns.of_table, files, None, &inside)?;
        let stored = rewrite::sorted(vec![stored], &by)?;
        let given = rewrite::stamped(
            Stamp {
                view: columns.view.clone(),
                window: Some(window),
                columns: Arc::clone(&columns.of_rows),
                first: 0,
                rows: Arc::new(AtomicU64::new(0)),
            },
            rows,
            self.options(),
        )?;
        let given = rewrite::sorted(vec![given], &by)?;
        let context = || plans::sorting(self, &table.log, &columns.of_table, SORTS);
        let merge = Merge::new(
            plans::stream(stored, &context()?)?,
            plans::stream(given, &context()?)?,
            &by[..by.len() - 1],
            &columns.features,
            counts.clone(),
        )?;
        once::plan(merge.stream())
    }
}

/// What a backfill has counted so far.
#[derive(Debug, Clone, Default)]
struct Counts {
    rows: Arc<AtomicU64>,
    matched: Arc<AtomicU64>,
}

/// The columns that take part.
struct Columns {
    view: fs_core::ViewName,
    keys: Vec<String>,
    features: Vec<String>,
    /// Those of the table, new ones included.
    of_table: SchemaRef,
    /// Those of the rows of the source, numbered.
    of_rows: SchemaRef,
}

impl Columns {
    fn of(schema: &TableSchema, of_table: &SchemaRef, features: &[String]) -> Result<Self, Error> {
        let view = schema.view();
        if let Some(unknown) = features.iter().find(|feature| {
            !schema
                .feature_names()
                .any(|known| known == feature.as_str())
        }) {
            return Err(Error::Misfit {
                view: view.clone(),
                problem: format!("there is no feature `{unknown}`"),
            });
        }
        let keys: Vec<String> = schema.key_names().map(str::to_owned).collect();
        let times = [EVENT_TIMESTAMP, CREATED_TIMESTAMP].map(str::to_owned);
        let names = keys.iter().chain(&times).chain(features);
        let fields: Result<Vec<Field>, _> = names
            .map(String::as_str)
            .chain([SEQUENCE])
            .map(|name| of_table.field_with_name(name).cloned())
            .collect();
        let fields = fields.map_err(|error| reading(view, error.into()))?;
        Ok(Self {
            view: view.clone(),
            keys,
            features: features.to_vec(),
            of_table: Arc::clone(of_table),
            of_rows: Arc::new(Schema::new(fields)),
        })
    }
}

#[cfg(test)]
mod tests;
