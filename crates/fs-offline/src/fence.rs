//! Fences: a writer that was taken over from commits nothing any more.
//!
//! ```text
//!   the table has seen   a window shows    then
//!   nothing, or 6        7                 it is committed, and 7 is what the table has seen
//!   7                    7                 it is committed
//!   8                    7                 Error::Fenced, and nothing is changed
//! ```
//!
//! What a table has seen is the application transaction `fs.fence` of its log. A commit is made right
//! after the version that it was checked against, or not at all; so whatever was prepared before a
//! fence was raised finds another commit in its place, looks again, and sees the fence.
//!
//! Pushes show nothing, and fences do not keep them back: they replace nothing that a run could have
//! written.

use std::sync::Arc;

use deltalake::kernel::{Action, Transaction};
use deltalake::protocol::{DeltaOperation, SaveMode};
use fs_core::{Fence, ViewName};
use serde_json::json;

use crate::commit::{Commit, Refused};
use crate::evolution::evolve;
use crate::store::FENCE_APP;
use crate::table::Table;
use crate::{Error, OfflineStore, TableSchema};

/// The entry of the commit information that says which fence was raised.
pub(crate) const RAISED: &str = "fs.fence";

/// How often a fence is raised again because somebody else committed first.
const ATTEMPTS: usize = 100;

impl OfflineStore {
    /// Lets the table of `schema`'s view, and its quarantine, refuse whoever shows a smaller fence.
    ///
    /// Once it returns, nothing that shows a smaller one is committed, also not what was prepared
    /// before. Makes the table if there is none, without a row: it counts as never written. A fence is
    /// never lowered; one that the table has seen costs a look at its log.
    pub async fn raise_fence(&self, schema: &TableSchema, fence: Fence) -> Result<(), Error> {
        self.raise(schema, fence, true).await?;
        self.raise(&schema.quarantine(), fence, false).await
    }

    async fn raise(&self, schema: &TableSchema, fence: Fence, makes: bool) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let table = Table::open(self, schema.folder(), None).await?;
            let (log, actions) = match &table {
                Some(table) if table.fence().await? >= Some(fence) => return Ok(()),
                Some(table) => (Arc::clone(&table.log), Vec::new()),
                None if !makes => return Ok(()),
                None => {
                    let log = Table::log_store(&self.root().join(schema.folder()))?;
                    (log, evolve(schema, None).await?.actions)
                }
            };
            let commit = raised(schema.view(), actions, fence);
            match commit.run(table.as_ref(), &log).await {
                Ok(_) => return Ok(()),
                Err(Refused::Conflict) => {}
                Err(Refused::Failed(error)) => return Err(error),
            }
        }
        Err(Error::Conflict {
            view: schema.view().clone(),
        })
    }
}

fn raised(view: &ViewName, actions: Vec<Action>, fence: Fence) -> Commit {
    Commit {
        table: view.to_string(),
        actions,
        transactions: vec![note(fence)],
        note: (RAISED, json!(fence)),
        operation: DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: None,
            predicate: None,
        },
    }
}

/// What a commit says of the fence that its writer shows.
pub(crate) fn note(fence: Fence) -> Transaction {
    Transaction::new(FENCE_APP, fence.number().cast_signed())
}

/// Refuses who shows a smaller fence than `table` has seen.
pub(crate) async fn ensure_not_fenced(
    view: &ViewName,
    table: Option<&Table>,
    shown: Option<Fence>,
) -> Result<(), Error> {
    let (Some(table), Some(shown)) = (table, shown) else {
        return Ok(());
    };
    match table.fence().await? {
        Some(seen) if seen > shown => Err(Error::Fenced {
            view: view.clone(),
            shown,
            seen,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
