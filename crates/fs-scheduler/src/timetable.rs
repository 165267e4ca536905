//! The views that have a schedule, and which of them wait for which.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fs_core::{Catalog, Location, ViewName};
use fs_registry::{Registry, Version};
use fs_spec::Lineage;
use tokio::time::timeout;

use crate::Schedule;

/// How long the registry may take to say whether there is a newer version.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where paths of sources are to be looked for, to find out which view is computed from which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The folder of the repo.
    pub base_dir: PathBuf,
    /// The root of the offline tables.
    pub offline_store: Location,
}

/// The scheduled views of one version of the registry.
#[derive(Debug, Default)]
pub(crate) struct Timetable {
    pub(crate) version: u64,
    pub(crate) catalog: Option<Arc<Catalog>>,
    /// Each after those that it is computed from.
    pub(crate) views: Vec<Scheduled>,
}

/// A view with a schedule.
#[derive(Debug, Clone)]
pub(crate) struct Scheduled {
    pub(crate) name: ViewName,
    pub(crate) schedule: Schedule,
    /// The scheduled views that it is computed from.
    pub(crate) upstream: Vec<ViewName>,
}

impl Timetable {
    fn of(version: &Version, places: &Places) -> Self {
        let catalog = Arc::clone(&version.catalog);
        let lineage = Lineage::of(&catalog, &places.base_dir, &places.offline_store);
        let mut views: Vec<Scheduled> = Vec::new();
        for name in lineage.order() {
            let definition = catalog.feature_views.get(name);
            let Some(text) = definition.and_then(|view| view.schedule.as_deref()) else {
                continue;
            };
            let schedule: Schedule = match text.parse() {
                Ok(schedule) => schedule,
                Err(error) => {
                    tracing::error!(view = %name, %error, "a view is not scheduled");
                    continue;
                }
            };
            // Only those that came before: views in a circle would wait for each other for ever.
            let upstream = lineage.upstream(name);
            let upstream = upstream.filter(|above| views.iter().any(|view| view.name == **above));
            let upstream = upstream.cloned().collect();
            let name = name.clone();
            views.push(Scheduled {
                name,
                schedule,
                upstream,
            });
        }
        Self {
            version: version.number,
            catalog: Some(catalog),
            views,
        }
    }

    pub(crate) fn get(&self, view: &ViewName) -> Option<&Scheduled> {
        self.views.iter().find(|scheduled| scheduled.name == *view)
    }

    /// Takes over the newest version of the registry, if there is a newer one.
    pub(crate) async fn refresh(
        &mut self,
        registry: &Registry,
        places: &Places,
    ) -> Result<bool, fs_registry::Error> {
        let newer = timeout(PATIENCE, registry.newer_than(self.version)).await;
        let Ok(newer) = newer else {
            tracing::warn!("the registry does not say whether there is a newer version");
            return Ok(false);
        };
        let newer = match newer? {
            // Old versions may be gone: the next number need not be there.
            None if self.version == 0 => registry.current().await?,
            newer => newer,
        };
        let Some(version) = newer else {
            return Ok(false);
        };
        *self = Self::of(&version, places);
        tracing::info!(
            version = self.version,
            views = self.views.len(),
            "scheduling a version of the registry"
        );
        Ok(true)
    }
}
