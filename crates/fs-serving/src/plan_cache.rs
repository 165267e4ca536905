//! Plans, kept for as long as their registry version is likely to be asked for.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use fs_core::{FeatureRequest, Naming};

use crate::Plan;

/// How many plans are kept. Clients that make up feature lists as they go are no reason to grow.
const MOST: usize = 1024;

/// Plans by (registry version, request, naming).
#[derive(Debug, Default)]
pub(crate) struct PlanCache {
    versions: RwLock<HashMap<(u64, Naming), Plans>>,
}

type Plans = HashMap<FeatureRequest, Arc<Plan>>;

impl PlanCache {
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        let versions = self.versions.read().unwrap_or_else(PoisonError::into_inner);
        versions.values().map(HashMap::len).sum()
    }

    pub(crate) fn get(
        &self,
        version: u64,
        request: &FeatureRequest,
        naming: Naming,
    ) -> Option<Arc<Plan>> {
        let versions = self.versions.read().unwrap_or_else(PoisonError::into_inner);
        versions.get(&(version, naming))?.get(request).cloned()
    }

    /// Keeps `plan`. When there is no room, all others go: making a plan again is cheap, and what
    /// is asked for often is back at once.
    pub(crate) fn insert(&self, request: &FeatureRequest, naming: Naming, plan: &Arc<Plan>) {
        let mut versions = self
            .versions
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if versions.values().map(HashMap::len).sum::<usize>() >= MOST {
            versions.clear();
        }
        let version = plan.version();
        // Requests in flight may still hold the version before; older ones are gone.
        versions.retain(|(other, _), _| other.saturating_add(1) >= version);
        versions
            .entry((version, naming))
            .or_default()
            .insert(request.clone(), plan.clone());
    }
}
