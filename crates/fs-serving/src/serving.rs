//! Answering requests.

use std::sync::Arc;
use std::time::Instant;

use fs_core::{Catalog, Clock, FeatureRequest, Naming};
use fs_online::OnlineStore;

use crate::assemble::{Assembled, assemble};
use crate::layouts::refresh;
use crate::lookup::{FetchedRows, Keys};
use crate::plan_cache::PlanCache;
use crate::telemetry::{count_request, record_stage};
use crate::{EntityColumns, Error, FeatureVectors, Plan};

/// Answers of more values than this are decoded off the runtime's threads.
const INLINE_VALUES: usize = 32_768;

/// Answers online requests from one store.
///
/// ```text
///   let plan = serving.plan(&catalog, version, &request, Naming::Short)?;
///   let vectors = serving.get(&plan, &entities).await?;
/// ```
#[derive(Debug)]
pub struct Serving {
    store: Arc<dyn OnlineStore>,
    clock: Arc<dyn Clock>,
    plans: PlanCache,
}

impl Serving {
    /// Answers from `store`, as of `clock`.
    pub fn new(store: Arc<dyn OnlineStore>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            plans: PlanCache::default(),
        }
    }

    /// The store that is read.
    pub fn store(&self) -> &Arc<dyn OnlineStore> {
        &self.store
    }

    /// The plan of `request` against `catalog`, which is version `version` of the registry: from
    /// memory when it was asked for before.
    pub fn plan(
        &self,
        catalog: &Catalog,
        version: u64,
        request: &FeatureRequest,
        naming: Naming,
    ) -> Result<Arc<Plan>, Error> {
        if let Some(plan) = self.plans.get(version, request, naming) {
            return Ok(plan);
        }
        let plan = Plan::resolve(catalog, version, request, naming).map(Arc::new);
        if plan.is_err() {
            count_request(&plan);
        }
        let plan = plan?;
        self.plans.insert(request, naming, &plan);
        Ok(plan)
    }

    /// How many plans are in memory.
    #[cfg(test)]
    pub(crate) fn plans_kept(&self) -> usize {
        self.plans.len()
    }

    /// The features of `plan` for every entity, as they are now.
    ///
    /// One round trip to the store, whatever the number of views and entities; one more for the
    /// layouts of a view when a row has a layout that was not met before.
    pub async fn get(
        &self,
        plan: &Arc<Plan>,
        entities: &EntityColumns,
    ) -> Result<FeatureVectors, Error> {
        let outcome = self.answer(plan, entities).await;
        count_request(&outcome);
        outcome
    }

    async fn answer(
        &self,
        plan: &Arc<Plan>,
        entities: &EntityColumns,
    ) -> Result<FeatureVectors, Error> {
        let rows = entities.rows();
        let keys = Keys::of(plan, &entities.bind(plan)?, rows)?;

        let asked = Instant::now();
        let fetched = keys.fetch(self.store.as_ref(), plan).await?;
        record_stage("store", asked.elapsed());

        let answered = Instant::now();
        let vectors = self.decode(plan, Arc::new(fetched), rows).await?;
        record_stage("decode", answered.elapsed());
        Ok(vectors)
    }

    /// Decodes, and learns each lookup's new layouts at most once on the way.
    async fn decode(
        &self,
        plan: &Arc<Plan>,
        fetched: Arc<FetchedRows>,
        rows: usize,
    ) -> Result<FeatureVectors, Error> {
        let now = self.clock.now();
        let mut refreshed = vec![false; plan.lookups.len()];
        loop {
            let assembled = if rows.saturating_mul(plan.outputs.len()) <= INLINE_VALUES {
                assemble(plan, &fetched, rows, now)?
            } else {
                let (plan, fetched) = (plan.clone(), fetched.clone());
                tokio::task::spawn_blocking(move || assemble(&plan, &fetched, rows, now))
                    .await
                    .map_err(Error::Cancelled)??
            };
            match assembled {
                Assembled::Done(vectors) => return Ok(vectors),
                Assembled::UnknownLayout { lookup, error } => {
                    if std::mem::replace(&mut refreshed[lookup], true) {
                        let view = plan.stored[plan.lookups[lookup].stored].clone();
                        let source = Box::new(error);
                        return Err(Error::Row { view, source });
                    }
                    refresh(self.store.as_ref(), plan, lookup).await?;
                }
            }
        }
    }
}
