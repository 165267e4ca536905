//! How rows of sources get into a table: a window of event time is replaced, in one commit.
//!
//! ```text
//!   files before      │   A    │ B         │   C    │          window [start, end)
//!                     ├────────┼─────┼─────┼────────┤
//!                                 start        end
//!   files after       │   A    │b│ new rows  │c│               b, c: the rows of B and C outside
//!
//!   the commit        remove B, C; add the new files; txn fs.ingest = n + 1; txn fs.watermark = w;
//!                     (new columns, if the definition has any); fs.window = [start, end)
//! ```
//!
//! The rows of B and C outside of the window are written again as they are, `_sequence` included. A
//! is not touched. `replaceWhere` of the Delta library would do similarly, but it sorts nothing and
//! tells nobody what the window was, which [`changes`](crate::changes) needs to tell kept rows from
//! new ones.
//!
//! Rows that were [pushed](crate::append) stay, wherever they are: a source does not know of them.
//!
//! A table is created by its first commit. When anything fails before the commit, the table is as it
//! was; data files that were already written are unreferenced, and a vacuum removes them. When two
//! writers meet, the first commits, and the other gets [`Error::Conflict`] and has changed nothing;
//! but a push that comes first does not matter, since it leaves every file of the window as it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use deltalake::kernel::{Action, Add, Transaction};
use deltalake::logstore::LogStoreRef;
use deltalake::protocol::{DeltaOperation, SaveMode};
use fs_core::{EVENT_TIMESTAMP, EventTime, Fence, TimeRange};
use serde_json::Value;

use crate::commit::{Commit, Refused, discard};
use crate::data_file::{DataFile, Overlap, PushedRows};
use crate::evolution::{Evolution, evolve, forget_keys};
use crate::fence::ensure_not_fenced;
use crate::log_entry::LogEntry;
use crate::plans::Condition;
use crate::rewrite::WriteError;
use crate::sequence::first_of_ingest;
use crate::stamp::Stamp;
use crate::store::{INGEST_APP, WATERMARK_APP};
use crate::table::Table;
use crate::{Error, OfflineStore, TableSchema, plans, rewrite};

mod replacement;

pub(crate) use replacement::run_app;
pub use replacement::{Replacement, RunProgress};

/// The entry of the commit information that holds the window.
pub(crate) const WINDOW: &str = "fs.window";

/// How often a window is committed again because rows were pushed meanwhile.
const ATTEMPTS: usize = 100;

/// Files of pushed rows are small below this part of the size that files should have.
const SMALL_FILES: u64 = 4;

/// What a replaced window did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ingested {
    /// The version of the table that holds the rows.
    pub version: i64,
    /// The number of the ingest.
    pub ingest: i64,
    /// Rows of the window now.
    pub rows: u64,
    /// How far the table has come now.
    pub watermark: Option<EventTime>,
}

