//! One commit to a table, or none: nobody else may have committed since the table was opened.

use std::sync::Arc;

use deltalake::DeltaTableError;
use deltalake::kernel::transaction::{CommitBuilder, CommitProperties, TableReference};
use deltalake::kernel::{Action, Add, Transaction};
use deltalake::logstore::LogStoreRef;
use deltalake::protocol::DeltaOperation;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use serde_json::Value;

use crate::Error;
use crate::table::Table;

/// What to commit.
pub(crate) struct Commit {
    /// What the table is called in errors.
    pub(crate) table: String,
    pub(crate) actions: Vec<Action>,
    pub(crate) transactions: Vec<Transaction>,
    /// An entry of the commit information.
    pub(crate) note: (&'static str, Value),
    pub(crate) operation: DeltaOperation,
}

/// Why nothing was committed.
pub(crate) enum Refused {
    /// Somebody else committed first; nothing was changed.
    Conflict,
    /// Something failed. Whether the commit landed is not known.
    Failed(Error),
}

impl Commit {
    /// Commits right after the version of `table`, or as the first version; the number of the commit.
    pub(crate) async fn run(
        &self,
        table: Option<&Table>,
        log: &LogStoreRef,
    ) -> Result<i64, Refused> {
        let (entry, note) = &self.note;
        // No retries: what is written follows from the version that was opened.
        let properties = CommitProperties::default()
            .with_max_retries(0)
            .with_application_transactions(self.transactions.clone())
            .with_metadata([((*entry).to_owned(), note.clone())]);
        let snapshot = table.map(|table| &table.snapshot as &dyn TableReference);
        let commit = CommitBuilder::from(properties)
            .with_actions(self.actions.clone())
            .build(snapshot, Arc::clone(log), self.operation.clone());
        let landed = async { commit.into_prepared_commit_future().await?.await }.await;
        let landed = landed.map_err(|error| self.refused(error))?;
        let version = landed.version.cast_signed();
        // The rows are in; a checkpoint that fails now is made by a later commit.
        if let Err(error) = landed.await {
            tracing::warn!(table = %self.table, %error, "no checkpoint was made");
        }
        Ok(version)
    }

    fn refused(&self, error: DeltaTableError) -> Refused {
        if Table::is_conflict(&error) {
            return Refused::Conflict;
        }
        Refused::Failed(Error::Delta {
            operation: "commit to",
            table: self.table.clone(),
            source: Box::new(error),
        })
    }
}

/// Deletes files that no commit refers to.
pub(crate) async fn discard(log: &LogStoreRef, files: &[Add]) {
    let store = log.object_store(None);
    for file in files {
        let path = Path::from(file.path.as_str());
        if let Err(error) = store.delete(&path).await {
            tracing::warn!(%path, %error, "an unused file stays until a vacuum");
        }
    }
}
