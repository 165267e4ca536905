//! The `_runs` table: what every materialization did, for people and for SQL.

mod rows;

use std::fmt;
use std::str::FromStr;

use deltalake::DeltaTableError;
use deltalake::protocol::SaveMode;
use fs_core::{EventTime, Fence, ViewName};
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};

use crate::plans;
use crate::table::Table;
use crate::{Error, OfflineStore};

/// The folder of the table; no view can have this name.
pub const RUNS: &str = "_runs";

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
            let write = table
                .write(vec![batch.clone()])
                .with_save_mode(SaveMode::Append);
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

    /// The newest runs, newest first: at most `limit`, of one view if given.
    pub async fn list_runs(
        &self,
        view: Option<&ViewName>,
        limit: usize,
    ) -> Result<Vec<RunRecord>, Error> {
        let mut runs = self.all_runs().await?;
        runs.retain(|run| view.is_none_or(|view| run.view == *view));
        runs.sort_by(|a, b| (b.started, &b.id).cmp(&(a.started, &a.id)));
        runs.truncate(limit);
        Ok(runs)
    }

    /// The run called `id`.
    pub async fn show_run(&self, id: &str) -> Result<RunRecord, Error> {
        let runs = self.all_runs().await?;
        runs.into_iter()
            .find(|run| run.id == id)
            .ok_or_else(|| Error::NoSuchRun { id: id.to_owned() })
    }

    async fn all_runs(&self) -> Result<Vec<RunRecord>, Error> {
        let Some(table) = Table::open(self, RUNS, None).await? else {
            return Ok(Vec::new());
        };
        let read = |source| Error::Read {
            table: RUNS.to_owned(),
            source: Box::new(source),
        };
        let context = plans::context(self, &table.log);
        let files = table.files()?;
        let plan = plans::files(&table.log, &rows::schema(), &files, None, &[]).map_err(read)?;
        let batches: Vec<_> = plans::stream(plan, &context)
            .map_err(read)?
            .try_collect()
            .await
            .map_err(read)?;
        let mut runs = Vec::new();
        for batch in &batches {
            runs.extend(
                rows::from_batch(batch).map_err(|problem| {
                    read(datafusion::error::DataFusionError::Execution(problem))
                })?,
            );
        }
        Ok(runs)
    }
}

#[cfg(test)]
mod tests;
