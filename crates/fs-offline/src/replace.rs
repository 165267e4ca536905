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
//! but a push that comes first does not matter, since it leaves every file of the window as it is, nor
//! does a compaction of other files. Who was taken over from gets [`Error::Fenced`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use deltalake::kernel::{Action, Transaction};
use deltalake::protocol::{DeltaOperation, SaveMode};
use fs_core::{EVENT_TIMESTAMP, EventTime, TimeRange};
use serde_json::Value;

use crate::commit::Commit;
use crate::evolution::{evolve, forget_keys};
use crate::fence::ensure_not_fenced;
use crate::landing::Prepared;
use crate::rewrite::BY_TIME;
use crate::sequence::first_of_ingest;

use crate::stamp::Stamp;
use crate::store::{INGEST_APP, WATERMARK_APP};
use crate::table::Table;
use crate::{Error, OfflineStore, TableSchema, rewrite, stale};

mod replacement;

pub use replacement::{Replacement, RunProgress};
pub(crate) use replacement::{notes, run_app};

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
    /// Replaces the rows of a window by others, in one commit; creates or widens the table first.
    ///
    /// An empty stream empties the window. Where the table has seen a greater fence than the
    /// replacement shows, nothing is committed: [`Error::Fenced`].
    pub async fn replace_window(
        &self,
        schema: &TableSchema,
        replacement: Replacement,
    ) -> Result<Ingested, Error> {
        let Replacement {
            window,
            rows,
            watermark,
            fence,
            source_version,
            progress,
        } = replacement;
        let table = Table::open(self, schema.folder(), None).await?;
        ensure_not_fenced(schema.view(), table.as_ref(), fence).await?;
        let evolution = evolve(schema, table.as_ref()).await?;
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
            None => Table::log_store(&self.root().join(schema.folder()))?,
        };
        let stale = self
            .stale_files(schema.view(), table.as_ref(), &window)
            .await?;
        let count = Arc::new(AtomicU64::new(0));
        let stamp = Stamp {
            view: schema.view().clone(),
            window: Some(window),
            columns: Arc::clone(&evolution.columns),
            first: first_of_ingest(ingest),
            rows: Arc::clone(&count),
        };
        let plan = stale::kept(&log, &evolution.columns, &stale, &window).and_then(|mut parts| {
            parts.push(rewrite::stamped(stamp, rows, self.options())?);
            rewrite::sorted(parts, &BY_TIME)
        });
        let added = self.write_rows_of(schema.view(), &log, plan).await?;
        let mut transactions = notes(fence, source_version, progress.as_ref());
        transactions.push(Transaction::new(INGEST_APP, ingest));
        if let Some(watermark) = watermark {
            transactions.push(Transaction::new(WATERMARK_APP, watermark.as_micros()));
        }
        let mut actions = evolution.actions;
        if progress.is_some() {
            forget_keys(table.as_ref(), &mut actions)?;
        }
        actions.extend(stale.into_iter().map(|file| file.remove));
        actions.extend(added.into_iter().map(Action::Add));
        let commit = Commit {
            table: schema.view().to_string(),
            actions,
            transactions,
            note: (WINDOW, window_entry(&window)),
            operation: DeltaOperation::Write {
                mode: SaveMode::Overwrite,
                partition_by: None,
                predicate: Some(predicate(&window)),
            },
        };
        let prepared = Prepared {
            schema,
            table,
            log,
            commit,
            fence,
        };
        let version = self.land(prepared).await?;
        Ok(Ingested {
            version,
            ingest,
            rows: count.load(Ordering::Relaxed),
            watermark,
        })
    }
}

pub(crate) fn window_entry(window: &TimeRange) -> Value {
    let start = window.start().map(EventTime::as_micros);
    serde_json::json!({ "start": start, "end": window.end().as_micros() })
}

pub(crate) fn predicate(window: &TimeRange) -> String {
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

#[cfg(test)]
mod tests;
