//! Lookups of feature vectors, for every wire that carries them.
//!
//! A wire runs these inside [`Shared::call`], which bounds and counts the whole.

use std::sync::Arc;

use fs_core::{FeatureRequest, Naming};
use fs_serving::{EntityColumns, FeatureVectors, Plan};

use crate::Error;
use crate::live::Snapshot;
use crate::shared::Shared;

impl Shared {
    /// The plan of a request against the definitions of now. Its version is that of the registry.
    pub(crate) fn plan(
        &self,
        request: &FeatureRequest,
        naming: Naming,
    ) -> Result<(Arc<Snapshot>, Arc<Plan>), Error> {
        let _span = tracing::debug_span!("plan").entered();
        let snapshot = self.live.snapshot()?;
        let serving = &self.serving;
        let plan = serving.plan(&snapshot.catalog, snapshot.version, request, naming)?;
        Ok((snapshot, plan))
    }

    /// As [`plan`](Self::plan), of a list of features that a client has written as these bytes;
    /// `read` makes a request of it, where the plan is not known yet.
    pub(crate) fn plan_as_written(
        &self,
        written: &[u8],
        naming: Naming,
        read: impl FnOnce() -> Result<FeatureRequest, Error>,
    ) -> Result<Arc<Plan>, Error> {
        let _span = tracing::debug_span!("plan").entered();
        let snapshot = self.live.snapshot()?;
        let (catalog, version) = (&snapshot.catalog, snapshot.version);
        let serving = &self.serving;
        serving.plan_as_written(catalog, version, written, naming, read)
    }

    /// The features of `plan` for these entities, if they are not too many.
    pub(crate) async fn vectors(
        &self,
        plan: &Arc<Plan>,
        entities: &EntityColumns,
    ) -> Result<FeatureVectors, Error> {
        let _room = self.room(entities.rows(), plan.columns().len())?;
        Ok(self.serving.get(plan, entities).await?)
    }
}
