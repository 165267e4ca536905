//! [`OfflineStore`]: the tables of one project, opened, described and dropped.

use std::sync::Arc;

use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use deltalake::DeltaTableError;
use fs_core::{EventTime, Fence, Location, ProjectName, ViewName};
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;

use crate::data_file::DataFile;
use crate::replace::run_app;
use crate::sequence::next_after;
use crate::table::Table;
use crate::{Error, quarantine, register_handlers};

/// Application transaction that holds the greatest fence that a writer has shown.
pub const FENCE_APP: &str = "fs.fence";
/// Application transaction that counts the windows replaced so far.
pub const INGEST_APP: &str = "fs.ingest";
/// Application transactions that hold the first `_sequence` of a push; its key follows.
pub const PUSH_APP: &str = "fs.push.";
/// Application transaction that holds the greatest `_sequence` of a pushed row.
pub const PUSHED_APP: &str = "fs.pushed";
/// Application transactions that hold how far a run has come in microseconds UTC; its key follows.
pub const RUN_APP: &str = "fs.run.";
/// Application transaction that holds the version of the Delta source that was read last.
pub const SOURCE_APP: &str = "fs.source";
/// Application transaction that holds the watermark in microseconds UTC.
pub const WATERMARK_APP: &str = "fs.watermark";

/// Less than this does not suffice to merge what was spilled of wide rows: 32 MiB failed with 50 numbers a row.
const LEAST_SORT_BYTES: usize = 64 << 20;

/// More than this is not worth it.
const MOST_SORT_BYTES: usize = 1 << 30;

/// How tables are written.
#[derive(Debug, Clone, Copy)]
pub struct OfflineOptions {
    /// A data file is closed once it is about this large.
    pub target_file_bytes: u64,
    /// Rows of a row group: what a reader can skip inside a file.
    pub row_group_rows: usize,
    /// A row group is closed before its rows when it is about this large: it is in memory until then.
    pub row_group_bytes: usize,
    /// Memory for sorting rows by event time; what does not fit is spilled to disk.
    pub sort_memory_bytes: usize,
}

impl Default for OfflineOptions {
    fn default() -> Self {
        Self {
            target_file_bytes: 64 << 20,
            row_group_rows: 128 * 1024,
            row_group_bytes: 32 << 20,
            sort_memory_bytes: 128 << 20,
        }
    }
}

impl OfflineOptions {
    /// The default, for a process that may use about so many bytes of memory in all.
    ///
    /// ```text
    ///   memory limit     none       256 MiB    2 GiB      32 GiB
    ///   sorting           128 MiB    32 MiB     128 MiB    1 GiB
    ///   a row group        32 MiB     8 MiB      32 MiB    32 MiB
    /// ```
    /// Sorting takes a sixteenth: more than a few hundred megabytes hardly make it faster. A writer holds a
    /// row group and what is being uploaded of the one before.
    #[must_use]
    pub fn within(memory_limit: Option<usize>) -> Self {
        let default = Self::default();
        let Some(limit) = memory_limit else {
            return default;
        };
        Self {
            row_group_bytes: (limit / 32).clamp(4 << 20, default.row_group_bytes),
            sort_memory_bytes: (limit / 16).clamp(LEAST_SORT_BYTES, MOST_SORT_BYTES),
            ..default
        }
    }
}

/// The offline tables of one project.
#[derive(Debug, Clone)]
pub struct OfflineStore {
    root: Location,
    options: OfflineOptions,
    runtime: Arc<RuntimeEnv>,
}

/// What a table holds at its newest version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableState {
    /// The id that the table got when it was made: one that is made anew has another.
    pub id: String,
    /// The version.
    pub version: i64,
    /// How far the table has come; `None` before the first watermark was set.
    pub watermark: Option<EventTime>,
    /// How many windows have been replaced.
    pub ingest: i64,
    /// Where the next rows are numbered from: the `_sequence` of every row that is there is less than
    /// this, and that of no row that is committed later is.
    pub next_sequence: i64,
    /// The greatest fence that a writer has shown.
    pub fence: Option<Fence>,
    /// The version of the Delta source that was read last; `None` if the source is of another kind.
    pub source_version: Option<i64>,
    /// Rows, from the statistics of the files.
    pub rows: u64,
    /// Data files.
    pub files: usize,
    /// Bytes in data files.
    pub bytes: u64,
}

