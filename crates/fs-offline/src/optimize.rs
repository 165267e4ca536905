//! Putting small and overlapping data files together, without changing a row.
//!
//! ```text
//!   event time  ──────────────────────────►
//!   before      ▐A▌▐B▌▐C▌ ▐───── D ─────▌          A, B, C: small; E, F: over each other
//!                              ▐─ E ─▌▐── F ──▌
//!   after       ▐ABC▌     ▐─ DEF ─▌▐── DEF ───▌    sorted by event time, about as large as they should be
//! ```
//!
//! The rows are sorted as all files of the table are, and keep their `_sequence`; the log says of every
//! file that no data changed, so that [`changes`](crate::changes) tells nothing of it. Readers of older
//! versions go on with the old files, which stay until a [vacuum](crate::vacuum).
//!
//! It needs no lease and shows no fence: it changes nothing that anybody could want to protect. Where
//! somebody else commits first, it commits after that, unless one of its files is gone by then; those
//! it gives up. A window that is being replaced meanwhile commits after it, unless it goes with one of
//! the same files; then it is read again.

mod groups;

use std::collections::HashSet;
use std::fmt::Display;

use arrow::datatypes::SchemaRef;
use deltalake::kernel::{Action, Add};
use deltalake::protocol::DeltaOperation;
use fs_core::{EVENT_TIMESTAMP, ViewName};
use serde_json::json;

use crate::commit::{Commit, Refused, discard};
use crate::data_file::DataFile;
use crate::table::Table;
use crate::{Error, OfflineStore, evolution, plans, quarantine, rewrite, runs};

/// The entry of the commit information that says how many files became how many.
pub(crate) const OPTIMIZE: &str = "fs.optimize";

/// How often a commit is made again because somebody else committed first.
const ATTEMPTS: usize = 100;

/// A commit puts together files of about this many times the size that one should have, so that little
/// is lost when one of them is gone by then.
const FILES_PER_COMMIT: u64 = 16;

/// What putting files together did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Optimized {
    /// Data files of the table before.
    pub files_before: usize,
    /// Data files of the table afterwards.
    pub files_after: usize,
    /// Bytes in data files before.
    pub bytes_before: u64,
    /// Bytes in data files afterwards.
    pub bytes_after: u64,
    /// Files that were put together.
    pub removed: usize,
    /// Files that they became.
    pub added: usize,
    /// The newest version of the table.
    pub version: i64,
}

/// A table, and how its files lie and are sorted.
struct Kind<'a> {
    folder: &'a str,
    /// What it is called in errors.
    name: &'a (dyn Display + Sync),
    /// The column of times by which files follow each other.
    time: &'static str,
    /// The columns that rows are sorted by.
    by: &'static [&'static str],
    /// The columns that the log has statistics of.
    statistics: &'static [&'static str],
}

/// Files that were put together and those that they became.
#[derive(Default)]
struct Moved {
    removed: Vec<DataFile>,
    added: Vec<Add>,
}

impl OfflineStore {
    /// Puts the small and overlapping files of the table of `view` together; `None` if there is no
    /// table.
    ///
    /// Commits nothing where there is nothing to gain: twice in a row does nothing the second time.
    /// Memory holds about what [`sort_memory_bytes`](crate::OfflineOptions::sort_memory_bytes) says.
    pub async fn optimize(&self, view: &ViewName) -> Result<Option<Optimized>, Error> {
        self.optimize_table(&Kind {
            folder: view.as_str(),
            name: view,
            time: EVENT_TIMESTAMP,
            by: &rewrite::BY_TIME,
            statistics: &rewrite::STATISTICS,
        })
        .await
    }

    /// The same for the quarantine of `view`.
    pub async fn optimize_quarantine(&self, view: &ViewName) -> Result<Option<Optimized>, Error> {
        self.optimize_table(&Kind {
            folder: &quarantine::folder(view),
            name: view,
            time: EVENT_TIMESTAMP,
            by: &quarantine::BY_TIME,
            statistics: &rewrite::STATISTICS,
        })
        .await
    }

    /// The same for the record of runs.
    pub async fn optimize_runs(&self) -> Result<Option<Optimized>, Error> {
        self.optimize_table(&Kind {
            folder: runs::RUNS,
            name: &runs::RUNS,
            time: runs::STARTED,
            by: &[runs::STARTED],
            statistics: &runs::STATISTICS,
        })
        .await
    }

