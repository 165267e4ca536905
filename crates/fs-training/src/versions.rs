//! Which version of each table answers, decided before any of them is read.

use fs_core::{FeatureSet, ViewName};
use fs_offline::{OfflineStore, TableVersion};

use crate::{Error, Versions};

/// The versions that answer `features`: those that are `pinned`, or else the newest ones.
///
/// A pinned version that can no longer be read as it was is an error, and so is a view that nothing
/// is pinned for: the newest rows would be an answer to another question.
pub(crate) async fn choose(
    offline: &OfflineStore,
    features: &FeatureSet,
    registry: u64,
    pinned: Option<&Versions>,
) -> Result<Versions, Error> {
    let mut versions = Versions {
        registry,
        tables: std::collections::BTreeMap::new(),
    };
    for selection in &features.views {
        let view = &selection.view.name;
        if versions.tables.contains_key(view) {
            continue;
        }
        let version = match pinned {
            None => newest(offline, view).await?,
            Some(pinned) => kept(offline, view, pinned).await?,
        };
        versions.tables.insert(view.clone(), version);
    }
    Ok(versions)
}

async fn newest(offline: &OfflineStore, view: &ViewName) -> Result<TableVersion, Error> {
    let newest = offline.newest(view).await;
    let newest = newest.map_err(|source| Error::history(view, source))?;
    newest.ok_or_else(|| Error::NotMaterialized { view: view.clone() })
}

async fn kept(
    offline: &OfflineStore,
    view: &ViewName,
    pinned: &Versions,
) -> Result<TableVersion, Error> {
    let wanted = pinned
        .tables
        .get(view)
        .ok_or_else(|| Error::NotPinned { view: view.clone() })?;
    let kept = offline.ensure_kept(view, wanted).await;
    kept.map_err(|source| Error::history(view, source))?;
    Ok(wanted.clone())
}

impl Versions {
    /// The version of the table of `view` that is read.
    pub(crate) fn of(&self, view: &ViewName) -> Option<i64> {
        self.tables.get(view).map(|table| table.version)
    }
}