impl OfflineStore {
    /// The tables of `project` below `root`. Touches no storage.
    pub fn new(root: &Location, project: &ProjectName) -> Self {
        Self::with_options(root, project, OfflineOptions::default())
    }

    /// The same, written with other options.
    pub fn with_options(root: &Location, project: &ProjectName, options: OfflineOptions) -> Self {
        register_handlers();
        let pool = FairSpillPool::new(options.sort_memory_bytes);
        let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(pool));
        Self {
            root: root.join(project.as_str()),
            options,
            // Only a broken temporary folder makes the builder fail; spilling reports it then.
            runtime: runtime.build_arc().unwrap_or_default(),
        }
    }

    /// Where the project's tables live.
    pub fn root(&self) -> &Location {
        &self.root
    }

    /// What the table of `view` holds; `None` if it was never written.
    pub async fn state(&self, view: &ViewName) -> Result<Option<TableState>, Error> {
        let Some(table) = Table::open(self, view.as_str(), None).await? else {
            return Ok(None);
        };
        if table.was_only_fenced().await? {
            return Ok(None);
        }
        let files = table.files()?;
        let ingest = table.ingest().await?;
        Ok(Some(TableState {
            id: table.snapshot.metadata().id().to_owned(),
            version: table.version(),
            watermark: table.watermark().await?,
            ingest,
            next_sequence: next_after(ingest, table.last_pushed().await?),
            fence: table.fence().await?,
            source_version: table.transaction(SOURCE_APP).await?,
            rows: files.iter().map(|file| file.rows).sum(),
            files: files.len(),
            bytes: files.iter().map(DataFile::bytes).sum(),
        }))
    }

    /// How far the run with this key has come; `None` if it never replaced a window, or not since
    /// yesterday.
    pub async fn run_progress(
        &self,
        view: &ViewName,
        key: &str,
    ) -> Result<Option<EventTime>, Error> {
        let Some(table) = Table::open(self, view.as_str(), None).await? else {
            return Ok(None);
        };
        let micros = table.transaction(&run_app(key)).await?;
        Ok(micros.map(EventTime::from_micros))
    }

    /// Deletes the table of `view` and its quarantine; whether there was any.
    pub async fn drop_table(&self, view: &ViewName) -> Result<bool, Error> {
        let quarantine = self.drop_folder(&quarantine::folder(view)).await?;
        Ok(self.drop_folder(view.as_str()).await? || quarantine)
    }

    /// Deletes every table of the project, its datasets and the record of its runs; whether there
    /// was any.
    pub async fn drop_project(&self) -> Result<bool, Error> {
        self.drop_folder("").await
    }

    /// Deletes all objects below a folder: the log first, so that no reader sees half a table.
    pub(crate) async fn drop_folder(&self, name: &str) -> Result<bool, Error> {
        let location = if name.is_empty() {
            self.root.clone()
        } else {
            self.root.join(name)
        };
        let log_store = Table::log_store(&location)?;
        let store = log_store.object_store(None);
        let failed = |source: object_store::Error| Error::Delta {
            operation: "delete",
            table: location.to_string(),
            source: Box::new(DeltaTableError::from(source)),
        };
        let is_log = |path: &object_store::path::Path| {
            path.parts().any(|part| part.as_ref() == "_delta_log")
        };
        let mut paths = Vec::new();
        let mut listing = store.list(None);
        while let Some(object) = listing.next().await {
            match object {
                Ok(object) => paths.push(object.location),
                Err(object_store::Error::NotFound { .. }) => break,
                Err(error) => return Err(failed(error)),
            }
        }
        drop(listing);
        let found = !paths.is_empty();
        let (log, data): (Vec<_>, Vec<_>) = paths.into_iter().partition(is_log);
        for group in [log, data] {
            futures::stream::iter(group)
                .map(Ok)
                .try_for_each_concurrent(16, |path| {
                    let store = Arc::clone(&store);
                    async move {
                        match store.delete(&path).await {
                            Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
                            Err(error) => Err(error),
                        }
                    }
                })
                .await
                .map_err(failed)?;
        }
        if let Some(folder) = location.to_folder().filter(|_| found) {
            // Only empty folders are left; Delta readers take a leftover one for no table.
            tokio::fs::remove_dir_all(folder).await.ok();
        }
        Ok(found)
    }

    pub(crate) fn options(&self) -> &OfflineOptions {
        &self.options
    }

    pub(crate) fn runtime(&self) -> &Arc<RuntimeEnv> {
        &self.runtime
    }
}
