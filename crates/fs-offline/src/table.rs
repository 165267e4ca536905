//! One opened Delta table at one version.

use deltalake::kernel::EagerSnapshot;
use deltalake::kernel::transaction::TransactionError;
use deltalake::logstore::LogStoreRef;
use deltalake::{DeltaTableBuilder, DeltaTableError};
use fs_core::{EVENT_TIMESTAMP, EventTime, Fence, Location};

use crate::Error;
use crate::data_file::DataFile;
use crate::store::{FENCE_APP, INGEST_APP, OfflineStore, PUSHED_APP, WATERMARK_APP};

/// A Delta table, pinned to the version that was the newest when it was opened, or to an older one.
pub(crate) struct Table {
    name: String,
    location: Location,
    pub(crate) log: LogStoreRef,
    pub(crate) snapshot: EagerSnapshot,
}

impl Table {
    /// Opens the table `name` of `store`; `None` if it does not exist.
    pub(crate) async fn open(
        store: &OfflineStore,
        name: &str,
        version: Option<i64>,
    ) -> Result<Option<Self>, Error> {
        let location = store.root().join(name);
        let log = Self::log_store(&location)?;
        let failed = |source| Self::failed("open", &location, source);
        if !log.is_delta_table_location().await.map_err(failed)? {
            return Ok(None);
        }
        let version = version.map(i64::cast_unsigned);
        let snapshot = match EagerSnapshot::try_new(log.as_ref(), version).await {
            Ok(snapshot) => snapshot,
            // The folder was dropped between the two looks at it.
            Err(DeltaTableError::NotATable(_)) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        Ok(Some(Self {
            name: name.to_owned(),
            location,
            log,
            snapshot,
        }))
    }

    /// The log of the table at `location`, which need not exist.
    pub(crate) fn log_store(location: &Location) -> Result<LogStoreRef, Error> {
        DeltaTableBuilder::from_url(location.url().clone())
            .and_then(|builder| builder.build_storage())
            .map_err(|source| Self::failed("open", location, source))
    }

    pub(crate) fn failed(
        operation: &'static str,
        location: &Location,
        source: DeltaTableError,
    ) -> Error {
        Error::Delta {
            operation,
            table: location.to_string(),
            source: Box::new(source),
        }
    }

    /// Whether somebody else committed first.
    pub(crate) const fn is_conflict(error: &DeltaTableError) -> bool {
        matches!(
            error,
            DeltaTableError::VersionAlreadyExists(_)
                | DeltaTableError::Transaction {
                    source: TransactionError::MaxCommitAttempts(_)
                        | TransactionError::CommitConflict(_)
                        | TransactionError::VersionAlreadyExists(_)
                }
        )
    }

    /// An error of `operation` on this table.
    pub(crate) fn error(&self, operation: &'static str) -> impl Fn(DeltaTableError) -> Error {
        move |source| Self::failed(operation, &self.location, source)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn version(&self) -> i64 {
        self.snapshot.version().cast_signed()
    }

    /// The files that hold the rows of this version, in a fixed order.
    pub(crate) fn files(&self) -> Result<Vec<DataFile>, Error> {
        self.files_by(EVENT_TIMESTAMP)
    }

    /// The same, with the column `time` taken for event times.
    pub(crate) fn files_by(&self, time: &str) -> Result<Vec<DataFile>, Error> {
        let data = self.snapshot.try_log_data();
        let mut files: Vec<DataFile> = data
            .map_err(self.error("read the log of"))?
            .iter()
            .map(|view| DataFile::by(&view, time))
            .collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// How many windows have been replaced.
    pub(crate) async fn ingest(&self) -> Result<i64, Error> {
        Ok(self.transaction(INGEST_APP).await?.unwrap_or(0))
    }

    /// Whether all that ever happened to the table is that a fence was raised: it holds nothing, and
    /// counts as never written.
    pub(crate) async fn was_only_fenced(&self) -> Result<bool, Error> {
        let data = self.snapshot.try_log_data();
        let data = data.map_err(self.error("read the log of"))?;
        let has_files = data.iter().next().is_some();
        Ok(!has_files && self.ingest().await? == 0 && self.fence().await?.is_some())
    }

    /// How far the table has come.
    pub(crate) async fn watermark(&self) -> Result<Option<EventTime>, Error> {
        let micros = self.transaction(WATERMARK_APP).await?;
        Ok(micros.map(EventTime::from_micros))
    }

    /// The greatest fence that a writer has shown.
    pub(crate) async fn fence(&self) -> Result<Option<Fence>, Error> {
        let seen = self.transaction(FENCE_APP).await?;
        Ok(seen.map(|seen| Fence::new(seen.cast_unsigned())))
    }

    /// The greatest `_sequence` of a row that was pushed; `None` if none ever was.
    pub(crate) async fn last_pushed(&self) -> Result<Option<i64>, Error> {
        self.transaction(PUSHED_APP).await
    }

    pub(crate) async fn transaction(&self, app: &str) -> Result<Option<i64>, Error> {
        self.snapshot
            .transaction_version(self.log.as_ref(), app)
            .await
            .map_err(self.error("read the log of"))
    }
}
