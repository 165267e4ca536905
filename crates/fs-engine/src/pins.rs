//! What of each source is read: the files of one listing, or one version of a Delta table.
//!
//! A run reads a source many times: for its columns, for its late rows, chunk by chunk. All of that
//! has to see the same source, so the first look is kept and the others use it:
//!
//! | Source | Kept | A later change |
//! |---|---|---|
//! | files | path, size, time and tag of each | of a file that was listed: is found out; a new file: belongs to the next run |
//! | Delta | the table at its version | is not seen; that version stays what it is, until it is vacuumed |
//! | SQL | nothing of its own: what it selects from | as there |

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use deltalake::DeltaTable;
use fs_core::SourceName;
use object_store::ObjectMeta;

use crate::files::Files;

/// What was read of each source at the first look. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pins {
    found: Arc<Mutex<BTreeMap<SourceName, Pin>>>,
}

/// What is read of one source.
#[derive(Debug, Clone)]
pub(crate) enum Pin {
    /// These files.
    Files(Files),
    /// The table at this version.
    Delta(DeltaTable),
}

impl Pins {
    /// What is read of a source, if somebody has looked at it.
    pub(crate) fn get(&self, source: &SourceName) -> Option<Pin> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.get(source).cloned()
    }

    /// Keeps what the first look found; what is kept already wins.
    pub(crate) fn keep(&self, source: &SourceName, pin: Pin) -> Pin {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.entry(source.clone()).or_insert(pin).clone()
    }

    /// Everything that is kept, by name.
    pub(crate) fn all(&self) -> BTreeMap<SourceName, Pin> {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        found.clone()
    }
}

impl Pin {
    /// Everything that tells this state of the source from any other, as text.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Files(files) => {
                let lines = files.list.iter().map(|file| {
                    let name = files.display(file);
                    format!("{name}\t{}", marks(file))
                });
                lines.collect::<Vec<_>>().join("\n")
            }
            Self::Delta(table) => {
                let id = table.snapshot().map(|state| state.metadata().id());
                let id = id.unwrap_or_default();
                format!("{}\t{id}\t{:?}", table.table_url(), table.version())
            }
        }
    }
}

/// The first file of `pinned` that is not as it was; `now` is what is there.
pub(crate) fn replaced<'a>(pinned: &'a Files, now: &Files) -> Option<&'a ObjectMeta> {
    let now: BTreeMap<&str, String> = now
        .list
        .iter()
        .map(|file| (file.location.as_ref(), marks(file)))
        .collect();
    pinned
        .list
        .iter()
        .find(|file| now.get(file.location.as_ref()) != Some(&marks(file)))
}

fn marks(file: &ObjectMeta) -> String {
    let time = file.last_modified.timestamp_micros();
    let tag = file.e_tag.as_deref().unwrap_or_default();
    let version = file.version.as_deref().unwrap_or_default();
    format!("{}\t{time}\t{tag}\t{version}", file.size)
}
