//! From the `path:` of a source to the files that it means, in a fixed order.
//!
//! A path is a file, a folder or a glob (`*`, `?`, `[a-z]`, `**`), on this machine or at a URL. A
//! folder means every file below it with an ending of the format, hidden ones (`.x`, `_x`) left
//! out; a file and a glob mean what they name, whatever it is called. Files come sorted by path:
//! together with the order inside each file that is the order of the source.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use fs_core::SourceName;
use futures::TryStreamExt;
use glob::{MatchOptions, Pattern};
use object_store::path::Path as ObjectPath;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use url::Url;

use crate::{EngineOptions, Error};

const GLOB_CHARACTERS: [char; 3] = ['*', '?', '['];

const GLOB_OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// Files of one store, sorted by path.
#[derive(Debug, Clone)]
pub(crate) struct Files {
    pub store: Arc<dyn ObjectStore>,
    pub store_url: ObjectStoreUrl,
    pub list: Vec<ObjectMeta>,
}

impl Files {
    /// A file as people would write it.
    pub(crate) fn display(&self, file: &ObjectMeta) -> String {
        let store = self.store_url.as_str().trim_end_matches('/');
        match store {
            "file://" => format!("/{}", file.location),
            other => format!("{other}/{}", file.location),
        }
    }
}

/// A path and what is needed to look for it.
pub(crate) struct Finder<'a> {
    pub options: &'a EngineOptions,
    pub runtime: &'a RuntimeEnv,
    pub source: &'a SourceName,
    pub path: &'a str,
}

/// Where to look, and for what.
struct Place {
    store: Arc<dyn ObjectStore>,
    store_url: ObjectStoreUrl,
    root: ObjectPath,
    /// Relative to `root`.
    pattern: Option<Pattern>,
    resolved: String,
}

