//! How pushed rows get into a table: they are added, in one commit, each push once.
//!
//! ```text
//!   the commit        add one file with the rows of all pushes;
//!                     txn fs.pushed = the last _sequence; fs.push = {"first": the first one, "rows": n};
//!                     txn fs.push.<key> = the first _sequence of that push, for each that has a key
//! ```
//!
//! The numbers of pushed rows have bit 31 set (see [`TableSchema`]): they come after
//! the window that was replaced last, and before the next. Windows that are replaced later leave them
//! where they are.
//!
//! A push with a key that the table knows adds nothing. It knows a key for a day: the transaction of a
//! key says when it was made, and `delta.setTransactionRetentionDuration` of the table lets Delta forget it
//! then, readers at once and the log with the next checkpoint. `fs.ingest`, `fs.watermark` and
//! `fs.pushed` say no time, and stay.
//!
//! When somebody else commits first, all is done again on top of that.

mod numbered;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arrow::array::RecordBatch;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use deltalake::kernel::{Action, Add};
use deltalake::logstore::LogStoreRef;
use deltalake::protocol::{DeltaOperation, SaveMode};
use fs_core::EventTime;
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::commit::{Commit, Refused, discard};
use crate::evolution::{Evolution, evolve, forget_keys};
use crate::rewrite::BY_TIME;
use crate::stamp::Stamp;
use crate::table::Table;
use crate::{Error, OfflineStore, TableSchema, rewrite};
use numbered::Numbered;

/// The entry of the commit information that holds the numbers of the pushed rows.
pub(crate) const PUSH: &str = "fs.push";

/// How often rows are added again because somebody else committed first.
const ATTEMPTS: usize = 50;

/// Rows that are added together.
#[derive(Debug, Clone)]
pub struct Push {
    /// The columns of the schema but `_sequence`, in any order; columns that may be null may be
    /// missing. Their order is the order in which they count as committed.
    pub rows: RecordBatch,
    /// What tells this push from others; without one, it is added however often it comes.
    pub key: Option<PushKey>,
}

/// What tells a push from others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushKey {
    /// Any text.
    pub key: String,
    /// When it is used, so that it can be forgotten a day later; `None`: never.
    pub used: Option<EventTime>,
}

/// Where the rows of a push are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// A version of the table that has them.
    pub version: i64,
    /// The `_sequence` of the first row; the others follow one by one.
    pub first_sequence: i64,
    /// Whether an earlier push with this key had added rows, so that nothing was added now.
    pub repeated: bool,
}

impl OfflineStore {
    /// Adds the rows of `pushes` in one commit; creates or widens the table first. One answer for each.
    ///
    /// ```text
    ///   key      the table knows        then
    ///   none                            the rows are added
    ///   "a"      nothing of "a"         the rows are added
    ///   "a"      "a"                    nothing is added: `repeated`, with the numbers of the first time
    /// ```
    /// A key that two of the pushes have counts for the first of them.
    pub async fn append(
        &self,
        schema: &TableSchema,
        pushes: &[Push],
    ) -> Result<Vec<Appended>, Error> {
        for _ in 0..ATTEMPTS {
            let table = Table::open(self, schema.folder(), None).await?;
            let log = match &table {
                Some(table) => Arc::clone(&table.log),
                None => Table::log_store(&self.root().join(schema.folder()))?,
            };
            let evolution = evolve(schema, table.as_ref()).await?;
            let plan = Numbered::of(pushes, table.as_ref()).await?;
            if plan.rows == 0 {
                let version = table.map_or(0, |table| table.version());
                return Ok(plan.answers(version));
            }
            let added = self.write_pushed(schema, &log, &evolution, &plan).await?;
            let mut actions = evolution.actions;
            forget_keys(table.as_ref(), &mut actions)?;
            actions.extend(added.iter().cloned().map(Action::Add));
            let commit = Commit {
                table: schema.view().to_string(),
                actions,
                transactions: plan.transactions(),
                note: (PUSH, json!({ "first": plan.first, "rows": plan.rows })),
                operation: DeltaOperation::Write {
                    mode: SaveMode::Append,
                    partition_by: None,
                    predicate: None,
                },
            };
            match commit.run(table.as_ref(), &log).await {
                Ok(version) => return Ok(plan.answers(version)),
                Err(Refused::Failed(error)) => return Err(error),
                Err(Refused::Conflict) => discard(&log, &added).await,
            }
        }
        Err(Error::Conflict {
            view: schema.view().clone(),
        })
    }

    async fn write_pushed(
        &self,
        schema: &TableSchema,
        log: &LogStoreRef,
        evolution: &Evolution,
        plan: &Numbered,
    ) -> Result<Vec<Add>, Error> {
        let stamp = Stamp {
            view: schema.view().clone(),
            window: None,
            columns: Arc::clone(&evolution.columns),
            first: plan.first,
            rows: Arc::new(AtomicU64::new(0)),
        };
        let columns = plan
            .batches
            .first()
            .map_or_else(|| Arc::clone(schema.columns()), RecordBatch::schema);
        let rows = stream::iter(plan.batches.clone()).map(Ok);
        let rows = RecordBatchStreamAdapter::new(columns, rows);
        let plan = rewrite::stamped(stamp, Box::pin(rows), self.options());
        let plan = plan.and_then(|rows| rewrite::sorted(vec![rows], &BY_TIME));
        self.write_rows_of(schema.view(), log, plan).await
    }
}

/// The first number of the rows that a commit says it pushed.
pub(crate) fn first_pushed(entry: &Value) -> Option<i64> {
    entry.get("first")?.as_i64()
}

#[cfg(test)]
mod tests;
