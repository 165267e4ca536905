//! What LMDB says, in the words of `fs-online`.

use std::io;
use std::path::Path;

use fs_online::{Error, ViewId};
use heed::MdbError;

/// What can go wrong inside a transaction.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// LMDB refused.
    #[error(transparent)]
    Lmdb(#[from] heed::Error),
    /// What it remembers of a view is wrong.
    #[error("cannot read the {what} of view {view}")]
    Corrupt {
        view: ViewId,
        what: &'static str,
        source: serde_json::Error,
    },
    /// A row or a request is wrong.
    #[error(transparent)]
    Store(#[from] Error),
}

/// The name by which errors call the store.
pub(crate) fn describe(path: &Path) -> String {
    format!("lmdb at {}", path.display())
}

impl Failure {
    /// The error that the caller sees when `operation` fails.
    pub(crate) fn during(self, operation: &'static str, path: &Path) -> Error {
        let store = describe(path);
        let hint = match &self {
            Self::Lmdb(heed::Error::Mdb(MdbError::MapFull)) => {
                Some("drop views, or open it with a greater map")
            }
            Self::Lmdb(heed::Error::Mdb(MdbError::DbsFull)) => {
                Some("this process uses more views than it was opened for")
            }
            Self::Lmdb(heed::Error::Mdb(MdbError::ReadersFull)) => {
                Some("more threads read than it was opened for; try again")
            }
            Self::Lmdb(heed::Error::Io(error)) if is_disk_full(error) => {
                Some("the disk is full; make room and run again")
            }
            _ => None,
        };
        match (self, hint) {
            (Self::Store(error), _) => error,
            (Self::Corrupt { view, what, source }, _) => Error::CorruptState {
                store,
                view,
                what,
                source,
            },
            (Self::Lmdb(_), Some(hint)) => Error::Full {
                store,
                hint: hint.to_owned(),
            },
            (Self::Lmdb(error), None) => Error::Failed {
                store,
                operation,
                source: error.into(),
            },
        }
    }

    /// The error that the caller sees when the folder cannot be opened.
    pub(crate) fn while_opening(self, path: &Path) -> Error {
        let hint = match &self {
            Self::Lmdb(heed::Error::Mdb(
                MdbError::Invalid | MdbError::Corrupted | MdbError::PageNotFound,
            )) => {
                "its data.mdb is damaged or not an LMDB file; move the folder away and publish again"
            }
            Self::Lmdb(heed::Error::Mdb(MdbError::VersionMismatch)) => {
                "its data.mdb is of another LMDB version; move the folder away and publish again"
            }
            Self::Lmdb(heed::Error::Io(error))
                if error.kind() == io::ErrorKind::PermissionDenied =>
            {
                "this user may not read and write it"
            }
            Self::Lmdb(heed::Error::Io(error)) if error.kind() == io::ErrorKind::OutOfMemory => {
                "there is not enough address space for its map; lift the limit (ulimit -v)"
            }
            _ => return self.during("open", path),
        };
        Error::CannotOpen {
            store: describe(path),
            hint,
            source: self.into(),
        }
    }
}

fn is_disk_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