impl Finder<'_> {
    /// The files that the path means; at least one.
    ///
    /// `endings` says which files of a folder count.
    pub(crate) async fn find(&self, endings: &[&str]) -> Result<Files, Error> {
        let place = if let Some(url) = self.url()? {
            self.remote(&url)?
        } else {
            self.local().await?
        };
        let mut files = self.list(&place, endings).await?;
        files.sort_unstable_by(|a, b| a.location.as_ref().cmp(b.location.as_ref()));
        if files.is_empty() {
            let hint = match place.pattern {
                Some(_) => "check the pattern; `*` stays inside a folder, `**/` goes below",
                None => "it has no file of the source's format in it",
            };
            return Err(self.nothing(place.resolved, hint));
        }
        Ok(Files {
            store: place.store,
            store_url: place.store_url,
            list: files,
        })
    }

    /// The root of a Delta table.
    pub(crate) async fn table_root(&self) -> Result<Url, Error> {
        if let Some(url) = self.url()? {
            return Ok(url);
        }
        let folder = self.on_disk();
        let Ok(canonical) = tokio::fs::canonicalize(&folder).await else {
            return Err(self.nothing(
                folder.display().to_string(),
                "write the table first, or fix the path",
            ));
        };
        Url::from_directory_path(&canonical).map_err(|()| self.bad("not an absolute path"))
    }

    /// The path as a URL of some object store; `None` for this machine's files.
    fn url(&self) -> Result<Option<Url>, Error> {
        if !self.path.contains("://") || self.path.starts_with("file://") {
            return Ok(None);
        }
        let url = Url::parse(self.path).map_err(|cause| self.bad(cause))?;
        Ok(Some(url))
    }

    fn on_disk(&self) -> PathBuf {
        match self.path.strip_prefix("file://") {
            Some(path) => PathBuf::from(path),
            None => self.options.base_dir.join(self.path),
        }
    }

    async fn local(&self) -> Result<Place, Error> {
        let wanted = self.on_disk();
        let resolved = wanted.display().to_string();
        let exists = tokio::fs::try_exists(&wanted).await.unwrap_or(false);
        let (root, pattern) = if exists {
            (wanted, None)
        } else {
            split_glob(&wanted)
                .ok_or_else(|| self.nothing(resolved.clone(), "create it, or fix the path"))?
        };
        let canonical = tokio::fs::canonicalize(&root)
            .await
            .map_err(|_missing| self.nothing(resolved.clone(), "its folder does not exist"))?;
        let store_url = ObjectStoreUrl::local_filesystem();
        Ok(Place {
            store: self
                .runtime
                .object_store(&store_url)
                .map_err(|cause| self.bad(cause))?,
            store_url,
            root: ObjectPath::from_absolute_path(&canonical).map_err(|cause| self.bad(cause))?,
            pattern: pattern
                .map(|text| Pattern::new(&text))
                .transpose()
                .map_err(|cause| self.bad(cause))?,
            resolved,
        })
    }

    fn remote(&self, url: &Url) -> Result<Place, Error> {
        let base = &url[..url::Position::BeforePath];
        let store_url = ObjectStoreUrl::parse(base).map_err(|cause| self.bad(cause))?;
        let store = if let Ok(store) = self.runtime.object_store(&store_url) {
            store
        } else {
            let (store, _) = object_store::parse_url_opts(url, &self.options.storage_options)
                .map_err(|cause| self.bad(cause))?;
            let store: Arc<dyn ObjectStore> = Arc::from(store);
            self.runtime
                .register_object_store(store_url.as_ref(), Arc::clone(&store));
            store
        };
        // A glob may hold `?`, which a URL takes for a query.
        let path = self.path.get(base.len()..).unwrap_or_default();
        let path = path.trim_start_matches('/');
        let (root, pattern) = match path.find(GLOB_CHARACTERS) {
            None => (path, None),
            Some(at) => {
                let folder = path[..at].rfind('/').map_or(0, |slash| slash + 1);
                (&path[..folder], Some(&path[folder..]))
            }
        };
        Ok(Place {
            store,
            store_url,
            root: ObjectPath::from_url_path(root).map_err(|cause| self.bad(cause))?,
            pattern: pattern
                .map(Pattern::new)
                .transpose()
                .map_err(|cause| self.bad(cause))?,
            resolved: url.to_string(),
        })
    }

    async fn list(&self, place: &Place, endings: &[&str]) -> Result<Vec<ObjectMeta>, Error> {
        if place.pattern.is_none() && !place.root.as_ref().is_empty() {
            match place.store.head(&place.root).await {
                Ok(file) => return Ok(vec![file]),
                Err(object_store::Error::NotFound { .. }) => {}
                Err(_) if is_local(&place.store_url) => {}
                Err(cause) => return Err(self.unreachable(cause)),
            }
        }
        let found: Vec<ObjectMeta> = place
            .store
            .list(Some(&place.root))
            .try_collect()
            .await
            .map_err(|cause| self.unreachable(cause))?;
        let wanted = |file: &ObjectMeta| {
            let Some(parts) = file.location.prefix_match(&place.root) else {
                return false;
            };
            let parts: Vec<_> = parts.map(|part| part.as_ref().to_owned()).collect();
            match &place.pattern {
                Some(pattern) => pattern.matches_with(&parts.join("/"), GLOB_OPTIONS),
                None => is_data_file(&parts, endings),
            }
        };
        Ok(found.into_iter().filter(wanted).collect())
    }

    pub(crate) fn nothing(&self, resolved: String, hint: impl Into<String>) -> Error {
        Error::NoFiles {
            source_name: self.source.clone(),
            path: self.path.to_owned(),
            resolved,
            hint: hint.into(),
        }
    }

    fn bad(&self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error::BadPath {
            source_name: self.source.clone(),
            path: self.path.to_owned(),
            cause: cause.into(),
        }
    }

    fn unreachable(&self, cause: object_store::Error) -> Error {
        Error::Unreachable {
            location: self.path.to_owned(),
            cause: Box::new(cause),
        }
    }
}

impl fmt::Debug for Finder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finder")
            .field("source", self.source)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

fn is_local(store: &ObjectStoreUrl) -> bool {
    *store == ObjectStoreUrl::local_filesystem()
}

fn is_data_file(parts: &[String], endings: &[&str]) -> bool {
    let hidden = parts.iter().any(|part| part.starts_with(['.', '_']));
    let ending = parts.last().is_some_and(|name| {
        let name = name.to_ascii_lowercase();
        endings.iter().any(|ending| name.ends_with(ending))
    });
    !hidden && ending
}

/// The folder above the first part with a glob character, and the rest; `None` without one.
fn split_glob(path: &Path) -> Option<(PathBuf, Option<String>)> {
    let parts: Vec<_> = path.components().collect();
    let first = parts
        .iter()
        .position(|part| part.as_os_str().to_string_lossy().contains(GLOB_CHARACTERS))?;
    let root = parts.iter().take(first).collect();
    let pattern: Vec<_> = parts
        .iter()
        .skip(first)
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    Some((root, Some(pattern.join("/"))))
}