impl OfflineStore {
    /// Replaces the rows of a window by others, in one commit; creates or widens the table first.
    ///
    /// An empty stream empties the window. Where the table has seen a greater fence than the
    /// replacement shows, nothing is committed: [`Error::Fenced`].
    pub async fn replace_window(
        &self,
        schema: &TableSchema,
        replacement: Replacement,
    ) -> Result<Ingested, Error> {
        let mut transactions = replacement.notes();
        let has_progress = replacement.progress.is_some();
        let Replacement {
            window,
            rows,
            watermark,
            fence,
            ..
        } = replacement;
        let table = Table::open(self, schema.view().as_str(), None).await?;
        ensure_not_fenced(schema.view(), table.as_ref(), fence).await?;
        let evolution = evolve(schema, table.as_ref())?;
        let ingest = match &table {
            Some(table) => table.ingest().await? + 1,
            None => 1,
        };
        let watermark = match &table {
            Some(table) => table.watermark().await?.max(watermark),
            None => watermark,
        };
        let log = match &table {
            Some(table) => Arc::clone(&table.log),
            None => Table::log_store(&self.root().join(schema.view().as_str()))?,
        };
        let stale = self.stale_files(schema, table.as_ref(), &window).await?;
        let count = Arc::new(AtomicU64::new(0));
        let stamp = Stamp {
            view: schema.view().clone(),
            window: Some(window),
            columns: Arc::clone(&evolution.columns),
            first: first_of_ingest(ingest),
            rows: Arc::clone(&count),
        };
        let added = self
            .write_files(&log, &evolution, stamp, rows, &stale, &window)
            .await?;
        transactions.push(Transaction::new(INGEST_APP, ingest));
        if let Some(watermark) = watermark {
            transactions.push(Transaction::new(WATERMARK_APP, watermark.as_micros()));
        }
        let mut actions = evolution.actions;
        if has_progress {
            forget_keys(table.as_ref(), &mut actions)?;
        }
        actions.extend(stale.into_iter().map(|file| file.remove));
        actions.extend(added.iter().cloned().map(Action::Add));
        let commit = Commit {
            view: schema.view(),
            actions,
            transactions,
            note: (WINDOW, window_entry(&window)),
            operation: DeltaOperation::Write {
                mode: SaveMode::Overwrite,
                partition_by: None,
                predicate: Some(predicate(&window)),
            },
        };
        let version = self
            .commit_window(schema, table, &log, commit, fence, &added)
            .await?;
        Ok(Ingested {
            version,
            ingest,
            rows: count.load(Ordering::Relaxed),
            watermark,
        })
    }

    /// Commits, after those who have only pushed rows meanwhile: the files of the window hold for
    /// their versions as well. Gives way to anybody else.
    async fn commit_window(
        &self,
        schema: &TableSchema,
        mut table: Option<Table>,
        log: &LogStoreRef,
        commit: Commit<'_>,
        fence: Option<Fence>,
        added: &[Add],
    ) -> Result<i64, Error> {
        for _ in 0..ATTEMPTS {
            match commit.run(table.as_ref(), log).await {
                Ok(version) => return Ok(version),
                Err(Refused::Failed(error)) => return Err(error),
                Err(Refused::Conflict) => {}
            }
            match self.after_pushes(schema, table.as_ref(), fence).await {
                Ok(Some(newer)) => table = Some(newer),
                Ok(None) => break,
                Err(error) => {
                    discard(log, added).await;
                    return Err(error);
                }
            }
        }
        discard(log, added).await;
        Err(Error::Conflict {
            view: schema.view().clone(),
        })
    }

    /// The newest version of the table, if since `table` rows were pushed and nothing else happened.
    async fn after_pushes(
        &self,
        schema: &TableSchema,
        table: Option<&Table>,
        fence: Option<Fence>,
    ) -> Result<Option<Table>, Error> {
        let newer = Table::open(self, schema.view().as_str(), None).await?;
        ensure_not_fenced(schema.view(), newer.as_ref(), fence).await?;
        let Some(table) = table else {
            return Ok(None);
        };
        let same = |newer: &Table| newer.snapshot.metadata().id() == table.snapshot.metadata().id();
        let Some(newer) = newer.filter(same) else {
            return Ok(None);
        };
        for version in table.version() + 1..=newer.version() {
            let entry = LogEntry::read(schema, &newer, version).await?;
            if !entry.leaves_windows_alone() {
                return Ok(None);
            }
        }
        Ok(Some(newer))
    }

    async fn write_files(
        &self,
        log: &LogStoreRef,
        evolution: &Evolution,
        stamp: Stamp,
        rows: SendableRecordBatchStream,
        stale: &[Stale],
        window: &TimeRange,
    ) -> Result<Vec<Add>, Error> {
        let view = stamp.view.clone();
        let read = |error| {
            our_error(error).unwrap_or_else(|error| Error::Read {
                table: view.to_string(),
                source: Box::new(error),
            })
        };
        let keeping = |keeps: Keeps| {
            let some = stale.iter().filter(move |file| file.keeps == keeps);
            some.map(|file| file.file.clone()).collect::<Vec<_>>()
        };
        let mut kept = Vec::new();
        for (files, condition) in [
            (keeping(Keeps::Outside), Condition::Outside(*window)),
            (keeping(Keeps::Pushed), Condition::Kept(*window)),
        ] {
            if !files.is_empty() {
                let plan = plans::files(log, &evolution.columns, &files, None, &[condition]);
                kept.push(plan.map_err(read)?);
            }
        }
        let context = plans::context(self, log);
        let plan = rewrite::sorted(stamp, rows, kept).map_err(read)?;
        let columns = Arc::clone(&evolution.columns);
        rewrite::write(log, columns, self.options(), plan, &context)
            .await
            .map_err(|error| match error {
                WriteError::Rows(error) => read(error),
                WriteError::Files(source) => Error::Delta {
                    operation: "write files of",
                    table: view.to_string(),
                    source: Box::new(source),
                },
            })
    }

