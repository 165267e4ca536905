//! The `_runs` table: what every materialization did, for people and for SQL.
//!
//! A run is appended in a commit of its own, with a file of its own;
//! [`optimize_runs`](OfflineStore::optimize_runs) puts them together. Columns have been added since the
//! first release, and runs of before lack them: they were first attempts, by a command.

mod newest;
mod rows;

use std::fmt;
use std::str::FromStr;

use deltalake::DeltaTableError;
use deltalake::operations::write::SchemaMode;
use deltalake::protocol::SaveMode;
use fs_core::{EventTime, Fence, ViewName};
use serde::{Deserialize, Serialize};

use crate::table::Table;
use crate::{Error, OfflineStore};

/// The folder of the table; no view can have this name.
pub const RUNS: &str = "_runs";

/// The column with the instant when a run started.
pub(crate) const STARTED: &str = "started";

/// The columns that the log has statistics of when files are put together.
pub(crate) const STATISTICS: [&str; 3] = ["id", "view", STARTED];

/// How often an append is tried again when other runs commit at the same time.
const ATTEMPTS: usize = 20;

/// What one run did for one view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Unique.
    pub id: String,
    /// The view.
    pub view: ViewName,
    /// How the range was chosen.
    pub kind: RunKind,
    /// Inclusive start of the event times read; from the beginning if absent.
    pub range_start: Option<EventTime>,
    /// Exclusive end of the event times read.
    pub range_end: EventTime,
    /// When the run started.
    pub started: EventTime,
    /// When it was over.
    pub finished: EventTime,
    /// Rows read from the source.
    pub rows_read: u64,
    /// Rows committed to the offline table.
    pub rows_written: u64,
    /// Rows that broke an expectation and went to quarantine.
    pub rejected: u64,
    /// Rows that broke an expectation which only warns.
    pub warned: u64,
    /// Rows written to the online store.
    pub published: u64,
    /// Rows deleted from the online store.
    pub deleted: u64,
    /// The version of the offline table before; `None` if there was no table.
    pub version_before: Option<i64>,
    /// The version of the offline table afterwards.
    pub table_version: Option<i64>,
    /// In how many commits the window was replaced.
    pub chunks: u64,
    /// What the run showed to prove that it held the view.
    pub fence: Option<Fence>,
    /// Why it ran.
    pub trigger: RunTrigger,
    /// Which try of the same work it was, from 1.
    pub attempt: u32,
    /// How it ended.
    pub status: RunStatus,
    /// Why it failed, or what else is worth knowing.
    pub message: Option<String>,
}

/// How the range of a run was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// By whoever asked for it.
    Materialize,
    /// By the watermark.
    Incremental,
    /// By the features that were added to the view since the rows were written.
    Backfill,
}

/// Why a run ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunTrigger {
    /// Somebody gave a command.
    #[default]
    Command,
    /// A client asked a server.
    Request,
    /// The schedule of the view.
    Schedule,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// It did what it was asked to.
    Ok,
    /// It failed; the message says why.
    Failed,
    /// It was stopped because somebody asked for it; what it had committed stays.
    Cancelled,
    /// Its process died; recorded by who took over.
    Lost,
}

macro_rules! words {
    ($type:ident: $($variant:ident = $word:literal),*) => {
        impl $type {
            /// The word that the table holds.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = String;
            fn from_str(word: &str) -> Result<Self, String> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    other => Err(format!("`{other}` is no word of this table")),
                }
            }
        }
    };
}

words!(RunKind: Materialize = "materialize", Incremental = "incremental", Backfill = "backfill");
words!(RunTrigger: Command = "command", Request = "request", Schedule = "schedule");
words!(RunStatus: Ok = "ok", Failed = "failed", Cancelled = "cancelled", Lost = "lost");

impl OfflineStore {
    /// Records a run. Runs that end at the same time are all recorded.
    pub async fn append_run(&self, run: &RunRecord) -> Result<(), Error> {
        let location = self.root().join(RUNS);
        let failed = |source| Table::failed("append to", &location, source);
        let batch = rows::to_batch(run).map_err(|source| failed(source.into()))?;
        let mut attempt = 1;
        loop {
            let log = Table::log_store(&location)?;
            let mut table = deltalake::DeltaTable::new(log);
            if table.verify_deltatable_existence().await.map_err(failed)? {
                table.load().await.map_err(failed)?;
            }
            // A table of before has fewer columns.
            let write = table
                .write(vec![batch.clone()])
                .with_save_mode(SaveMode::Append)
                .with_schema_mode(SchemaMode::Merge);
            match write.await {
                Ok(_) => return Ok(()),
                // Mostly two runs that create the table at once; the loser appends.
                Err(
                    DeltaTableError::Transaction { .. } | DeltaTableError::VersionAlreadyExists(_),
                ) if attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(failed(error)),
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
