//! The one way rows get into a table: a window of event time is replaced, in one commit.
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
//! A table is created by its first commit. When anything fails before the commit, the table is as it
//! was; data files that were already written are unreferenced, and a vacuum removes them. When two
//! writers meet, the first commits, and the other gets [`Error::Conflict`] and has changed nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use deltalake::DeltaTableError;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties, TableReference};
use deltalake::kernel::{Action, Add, Transaction};
use deltalake::logstore::LogStoreRef;
use deltalake::protocol::{DeltaOperation, SaveMode};
use fs_core::{EVENT_TIMESTAMP, EventTime, TimeRange};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde_json::Value;

use crate::data_file::{DataFile, Overlap};
use crate::evolution::{Evolution, evolve};
use crate::plans::Condition;
use crate::rewrite::WriteError;
use crate::stamp::Stamp;
use crate::store::{INGEST_APP, WATERMARK_APP};
use crate::table::Table;
use crate::{Error, OfflineStore, TableSchema, plans, rewrite};

/// The entry of the commit information that holds the window.
pub(crate) const WINDOW: &str = "fs.window";

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
    /// Replaces the rows of `window` by `rows`, in one commit; creates or widens the table first.
    ///
    /// `rows` has the columns of `schema` but `_sequence`, in any order; columns that may be null
    /// may be missing. Their order in the stream is the order in which they count as committed. An
    /// empty stream empties the window. The watermark becomes the greater of itself and
    /// `watermark`; `None` leaves it.
    pub async fn replace_window(
        &self,
        schema: &TableSchema,
        window: &TimeRange,
        rows: SendableRecordBatchStream,
        watermark: Option<EventTime>,
    ) -> Result<Ingested, Error> {
        let table = Table::open(self, schema.view().as_str(), None).await?;
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
        let stale = stale_files(schema, table.as_ref(), window)?;
        let count = Arc::new(AtomicU64::new(0));
        let stamp = Stamp {
            view: schema.view().clone(),
            window: *window,
            columns: Arc::clone(&evolution.columns),
            ingest,
            rows: Arc::clone(&count),
        };
        let added = self
            .write_files(&log, &evolution, stamp, rows, &stale)
            .await?;
        let commit = Commit {
            schema,
            window,
            ingest,
            watermark,
        };
        let version = commit
            .run(table.as_ref(), log, evolution.actions, &stale, added)
            .await?;
        Ok(Ingested {
            version,
            ingest,
            rows: count.load(Ordering::Relaxed),
            watermark,
        })
    }

    async fn write_files(
        &self,
        log: &LogStoreRef,
        evolution: &Evolution,
        stamp: Stamp,
        rows: SendableRecordBatchStream,
        stale: &[(DataFile, Action)],
    ) -> Result<Vec<Add>, Error> {
        let view = stamp.view.clone();
        let window = stamp.window;
        let partly: Vec<DataFile> = stale
            .iter()
            .map(|(file, _)| file)
            .filter(|file| file.overlap(&window) == Overlap::Partly)
            .cloned()
            .collect();
        let read = |error| {
            our_error(error).unwrap_or_else(|error| Error::Read {
                table: view.to_string(),
                source: Box::new(error),
            })
        };
        let kept = (!partly.is_empty())
            .then(|| {
                let outside = [Condition::Outside(window)];
                plans::files(log, &evolution.columns, &partly, None, &outside)
            })
            .transpose()
            .map_err(read)?;
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
}

/// The files with rows in `window`, and the action that removes each.
fn stale_files(
    schema: &TableSchema,
    table: Option<&Table>,
    window: &TimeRange,
) -> Result<Vec<(DataFile, Action)>, Error> {
    let Some(table) = table else {
        return Ok(Vec::new());
    };
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
        if file.overlap(window) != Overlap::Outside {
            stale.push((file, Action::Remove(view.remove_action(true))));
        }
    }
    Ok(stale)
}

struct Commit<'a> {
    schema: &'a TableSchema,
    window: &'a TimeRange,
    ingest: i64,
    watermark: Option<EventTime>,
}

impl Commit<'_> {
    /// Commits, unless anybody else did since `table` was opened.
    async fn run(
        &self,
        table: Option<&Table>,
        log: LogStoreRef,
        mut actions: Vec<Action>,
        stale: &[(DataFile, Action)],
        added: Vec<Add>,
    ) -> Result<i64, Error> {
        let written: Vec<Path> = added
            .iter()
            .map(|add| Path::from(add.path.as_str()))
            .collect();
        actions.extend(stale.iter().map(|(_, remove)| remove.clone()));
        actions.extend(added.into_iter().map(Action::Add));
        let mut transactions = vec![Transaction::new(INGEST_APP, self.ingest)];
        if let Some(watermark) = self.watermark {
            transactions.push(Transaction::new(WATERMARK_APP, watermark.as_micros()));
        }
        // No retries: the files that were kept and the ingest number are those of this version.
        let properties = CommitProperties::default()
            .with_max_retries(0)
            .with_application_transactions(transactions)
            .with_metadata([(WINDOW.to_owned(), self.window_entry())]);
        let operation = DeltaOperation::Write {
            mode: SaveMode::Overwrite,
            partition_by: None,
            predicate: Some(self.predicate()),
        };
        let snapshot = table.map(|table| &table.snapshot as &dyn TableReference);
        let commit = CommitBuilder::from(properties).with_actions(actions).build(
            snapshot,
            Arc::clone(&log),
            operation,
        );
        let landed = async { commit.into_prepared_commit_future().await?.await }.await;
        let landed = match landed {
            Ok(landed) => landed,
            Err(error) => return Err(self.not_committed(&log, written, error).await),
        };
        let version = landed.version.cast_signed();
        // The rows are in; a checkpoint that fails now is made by a later commit.
        if let Err(error) = landed.await {
            tracing::warn!(view = %self.schema.view(), %error, "no checkpoint was made");
        }
        Ok(version)
    }

    async fn not_committed(
        &self,
        log: &LogStoreRef,
        written: Vec<Path>,
        error: DeltaTableError,
    ) -> Error {
        if !Table::is_conflict(&error) {
            // Whether the commit landed is not known, so its files stay.
            return Error::Delta {
                operation: "commit to",
                table: self.schema.view().to_string(),
                source: Box::new(error),
            };
        }
        let store = log.object_store(None);
        for path in written {
            if let Err(error) = store.delete(&path).await {
                tracing::warn!(%path, %error, "an unused file stays until a vacuum");
            }
        }
        Error::Conflict {
            view: self.schema.view().clone(),
        }
    }

    fn window_entry(&self) -> Value {
        let start = self.window.start().map(EventTime::as_micros);
        serde_json::json!({ "start": start, "end": self.window.end().as_micros() })
    }

    fn predicate(&self) -> String {
        let end = self.window.end();
        match self.window.start() {
            Some(start) => {
                format!("{EVENT_TIMESTAMP} >= '{start}' AND {EVENT_TIMESTAMP} < '{end}'")
            }
            None => format!("{EVENT_TIMESTAMP} < '{end}'"),
        }
    }
}

/// The window that [`Commit::window_entry`] wrote.
pub(crate) fn window_of(entry: &Value) -> Option<TimeRange> {
    let end = EventTime::from_micros(entry.get("end")?.as_i64()?);
    match entry.get("start")? {
        Value::Null => Some(TimeRange::until(end)),
        start => TimeRange::new(EventTime::from_micros(start.as_i64()?), end).ok(),
    }
}

/// The error of this crate that travelled through DataFusion, or what else it is.
fn our_error(error: DataFusionError) -> Result<Error, DataFusionError> {
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
