//! Which version of each table answers, decided before any of them is read.

use std::collections::BTreeMap;

use fs_core::{FeatureSet, ViewName};
use fs_offline::{OfflineStore, TableVersion};

use crate::{Error, Versions};

/// The versions that answer `features`: those that are `pinned`, or else the newest ones; for the
/// tables that the spine was made of, which are recorded too, those of the spine.
///
/// A pinned version that can no longer be read as it was is an error, and so is a view that nothing
/// is pinned for: the newest rows would be an answer to another question.
pub(crate) async fn choose(
    offline: &OfflineStore,
    features: &FeatureSet,
    registry: u64,
    pinned: Option<&Versions>,
    spine: &BTreeMap<ViewName, TableVersion>,
) -> Result<Versions, Error> {
    let mut versions = Versions {
        registry,
        tables: spine.clone(),
    };
    for selection in &features.views {
        let view = &selection.view.name;
        if versions.tables.contains_key(view) {
            continue;
        }
        let version = of_view(offline, view, pinned).await?;
        versions.tables.insert(view.clone(), version);
    }
    Ok(versions)
}

/// The version of one view: the one that is `pinned`, or else the newest.
pub(crate) async fn of_view(
    offline: &OfflineStore,
    view: &ViewName,
    pinned: Option<&Versions>,
) -> Result<TableVersion, Error> {
    match pinned {
        None => newest(offline, view).await,
        Some(pinned) => kept(offline, view, pinned).await,
    }
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
