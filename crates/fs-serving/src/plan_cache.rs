//! Plans, kept for as long as their registry version is likely to be asked for.

use std::sync::{Arc, PoisonError, RwLock};

use fs_core::{FeatureRequest, Naming};

use hashbrown::HashMap;

use crate::Plan;

/// How many plans are kept. Clients that make up feature lists as they go are no reason to grow.
const MOST: usize = 1024;

/// A list that is written in more bytes is read again every time.
const LONGEST_WRITTEN: usize = 64 << 10;

/// Plans by (registry version, request, naming). Looking one up allocates nothing.
#[derive(Debug, Default)]
pub(crate) struct PlanCache {
    versions: RwLock<HashMap<(u64, Naming), Plans>>,
}

#[derive(Debug, Default)]
struct Plans {
    of_requests: HashMap<FeatureRequest, Arc<Plan>>,
    /// The same plans, by what clients wrote.
    as_written: HashMap<Box<[u8]>, Arc<Plan>>,
}

impl PlanCache {
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        let versions = self.versions.read().unwrap_or_else(PoisonError::into_inner);
        versions.values().map(Plans::len).sum()
    }

    pub(crate) fn get(
        &self,
        version: u64,
        request: &FeatureRequest,
        naming: Naming,
    ) -> Option<Arc<Plan>> {
        let versions = self.versions.read().unwrap_or_else(PoisonError::into_inner);
        let plans = &versions.get(&(version, naming))?.of_requests;
        plans.get(request).cloned()
    }

    pub(crate) fn get_as_written(
        &self,
        version: u64,
        written: &[u8],
        naming: Naming,
    ) -> Option<Arc<Plan>> {
        let versions = self.versions.read().unwrap_or_else(PoisonError::into_inner);
        let plans = &versions.get(&(version, naming))?.as_written;
        plans.get(written).cloned()
    }

    pub(crate) fn insert(&self, request: &FeatureRequest, naming: Naming, plan: &Arc<Plan>) {
        self.keep(naming, plan, |plans, plan| {
            plans.of_requests.insert(request.clone(), plan);
        });
    }

    pub(crate) fn insert_as_written(&self, written: &[u8], naming: Naming, plan: &Arc<Plan>) {
        if written.len() <= LONGEST_WRITTEN {
            self.keep(naming, plan, |plans, plan| {
                plans.as_written.insert(written.into(), plan);
            });
        }
    }

    /// Keeps `plan`. When there is no room, all others go: making a plan again is cheap, and what
    /// is asked for often is back at once.
    fn keep(&self, naming: Naming, plan: &Arc<Plan>, put: impl FnOnce(&mut Plans, Arc<Plan>)) {
        let mut versions = self
            .versions
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if versions.values().map(Plans::len).sum::<usize>() >= MOST {
            versions.clear();
        }
        let version = plan.version();
        // Requests in flight may still hold the version before; older ones are gone.
        versions.retain(|(other, _), _| other.saturating_add(1) >= version);
        put(
            versions.entry((version, naming)).or_default(),
            Arc::clone(plan),
        );
    }
}

impl Plans {
    fn len(&self) -> usize {
        self.of_requests.len() + self.as_written.len()
    }
}
