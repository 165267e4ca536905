//! The registry of one project: read it, plan on it, apply to it.

mod apply;

use std::sync::Arc;

use fs_core::{Catalog, Clock, Location, ProjectName};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectStore;
use object_store::path::Path;

pub use apply::{Applied, Force};

use crate::error::Existing;
use crate::objects::Objects;
use crate::version::HistoryEntry;
use crate::{Error, Leases, Plan, Version, format};

/// How many versions a page of history reads at once.
const READS_AT_ONCE: usize = 8;

/// From this size on a version is decoded away from the threads that answer requests.
const DECODED_INLINE_BYTES: usize = 32 * 1024;

/// The numbered versions of one project. Clones share the connection.
#[derive(Debug, Clone)]
pub struct Registry {
    project: ProjectName,
    objects: Objects,
}

impl Registry {
    /// Opens the registry of `project` at `location`; a local folder is created if it is missing.
    ///
    /// `options` configure an object store: the names and values that its own tools take from the
    /// environment (`AWS_REGION`, `AWS_ENDPOINT`, `GOOGLE_SERVICE_ACCOUNT`, `AZURE_STORAGE_ACCOUNT_KEY`
    /// …). Names that the store does not know are left alone, so a whole environment may be given.
    /// Nothing is asked of a remote store before the first call.
    pub fn open(
        location: &Location,
        project: ProjectName,
        options: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        let objects = Objects::open(location, &project, options)?;
        Ok(Self { project, objects })
    }

    /// The registry of `project` below `root` in a store that is open already; errors call it
    /// `location`.
    pub fn over(
        store: Arc<dyn ObjectStore>,
        root: &Path,
        location: &Location,
        project: ProjectName,
    ) -> Self {
        let objects = Objects::over(store, root, location, &project);
        Self { project, objects }
    }

    /// The project.
    pub const fn project(&self) -> &ProjectName {
        &self.project
    }

    /// The leases of the views of this project; `clock` is what others are told about since when one
    /// is held.
    pub fn leases(&self, clock: Arc<dyn Clock>) -> Leases {
        Leases::of(self, clock)
    }

    pub(crate) const fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The current version, which is the one with the greatest number; `None` before the first apply.
    ///
    /// Costs one listing and one read.
    pub async fn current(&self) -> Result<Option<Version>, Error> {
        self.newest_after(0).await
    }

    /// Version `number`.
    pub async fn version(&self, number: u64) -> Result<Version, Error> {
        match self.read(number).await? {
            Some(version) => Ok(version),
            None => Err(Error::UnknownVersion {
                project: self.project.clone(),
                version: number,
                exist: Existing(self.objects.numbers_after(0).await?),
            }),
        }
    }

    /// Up to `limit` versions below `before` (of all, if `None`), newest first.
    ///
    /// A version that cannot be read is listed with the reason. The next page is asked for with the
    /// last number of this one.
    pub async fn history(
        &self,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<HistoryEntry>, Error> {
        let numbers = self.objects.numbers_after(0).await?;
        let page = numbers
            .into_iter()
            .rev()
            .filter(|number| before.is_none_or(|before| *number < before))
            .take(limit);
        stream::iter(page)
            .map(|number| async move {
                let version = match self.version(number).await {
                    Err(error @ (Error::Corrupt { .. } | Error::NewerFormat { .. })) => Err(error),
                    Err(error) => return Err(error),
                    Ok(version) => Ok(version),
                };
                Ok(HistoryEntry { number, version })
            })
            .buffered(READS_AT_ONCE)
            .try_collect()
            .await
    }

    /// The newest version after `number`, if there is one: for a server that polls.
    ///
    /// Costs one read that finds nothing, as long as version `number + 1` is not there.
    pub async fn newer_than(&self, number: u64) -> Result<Option<Version>, Error> {
        match self.objects.read(number.saturating_add(1)).await? {
            Some(_) => self.newest_after(number).await,
            None => Ok(None),
        }
    }

    /// What applying `new` would change, compared with the current version.
    pub async fn plan(&self, new: &Catalog) -> Result<Plan, Error> {
        if new.project != self.project {
            return Err(Error::OtherProject {
                expected: self.project.clone(),
                found: new.project.clone(),
            });
        }
        Plan::between(self.current().await?.as_ref(), new)
    }

    async fn newest_after(&self, number: u64) -> Result<Option<Version>, Error> {
        match self.objects.numbers_after(number).await?.last() {
            Some(&newest) => self.version(newest).await.map(Some),
            None => Ok(None),
        }
    }

    async fn read(&self, number: u64) -> Result<Option<Version>, Error> {
        let Some(bytes) = self.objects.read(number).await? else {
            return Ok(None);
        };
        let project = self.project.clone();
        let object = self.objects.describe(number);
        let small = bytes.len() <= DECODED_INLINE_BYTES;
        let decode = move || format::decode(&project, number, &object, &bytes);
        if small {
            return decode().map(Some);
        }
        match tokio::task::spawn_blocking(decode).await {
            Ok(version) => version.map(Some),
            Err(stopped) => Err(Error::Corrupt {
                object: self.objects.describe(number),
                source: stopped.into(),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
