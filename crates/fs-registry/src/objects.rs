//! The objects of one project's registry: names, put-if-absent, and a deadline on every call.
//!
//! Put-if-absent is atomic everywhere: S3, GCS and Azure check a header on the server; on a local
//! file system `object_store` writes a staging file (`….json#1`) and hard-links it to its name, which
//! fails if the name is taken. A process that dies in between leaves only the staging file, which no
//! listing shows.

use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fs_core::{Location, ProjectName};
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, parse_url_opts};

use crate::Error;

/// How long one call may take, with the retries of the store.
const DEADLINE: Duration = Duration::from_secs(30);

/// The version objects of one project.
#[derive(Debug, Clone)]
pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    folder: Path,
    /// The folder as people know it, for errors; ends in `/`.
    location: String,
    deadline: Duration,
}

/// What became of a put-if-absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    Created,
    AlreadyThere,
}

impl Objects {
    /// Opens the store at `location`; a local folder is created if it is missing.
    pub(crate) fn open(
        location: &Location,
        project: &ProjectName,
        options: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        let open = |source: Box<dyn std::error::Error + Send + Sync>| Error::Open {
            location: location.to_string(),
            source,
        };
        if let Some(folder) = location.to_folder() {
            let store = Arc::new(local_store(&folder).map_err(open)?);
            return Ok(Self::over(store, &Path::default(), location, project));
        }
        let (store, root) =
            parse_url_opts(location.url(), options).map_err(|error| open(Box::new(error)))?;
        Ok(Self::over(Arc::from(store), &root, location, project))
    }

    /// The objects below `root` in an open store.
    pub(crate) fn over(
        store: Arc<dyn ObjectStore>,
        root: &Path,
        location: &Location,
        project: &ProjectName,
    ) -> Self {
        let shown = location.join(project.as_str()).join("versions").to_string();
        Self {
            store,
            folder: root.clone().join(project.as_str()).join("versions"),
            location: format!("{}/", shown.trim_end_matches('/')),
            deadline: DEADLINE,
        }
    }

    #[cfg(test)]
    pub(crate) fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The object of version `number`, for messages.
    pub(crate) fn describe(&self, number: u64) -> String {
        format!("{}{}", self.location, file_name(number))
    }

    /// The numbers of the versions after `after`, ascending. Objects with other names are not ours.
    pub(crate) async fn numbers_after(&self, after: u64) -> Result<Vec<u64>, Error> {
        let offset = self.path(after);
        let listing = self
            .store
            .list_with_offset(Some(&self.folder), &offset)
            .try_filter_map(|object| async move { Ok(number_of(object.location.filename())) })
            .try_collect::<Vec<u64>>();
        let doing = "list versions";
        let mut numbers = self
            .within(doing, listing)
            .await?
            .map_err(|source| self.unavailable(doing, source))?;
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The bytes of version `number`; `None` if there is no such object.
    pub(crate) async fn read(&self, number: u64) -> Result<Option<Bytes>, Error> {
        let path = self.path(number);
        let reading = async { self.store.get(&path).await?.bytes().await };
        let doing = "read a version";
        match self.within(doing, reading).await? {
            Ok(bytes) => Ok(Some(bytes)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(self.unavailable(doing, source)),
        }
    }

    /// Writes version `number`, unless there is one already.
    pub(crate) async fn create(&self, number: u64, bytes: Bytes) -> Result<Put, Error> {
        let path = self.path(number);
        let options = PutOptions::from(PutMode::Create);
        let writing = self.store.put_opts(&path, bytes.into(), options);
        let doing = "record a version";
        match self.within(doing, writing).await? {
            Ok(_) => Ok(Put::Created),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(Put::AlreadyThere),
            Err(source) => Err(self.unavailable(doing, source)),
        }
    }

    /// Removes version `number`; it is fine if it is gone already.
    pub(crate) async fn remove(&self, number: u64) -> Result<(), Error> {
        let path = self.path(number);
        let doing = "remove a version";
        match self.within(doing, self.store.delete(&path)).await? {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(self.unavailable(doing, source)),
        }
    }

    fn path(&self, number: u64) -> Path {
        self.folder.clone().join(file_name(number))
    }

    async fn within<T>(
        &self,
        doing: &'static str,
        call: impl Future<Output = T> + Send,
    ) -> Result<T, Error> {
        tokio::time::timeout(self.deadline, call)
            .await
            .map_err(|_elapsed| Error::Timeout {
                doing,
                location: self.location.clone(),
                after: self.deadline,
            })
    }

    fn unavailable(&self, doing: &'static str, source: object_store::Error) -> Error {
        Error::Unavailable {
            doing,
            location: self.location.clone(),
            source: Box::new(source),
        }
    }
}

fn local_store(
    folder: &FilePath,
) -> Result<LocalFileSystem, Box<dyn std::error::Error + Send + Sync>> {
    std::fs::create_dir_all(folder)?;
    Ok(LocalFileSystem::new_with_prefix(folder)?)
}

fn file_name(number: u64) -> String {
    format!("{number:020}.json")
}

fn number_of(file_name: Option<&str>) -> Option<u64> {
    let digits = file_name?.strip_suffix(".json")?;
    let plain = digits.len() == 20 && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_twenty_digits_and_json_name_a_version() {
        assert_eq!(number_of(Some("00000000000000000042.json")), Some(42));
        assert_eq!(number_of(Some(&file_name(u64::MAX))), Some(u64::MAX));
        for name in [
            "42.json",
            "+0000000000000000042.json",
            "00000000000000000042.json.bak",
            "99999999999999999999.json",
            "README.md",
        ] {
            assert_eq!(number_of(Some(name)), None, "{name}");
        }
    }
}
