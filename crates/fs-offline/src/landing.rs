//! Bringing a prepared commit into a table that others write to as well.
//!
//! | Since the commit was prepared somebody has | Then |
//! |---|---|
//! | pushed rows | it is committed after that: a push leaves every file as it is |
//! | raised a fence that is not greater than the one shown | it is committed after that |
//! | raised a greater fence | [`Error::Fenced`] |
//! | moved rows between files that this commit does not remove | it is committed after that |
//! | done anything else | [`Error::Conflict`] |
//!
//! Whoever is refused has changed nothing, and its data files are deleted.

use std::collections::HashSet;

use deltalake::kernel::{Action, Add};
use deltalake::logstore::LogStoreRef;
use fs_core::Fence;

use crate::commit::{Commit, Refused, discard};
use crate::fence::ensure_not_fenced;
use crate::log_entry::LogEntry;
use crate::table::Table;
use crate::{Error, OfflineStore, TableSchema};

/// How often something is committed again because of harmless others.
const ATTEMPTS: usize = 100;

/// A commit with its data files, which are written.
pub(crate) struct Prepared<'a> {
    pub(crate) schema: &'a TableSchema,
    /// What the commit was prepared for; `None`: there was no table.
    pub(crate) table: Option<Table>,
    pub(crate) log: LogStoreRef,
    pub(crate) commit: Commit,
    pub(crate) fence: Option<Fence>,
}

impl Prepared<'_> {
    fn added(&self) -> Vec<Add> {
        let actions = self.commit.actions.iter();
        actions
            .filter_map(|action| match action {
                Action::Add(add) => Some(add.clone()),
                _ => None,
            })
            .collect()
    }

    fn removed(&self) -> HashSet<&str> {
        let actions = self.commit.actions.iter();
        actions
            .filter_map(|action| match action {
                Action::Remove(remove) => Some(remove.path.as_str()),
                _ => None,
            })
            .collect()
    }
}

impl OfflineStore {
    /// Commits after those who have done harmless things meanwhile; the version.
    pub(crate) async fn land(&self, mut prepared: Prepared<'_>) -> Result<i64, Error> {
        let mut attempt = 1;
        let refusal = loop {
            match prepared
                .commit
                .run(prepared.table.as_ref(), &prepared.log)
                .await
            {
                Ok(version) => return Ok(version),
                // The commit may have landed all the same, so its files stay.
                Err(Refused::Failed(error)) => return Err(error),
                Err(Refused::Conflict) => {}
            }
            match self.after_harmless(&prepared).await {
                Ok(newer) if attempt < ATTEMPTS => {
                    attempt += 1;
                    prepared.table = Some(newer);
                }
                Ok(_) => break conflict(prepared.schema),
                Err(refusal) => break refusal,
            }
        };
        discard(&prepared.log, &prepared.added()).await;
        Err(refusal)
    }

    /// The newest version of the table, if since the commit was prepared nothing was done that
    /// changes what it should say.
    async fn after_harmless(&self, prepared: &Prepared<'_>) -> Result<Table, Error> {
        let schema = prepared.schema;
        let newer = Table::open(self, schema.folder(), None).await?;
        ensure_not_fenced(schema.view(), newer.as_ref(), prepared.fence).await?;
        let (Some(newer), Some(table)) = (newer, &prepared.table) else {
            return Err(conflict(schema));
        };
        if newer.snapshot.metadata().id() != table.snapshot.metadata().id() {
            return Err(conflict(schema));
        }
        let removed = prepared.removed();
        for version in table.version() + 1..=newer.version() {
            let entry = LogEntry::read(schema, &newer, version).await?;
            if !entry.is_harmless_to(&removed) {
                return Err(conflict(schema));
            }
        }
        Ok(newer)
    }
}

fn conflict(schema: &TableSchema) -> Error {
    Error::Conflict {
        view: schema.view().clone(),
    }
}
