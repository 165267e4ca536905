//! A version of a table that can be named, and found again.
//!
//! A number alone does not name one: a table that is dropped and made again counts from 0 again. Its
//! id tells the two apart.

use std::collections::HashSet;

use deltalake::DeltaTableError;
use deltalake::kernel::Snapshot;
use fs_core::ViewName;
use futures::TryStreamExt;
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use crate::table::Table;
use crate::{Error, OfflineStore};

/// One version of one table.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TableVersion {
    /// The version.
    pub version: i64,
    /// The id that the table got when it was made.
    pub id: String,
}

impl OfflineStore {
    /// The newest version of the table of `view`; `None` if it was never written.
    ///
    /// Costs a listing and the reading of the newest commits; data files are not looked at.
    pub async fn newest(&self, view: &ViewName) -> Result<Option<TableVersion>, Error> {
        let location = self.root().join(view.as_str());
        let log = Table::log_store(&location)?;
        let failed = |source| Table::failed("open", &location, source);
        if !log.is_delta_table_location().await.map_err(failed)? {
            return Ok(None);
        }
        match Snapshot::try_new(log.as_ref(), None).await {
            Ok(snapshot) => Ok(Some(TableVersion {
                version: snapshot.version().cast_signed(),
                id: snapshot.metadata().id().to_owned(),
            })),
            // The folder was dropped between the two looks at it.
            Err(DeltaTableError::NotATable(_)) => Ok(None),
            Err(error) => Err(failed(error)),
        }
    }

    /// Makes sure that `wanted` can still be read as it was: that it is of this table, and that
    /// neither its log nor its files are gone.
    ///
    /// ```text
    ///   the table was dropped and made again      Remade
    ///   it has no such version                    NoSuchVersion
    ///   its log was cleaned up                    VersionGone
    ///   a vacuum removed some of its files        VersionGone
    /// ```
    ///
    /// Costs a listing of the table.
    pub async fn ensure_kept(&self, view: &ViewName, wanted: &TableVersion) -> Result<(), Error> {
        let newest = self.newest(view).await?;
        let newest = newest.ok_or_else(|| Error::NotMaterialized { view: view.clone() })?;
        if newest.id != wanted.id {
            return Err(Error::Remade {
                view: view.clone(),
                version: wanted.version,
            });
        }
        if newest.version < wanted.version {
            return Err(Error::NoSuchVersion {
                view: view.clone(),
                version: wanted.version,
                newest: newest.version,
            });
        }
        let gone = |reason| Error::VersionGone {
            view: view.clone(),
            version: wanted.version,
            reason,
        };
        let table = match Table::open(self, view.as_str(), Some(wanted.version)).await {
            Ok(Some(table)) => table,
            // The storage may be down, which is another matter.
            Err(error) if fs_core::Coded::code(&error) == fs_core::Code::Unavailable => {
                return Err(error);
            }
            // Delta says in many ways that the log does not reach back so far.
            Ok(None) | Err(_) => return Err(gone("its log was cleaned up")),
        };
        let wanted = table.files()?;
        if newest.version == table.version() || wanted.is_empty() {
            return Ok(());
        }
        let there: HashSet<Path> = table
            .log
            .object_store(None)
            .list(None)
            .map_ok(|object| object.location)
            .try_collect()
            .await
            .map_err(|error| table.error("list the files of")(error.into()))?;
        if wanted
            .iter()
            .all(|file| there.contains(&Path::from(file.path.as_str())))
        {
            Ok(())
        } else {
            Err(gone("a vacuum removed its files"))
        }
    }
}

#[cfg(test)]
mod tests;