    async fn optimize_table(&self, kind: &Kind<'_>) -> Result<Option<Optimized>, Error> {
        let Some(mut table) = Table::open(self, kind.folder, None).await? else {
            return Ok(None);
        };
        let before = table.files_by(kind.time)?;
        if before.iter().any(|file| file.deletion_vector) {
            return Err(Error::Foreign {
                table: kind.name.to_string(),
                feature: "deletion vectors",
            });
        }
        let columns = evolution::to_arrow(table.snapshot.schema().as_ref());
        let columns = columns.map_err(table.error("describe the columns of"))?;
        let target = self.options().target_file_bytes;
        let mut done = Optimized {
            files_before: before.len(),
            bytes_before: bytes(&before),
            ..Optimized::default()
        };
        let mut open = Moved::default();
        for group in groups::of(&before, target) {
            let added = self.put_together(&table, &columns, &group, kind).await?;
            open.removed.extend(group);
            open.added.extend(added);
            if bytes(&open.removed) >= target * FILES_PER_COMMIT {
                let moved = std::mem::take(&mut open);
                table = self.commit_moved(kind, table, moved, &mut done).await?;
            }
        }
        table = self.commit_moved(kind, table, open, &mut done).await?;
        let after = table.files()?;
        done.files_after = after.len();
        done.bytes_after = bytes(&after);
        done.version = table.version();
        Ok(Some(done))
    }

    /// Writes the rows of `files` into new ones, sorted.
    async fn put_together(
        &self,
        table: &Table,
        columns: &SchemaRef,
        files: &[DataFile],
        kind: &Kind<'_>,
    ) -> Result<Vec<Add>, Error> {
        let rows = plans::files(&table.log, columns, files, None, &[]);
        let sorted = rows.and_then(|rows| rewrite::sorted(vec![rows], kind.by));
        let added = self.write_rows_with(kind.name, &table.log, sorted, kind.statistics, 1);
        let added = added.await?;
        let before: u64 = files.iter().map(|file| file.rows).sum();
        let after: u64 = added.iter().map(|add| DataFile::of_add(add).rows).sum();
        // A file without statistics counts none.
        if before == after || files.iter().any(|file| file.rows == 0) {
            return Ok(added);
        }
        discard(&table.log, &added).await;
        Err(Error::Miscounted {
            table: kind.name.to_string(),
            before,
            after,
        })
    }

    /// Commits what was moved, unless one of the files is gone; the newest version of the table.
    async fn commit_moved(
        &self,
        kind: &Kind<'_>,
        mut table: Table,
        moved: Moved,
        done: &mut Optimized,
    ) -> Result<Table, Error> {
        if moved.removed.is_empty() {
            return Ok(table);
        }
        let id = table.snapshot.metadata().id().to_owned();
        for _ in 0..ATTEMPTS {
            let Some(actions) = actions(&table, &moved)? else {
                break;
            };
            let commit = Commit {
                table: kind.name.to_string(),
                actions,
                transactions: Vec::new(),
                note: (
                    OPTIMIZE,
                    json!({ "removed": moved.removed.len(), "added": moved.added.len() }),
                ),
                operation: DeltaOperation::Optimize {
                    predicate: None,
                    target_size: self.options().target_file_bytes.cast_signed(),
                },
            };
            let landed = match commit.run(Some(&table), &table.log).await {
                Ok(_) => true,
                Err(Refused::Conflict) => false,
                Err(Refused::Failed(error)) => return Err(error),
            };
            let newest = Table::open(self, kind.folder, None).await?;
            let newest = newest.filter(|newest| newest.snapshot.metadata().id() == id);
            if landed {
                done.removed += moved.removed.len();
                done.added += moved.added.len();
                return Ok(newest.unwrap_or(table));
            }
            match newest {
                Some(newest) => table = newest,
                // It was dropped; the folder may be another table's by now.
                None => break,
            }
        }
        tracing::info!(table = %kind.name, "others replaced some files meanwhile, which stay as they are");
        discard(&table.log, &moved.added).await;
        Ok(table)
    }
}

/// What the log says of files that were moved; `None` if one of them is not of `table` any more.
fn actions(table: &Table, moved: &Moved) -> Result<Option<Vec<Action>>, Error> {
    let gone: HashSet<&str> = moved
        .removed
        .iter()
        .map(|file| file.path.as_str())
        .collect();
    let views = table.snapshot.try_log_data();
    let views = views.map_err(table.error("read the log of"))?;
    let removed = views
        .iter()
        .filter(|view| gone.contains(view.path().as_ref()))
        .map(|view| Action::Remove(view.remove_action(false)));
    let mut actions: Vec<Action> = removed.collect();
    if actions.len() < gone.len() {
        return Ok(None);
    }
    actions.extend(moved.added.iter().map(|add| {
        Action::Add(Add {
            data_change: false,
            ..add.clone()
        })
    }));
    Ok(Some(actions))
}

fn bytes(files: &[DataFile]) -> u64 {
    files.iter().map(DataFile::bytes).sum()
}

#[cfg(test)]
mod tests;
