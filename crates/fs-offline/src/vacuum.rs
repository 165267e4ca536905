//! Removing files that no version needs which may still be read.
//!
//! | What | Goes when |
//! |---|---|
//! | a data file that a commit removed | the commit is older than the retention |
//! | a data file that no commit knows: its writer died | it is older than the retention, and than an hour |
//! | a part of a data file that was being written when its writer died | it is older than that, too |
//! | an entry of the log | it is older than the retention, and a checkpoint has what it says |
//!
//! The newest version is never touched. An older one whose files are gone is
//! [`Error::VersionGone`](crate::Error::VersionGone) for who wants just that one; what changed since it is
//! [`Error::LogGone`](crate::Error::LogGone), whereupon all is published.
//!
//! No commit is made: what is vacuumed is not what a table holds.

mod staged;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use deltalake::operations::vacuum::{Clock, VacuumMode};
use deltalake::protocol::checkpoints::{cleanup_expired_logs_for, create_checkpoint};
use deltalake::{DeltaTable, DeltaTableError};
use fs_core::{EventTime, ViewName};
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::table::Table;
use crate::{Error, OfflineStore, datasets, quarantine, runs};

/// Files that nobody knows yet may belong to a writer at work for this long.
const AT_WORK: Duration = Duration::from_hours(1);

/// How many files are deleted at once.
const AT_ONCE: usize = 16;

/// What may be removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// What time it is.
    pub now: EventTime,
    /// How long versions can be read after they are no longer the newest.
    pub keep: Duration,
}

/// What a vacuum removed, or would remove.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// Data files.
    pub files: usize,
    /// Bytes in data files.
    pub bytes: u64,
    /// Files of the log; a dry run does not tell.
    pub log_files: usize,
}

impl Retention {
    /// How long versions can be read if nobody says otherwise.
    pub const DEFAULT: Duration = Duration::from_hours(7 * 24);

    /// Files that are older than this are not needed.
    fn before(&self, keep: Duration) -> i64 {
        let millis = i64::try_from(keep.as_millis()).unwrap_or(i64::MAX);
        let now = self.now.as_micros().div_euclid(1_000);
        now.saturating_sub(millis)
    }
}

impl std::ops::AddAssign for Vacuumed {
    fn add_assign(&mut self, other: Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.log_files += other.log_files;
    }
}

impl OfflineStore {
    /// Removes what the table of `view` and its quarantine do not need; with `dry_run`, only says what.
    pub async fn vacuum(
        &self,
        view: &ViewName,
        retention: Retention,
        dry_run: bool,
    ) -> Result<Vacuumed, Error> {
        let mut all = Vacuumed::default();
        for folder in [view.to_string(), quarantine::folder(view)] {
            all += self.vacuum_folder(&folder, retention, dry_run).await?;
        }
        Ok(all)
    }

    /// The same for what belongs to no view: the record of runs, and the saved training sets.
    pub async fn vacuum_shared(
        &self,
        retention: Retention,
        dry_run: bool,
    ) -> Result<Vacuumed, Error> {
        let mut all = self.vacuum_folder(runs::RUNS, retention, dry_run).await?;
        for name in self.dataset_names().await? {
            let folder = datasets::folder(&name);
            all += self.vacuum_folder(&folder, retention, dry_run).await?;
        }
        Ok(all)
    }

    async fn vacuum_folder(
        &self,
        folder: &str,
        retention: Retention,
        dry_run: bool,
    ) -> Result<Vacuumed, Error> {
        let location = self.root().join(folder);
        let log = Table::log_store(&location)?;
        let failed = |source| Table::failed("vacuum", &location, source);
        if !log.is_delta_table_location().await.map_err(failed)? {
            return Ok(Vacuumed::default());
        }
        let mut table = DeltaTable::new(Arc::clone(&log));
        table.load().await.map_err(failed)?;
        let unneeded = unneeded(&table, retention).await.map_err(failed)?;
        let store = log.object_store(None);
        let mut done = Vacuumed::default();
        let mut listing = store.list(None);
        let mut gone = Vec::new();
        while let Some(object) = listing.try_next().await.map_err(|e| failed(e.into()))? {
            if unneeded.contains(&object.location) {
                done.files += 1;
                done.bytes += object.size;
                gone.push(object.location);
            }
        }
        drop(listing);
        if let Some(folder) = location.to_folder() {
            let before = retention.before(retention.keep.max(AT_WORK));
            let staged = staged::remove(&folder, before, dry_run).await;
            done += staged.map_err(|source| failed(DeltaTableError::Io { source }))?;
        }
        if dry_run {
            return Ok(done);
        }
        futures::stream::iter(gone)
            .map(Ok)
            .try_for_each_concurrent(AT_ONCE, |path| {
                let store = Arc::clone(&store);
                async move {
                    match store.delete(&path).await {
                        Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
                        Err(error) => Err(error),
                    }
                }
            })
            .await
            .map_err(|error| failed(error.into()))?;
        done.log_files = clean_log(&table, retention).await.map_err(failed)?;
        Ok(done)
    }
}

/// The data files that a vacuum may remove.
async fn unneeded(
    table: &DeltaTable,
    retention: Retention,
) -> Result<HashSet<Path>, DeltaTableError> {
    let keep = retention.keep;
    let mut found = HashSet::new();
    // What commits removed, and what no commit knows.
    for (mode, keep) in [
        (VacuumMode::Lite, keep),
        (VacuumMode::Full, keep.max(AT_WORK)),
    ] {
        let keep = TimeDelta::from_std(keep).unwrap_or(TimeDelta::MAX);
        let (_, plan) = table
            .clone()
            .vacuum()
            .with_mode(mode)
            .with_clock(Arc::new(At(retention.now)))
            .with_retention_period(keep)
            .with_enforce_retention_duration(false)
            .with_dry_run(true)
            .await?;
        let paths = plan.files_deleted.iter().map(Path::parse);
        found.extend(paths.filter_map(Result::ok));
    }
    Ok(found)
}

/// Removes entries of the log that are older than the retention, behind a checkpoint; how many.
async fn clean_log(table: &DeltaTable, retention: Retention) -> Result<usize, DeltaTableError> {
    let Some(version) = table.version() else {
        return Ok(0);
    };
    create_checkpoint(table, None).await?;
    let before = retention.before(retention.keep);
    cleanup_expired_logs_for(version, table.log_store().as_ref(), before, None).await
}

/// An instant as a clock.
#[derive(Debug)]
struct At(EventTime);

impl Clock for At {
    fn current_timestamp_millis(&self) -> i64 {
        self.0.as_micros().div_euclid(1_000)
    }
}

#[cfg(test)]
mod tests;
