//! Numbered objects of one project's registry: names, put-if-absent, and a deadline on every call.
//!
//! ```text
//!   <location>/<project>/versions/<20 digits>.json         the versions
//!   <location>/<project>/leases/<view>/<20 digits>.json    the lease of a view
//! ```
//!
//! Put-if-absent is atomic everywhere: S3, GCS and Azure check a header on the server; on a local
//! file system `object_store` writes a staging file (`….json#1`) and hard-links it to its name, which
//! fails if the name is taken. A process that dies in between leaves only the staging file, which no
//! listing shows.

use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fs_core::{EventTime, Location, ProjectName, ViewName};
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutOptions, parse_url_opts};

use crate::Error;

/// How long one call may take, with the retries of the store.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long a call about a lease may take: an answer that comes later than that is of no use.
const LEASE_DEADLINE: Duration = Duration::from_secs(10);

/// The numbered objects of one folder.
#[derive(Debug, Clone)]
pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    /// The folder of the project.
    home: Path,
    /// The same as people know it; ends in `/`.
    home_location: String,
    folder: Path,
    /// The folder as people know it, for errors; ends in `/`.
    location: String,
    deadline: Duration,
    words: &'static Words,
}

/// What is done to the objects of a folder, for errors.
#[derive(Debug)]
struct Words {
    list: &'static str,
    read: &'static str,
    create: &'static str,
    remove: &'static str,
    /// What to do when it is not known whether it was done.
    after_timeout: &'static str,
}

const VERSIONS: Words = Words {
    list: "list versions",
    read: "read a version",
    create: "record a version",
    remove: "remove a version",
    after_timeout: "run `fs plan` to see where it stands",
};

const LEASES: Words = Words {
    list: "list leases",
    read: "read a lease",
    create: "record a lease",
    remove: "remove what was recorded of a lease before",
    after_timeout: "try again",
};

/// An object that a listing shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) number: u64,
    /// When it was written, by the clock of the store.
    pub(crate) written: EventTime,
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

    /// Objects that nobody else sees.
    pub(crate) fn in_memory() -> Self {
        Self {
            store: Arc::new(InMemory::new()),
            home: Path::default(),
            home_location: "memory:/".to_owned(),
            folder: Path::from("versions"),
            location: "memory:/versions/".to_owned(),
            deadline: DEADLINE,
            words: &VERSIONS,
        }
    }

    /// The versions below `root` in an open store.
    pub(crate) fn over(
        store: Arc<dyn ObjectStore>,
        root: &Path,
        location: &Location,
        project: &ProjectName,
    ) -> Self {
        let shown = location.join(project.as_str()).to_string();
        let home = root.clone().join(project.as_str());
        let home_location = format!("{}/", shown.trim_end_matches('/'));
        Self {
            store,
            folder: home.clone().join("versions"),
            location: format!("{home_location}versions/"),
            home,
            home_location,
            deadline: DEADLINE,
            words: &VERSIONS,
        }
    }

    /// The lease of `view` in the same project.
    pub(crate) fn lease_of(&self, view: &ViewName) -> Self {
        Self {
            folder: self.leases().join(view.as_str()),
            location: format!("{}leases/{view}/", self.home_location),
            deadline: self.deadline.min(LEASE_DEADLINE),
            words: &LEASES,
            ..self.clone()
        }
    }

    /// The views of the project that ever had a lease, by name.
    pub(crate) async fn leased_views(&self) -> Result<Vec<ViewName>, Error> {
        let folder = self.leases();
        let listing = self.store.list_with_delimiter(Some(&folder));
        let doing = LEASES.list;
        let listed = self
            .within(doing, listing)
            .await?
            .map_err(|source| self.unavailable(doing, source))?;
        let names = listed.common_prefixes.iter().filter_map(Path::filename);
        // Folders with other names are not ours.
        let mut views: Vec<ViewName> = names.filter_map(|name| name.parse().ok()).collect();
        views.sort_unstable();
        Ok(views)
    }

    fn leases(&self) -> Path {
        self.home.clone().join("leases")
    }

    #[cfg(test)]
    pub(crate) fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Object `number`, for messages.
    pub(crate) fn describe(&self, number: u64) -> String {
        format!("{}{}", self.location, file_name(number))
    }

    /// The numbers of the objects after `after`, ascending. Objects with other names are not ours.
    pub(crate) async fn numbers_after(&self, after: u64) -> Result<Vec<u64>, Error> {
        let offset = self.path(after);
        let listing = self
            .store
            .list_with_offset(Some(&self.folder), &offset)
            .try_filter_map(|object| async move { Ok(number_of(object.location.filename())) })
            .try_collect::<Vec<u64>>();
        let doing = self.words.list;
        let mut numbers = self
            .within(doing, listing)
            .await?
            .map_err(|source| self.unavailable(doing, source))?;
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// All objects, ascending.
    pub(crate) async fn listing(&self) -> Result<Vec<Listed>, Error> {
        let listing = self
            .store
            .list(Some(&self.folder))
            .try_filter_map(|object| async move {
                let written = EventTime::from(object.last_modified);
                let number = number_of(object.location.filename());
                Ok(number.map(|number| Listed { number, written }))
            })
            .try_collect::<Vec<Listed>>();
        let doing = self.words.list;
        let mut objects = self
            .within(doing, listing)
            .await?
            .map_err(|source| self.unavailable(doing, source))?;
        objects.sort_unstable_by_key(|object| object.number);
        Ok(objects)
    }

    /// Whether there is an object `number`.
    pub(crate) async fn exists(&self, number: u64) -> Result<bool, Error> {
        let path = self.path(number);
        let doing = self.words.read;
        match self.within(doing, self.store.head(&path)).await? {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(source) => Err(self.unavailable(doing, source)),
        }
    }

    /// The bytes of object `number`; `None` if there is no such object.
    pub(crate) async fn read(&self, number: u64) -> Result<Option<Bytes>, Error> {
        let path = self.path(number);
        let reading = async { self.store.get(&path).await?.bytes().await };
        let doing = self.words.read;
        match self.within(doing, reading).await? {
            Ok(bytes) => Ok(Some(bytes)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(self.unavailable(doing, source)),
        }
    }

    /// Writes object `number`, unless there is one already.
    pub(crate) async fn create(&self, number: u64, bytes: Bytes) -> Result<Put, Error> {
        let path = self.path(number);
        let options = PutOptions::from(PutMode::Create);
        let writing = self.store.put_opts(&path, bytes.into(), options);
        let doing = self.words.create;
        match self.within(doing, writing).await? {
            Ok(_) => Ok(Put::Created),
            Err(object_store::Error::AlreadyExists { .. }) => Ok(Put::AlreadyThere),
            Err(source) => Err(self.unavailable(doing, source)),
        }
    }

    /// Removes object `number`; it is fine if it is gone already.
    pub(crate) async fn remove(&self, number: u64) -> Result<(), Error> {
        let path = self.path(number);
        let doing = self.words.remove;
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
            .map_err(|_elapsed| self.late(doing, self.deadline))
    }

    /// Recording has taken too long.
    pub(crate) fn timeout(&self, after: Duration) -> Error {
        self.late(self.words.create, after)
    }

    fn late(&self, doing: &'static str, after: Duration) -> Error {
        Error::Timeout {
            doing,
            location: self.location.clone(),
            after,
            then: self.words.after_timeout,
        }
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