    /// The files with rows that go with `window`, and small files of pushed rows, which are put
    /// together on the way.
    async fn stale_files(
        &self,
        schema: &TableSchema,
        table: Option<&Table>,
        window: &TimeRange,
    ) -> Result<Vec<Stale>, Error> {
        let Some(table) = table else {
            return Ok(Vec::new());
        };
        let has_pushed = table.last_pushed().await?.is_some();
        let small = self.options().target_file_bytes / SMALL_FILES;
        let views = table.snapshot.try_log_data();
        let views = views.map_err(table.error("read the log of"))?;
        let mut stale = Vec::new();
        for view in views.iter() {
            let file = DataFile::of(&view);
            if file.deletion_vector {
                return Err(Error::Foreign {
                    view: schema.view().clone(),
                    feature: "deletion vectors",
                });
            }
            let pushed = if has_pushed {
                file.pushed()
            } else {
                PushedRows::None
            };
            let keeps = match (pushed, file.overlap(window)) {
                (_, Overlap::Outside) => continue,
                (PushedRows::None, Overlap::Inside) => Keeps::Nothing,
                (PushedRows::None, Overlap::Partly) => Keeps::Outside,
                (PushedRows::Perhaps, _) => Keeps::Pushed,
                (PushedRows::All, _) if file.bytes() < small => Keeps::Pushed,
                (PushedRows::All, _) => continue,
            };
            stale.push(Stale {
                file,
                remove: Action::Remove(view.remove_action(true)),
                keeps,
            });
        }
        Ok(stale)
    }
}

/// A file that is replaced.
struct Stale {
    file: DataFile,
    remove: Action,
    keeps: Keeps,
}

/// Which rows of a replaced file are written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeps {
    Nothing,
    /// Those outside of the window.
    Outside,
    /// Those outside of the window, and those that were pushed.
    Pushed,
}

fn window_entry(window: &TimeRange) -> Value {
    let start = window.start().map(EventTime::as_micros);
    serde_json::json!({ "start": start, "end": window.end().as_micros() })
}

fn predicate(window: &TimeRange) -> String {
    let end = window.end();
    match window.start() {
        Some(start) => {
            format!("{EVENT_TIMESTAMP} >= '{start}' AND {EVENT_TIMESTAMP} < '{end}'")
        }
        None => format!("{EVENT_TIMESTAMP} < '{end}'"),
    }
}

/// The window that [`window_entry`] wrote.
pub(crate) fn window_of(entry: &Value) -> Option<TimeRange> {
    let end = EventTime::from_micros(entry.get("end")?.as_i64()?);
    match entry.get("start")? {
        Value::Null => Some(TimeRange::until(end)),
        start => TimeRange::new(EventTime::from_micros(start.as_i64()?), end).ok(),
    }
}

/// The error of this crate that travelled through DataFusion, or what else it is.
pub(crate) fn our_error(error: DataFusionError) -> Result<Error, DataFusionError> {
    match error {
        DataFusionError::External(inner) => match inner.downcast::<Error>() {
            Ok(ours) => Ok(*ours),
            Err(other) => Err(DataFusionError::External(other)),
        },
        DataFusionError::Context(_, inner) => our_error(*inner),
        DataFusionError::Shared(inner) => match Arc::try_unwrap(inner) {
            Ok(inner) => our_error(inner),
            Err(shared) => Err(DataFusionError::Shared(shared)),
        },
        other => Err(other),
    }
}

#[cfg(test)]
mod tests;
