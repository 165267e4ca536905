//! Where a store lives: a folder of this machine or an object-store URL.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

/// A folder or an object-store URL, always absolute, always ending in `/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Location(Url);

/// A text that is no location.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// A malformed URL.
    #[error("`{text}` is not a URL ({problem})")]
    BadUrl {
        /// The text that was refused.
        text: String,
        /// What the URL parser says.
        problem: url::ParseError,
    },
    /// A URL of a kind that nothing here can open.
    #[error(
        "`{text}` starts with `{scheme}:`, which no store speaks; use a folder, file://, s3://, \
         gs://, az:// or abfss://"
    )]
    UnknownScheme {
        /// The text that was refused.
        text: String,
        /// The scheme that was found.
        scheme: String,
    },
    /// A relative path below a base that is not absolute.
    #[error("`{text}` cannot be made an absolute path")]
    NotAbsolute {
        /// The text that was refused.
        text: String,
    },
}

const SCHEMES: [&str; 10] = [
    "file", "s3", "s3a", "gs", "az", "abfs", "abfss", "adl", "azure", "memory",
];

impl Location {
    /// Reads `text` as a URL, or as a path relative to the absolute folder `base`.
    pub fn parse(base: &Path, text: &str) -> Result<Self, LocationError> {
        if text.contains("://") {
            let mut url = Url::parse(text).map_err(|problem| LocationError::BadUrl {
                text: text.to_owned(),
                problem,
            })?;
            if !SCHEMES.contains(&url.scheme()) {
                return Err(LocationError::UnknownScheme {
                    text: text.to_owned(),
                    scheme: url.scheme().to_owned(),
                });
            }
            if !url.path().ends_with('/') {
                let path = format!("{}/", url.path());
                url.set_path(&path);
            }
            return Ok(Self(url));
        }
        Self::folder(&base.join(text)).ok_or_else(|| LocationError::NotAbsolute {
            text: text.to_owned(),
        })
    }

    /// The location of an absolute folder; `None` if `path` is relative.
    pub fn folder(path: &Path) -> Option<Self> {
        let tidy: PathBuf = path.components().collect();
        Url::from_directory_path(tidy).ok().map(Self)
    }

    /// The location `name` below this one.
    #[must_use]
    pub fn join(&self, name: &str) -> Self {
        let mut url = self.0.clone();
        let path = format!("{}{name}/", url.path());
        url.set_path(&path);
        Self(url)
    }

    /// The URL.
    pub const fn url(&self) -> &Url {
        &self.0
    }

    /// The folder, when this is one of the local file system.
    pub fn to_folder(&self) -> Option<PathBuf> {
        (self.0.scheme() == "file")
            .then(|| self.0.to_file_path().ok())
            .flatten()
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_folder() {
            Some(path) => path.display().fmt(f),
            None => self.0.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_path_is_below_the_base_and_a_url_stands_for_itself() {
        let base = Path::new("/repo");
        let folder = Location::parse(base, ".fs/registry").unwrap();
        assert_eq!(
            folder.to_folder(),
            Some(PathBuf::from("/repo/.fs/registry/"))
        );
        let bucket = Location::parse(base, "s3://bucket/prefix").unwrap();
        assert_eq!(
            bucket.join("flights").to_string(),
            "s3://bucket/prefix/flights/"
        );
    }

    #[test]
    fn a_scheme_that_no_store_speaks_is_refused() {
        let error = Location::parse(Path::new("/"), "ftp://host/x").unwrap_err();
        assert!(error.to_string().contains("s3://"), "{error}");
    }
}
