//! Answering requests.

use std::sync::Arc;
use std::time::Instant;

use fs_core::{Catalog, Clock, FeatureRequest, Naming};
use fs_online::OnlineStore;
use tracing::Instrument;

use crate::assemble::{Assembly, Outcome, damaged};
use crate::keys::{FetchedRows, Keys};
use crate::layouts::refresh;
use crate::plan_cache::PlanCache;
use crate::telemetry::{Stage, Telemetry};
use crate::{EntityColumns, Error, FeatureVectors, Plan};

/// What takes more than this many units of [`Plan::effort_of`], some 0.3 ms, is opened off the runtime's
/// threads.
const INLINE_EFFORT: usize = 32_768;

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
    telemetry: Telemetry,
}

impl Serving {
    /// Answers from `store`, as of `clock`.
    pub fn new(store: Arc<dyn OnlineStore>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            plans: PlanCache::default(),
            telemetry: Telemetry::default(),
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
            self.telemetry.request(&plan);
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

    /// As [`plan`](Self::plan), of a list of features as a client has written it: reading it again
    /// is not worth the time where the plan is in memory. `read` is for when it is not.
    pub fn plan_as_written<E: From<Error>>(
        &self,
        catalog: &Catalog,
        version: u64,
        written: &[u8],
        naming: Naming,
        read: impl FnOnce() -> Result<FeatureRequest, E>,
    ) -> Result<Arc<Plan>, E> {
        if let Some(plan) = self.plans.get_as_written(version, written, naming) {
            return Ok(plan);
        }
        let plan = self.plan(catalog, version, &read()?, naming)?;
        self.plans.insert_as_written(written, naming, &plan);
        Ok(plan)
    }

    /// The features of `plan` for every entity, as they are now.
    ///
    /// One round trip to the store, whatever the number of views and entities; one more for the
    /// layouts of a view when a row has a layout that was not met before, and one more for each windowed
    /// view of which a key has no state.
    pub async fn get(
        &self,
        plan: &Arc<Plan>,
        entities: &EntityColumns,
    ) -> Result<FeatureVectors, Error> {
        let outcome = self.answer(plan, entities).await;
        self.telemetry.request(&outcome);
        outcome
    }

    async fn answer(
        &self,
        plan: &Arc<Plan>,
        entities: &EntityColumns,
    ) -> Result<FeatureVectors, Error> {
        let begun = Instant::now();
        let rows = entities.rows();
        let keys = Keys::of(plan, &entities.bind(plan)?, rows)?;
        let asked = Instant::now();
        self.telemetry.stage(Stage::Keys, asked - begun);

        let span = tracing::debug_span!("store");
        let fetched = async {
            loop {
                let published = self.published(plan).await?;
                let rows = keys.fetch(self.store.as_ref(), plan).await?;
                if self.are_whole(plan, &rows).await? {
                    return Ok::<_, Error>((published, rows));
                }
            }
        };
        let (published, fetched) = fetched.instrument(span).await?;
        let answered = Instant::now();
        self.telemetry.stage(Stage::Store, answered - asked);

        let span = tracing::debug_span!("assemble");
        let vectors = self.assemble(plan, keys, fetched, rows, published);
        let vectors = vectors.instrument(span);
        let vectors = vectors.await?;
        self.telemetry.stage(Stage::Open, answered.elapsed());
        Ok(vectors)
    }

    /// For each lookup, whether there may be something to be found: a windowed view has to be published first.
    async fn published(&self, plan: &Plan) -> Result<Vec<bool>, Error> {
        let mut published = vec![true; plan.lookups.len()];
        for (lookup, published) in plan.lookups.iter().zip(&mut published) {
            if let Some(windows) = &lookup.windows {
                let view = &plan.stored[lookup.stored].id;
                *published = windows.is_published(self.store.as_ref(), view).await?;
            }
        }
        Ok(published)
    }

    /// Whether no row is missing only because the store lost what it had, or got more, meanwhile.
    async fn are_whole(&self, plan: &Plan, fetched: &FetchedRows) -> Result<bool, Error> {
        for lookup in &plan.lookups {
            if let Some(windows) = &lookup.windows
                && let Some(rows) = fetched.get(lookup.stored)
            {
                let view = &plan.stored[lookup.stored].id;
                if !windows.is_whole(self.store.as_ref(), view, rows).await? {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Opens the rows, and learns each lookup's new layouts at most once on the way.
    async fn assemble(
        &self,
        plan: &Arc<Plan>,
        keys: Keys,
        fetched: FetchedRows,
        rows: usize,
        published: Vec<bool>,
    ) -> Result<FeatureVectors, Error> {
        let now = self.clock.now();
        let inline = plan.effort_of(rows, &fetched) <= INLINE_EFFORT;
        let begin = {
            let plan = Arc::clone(plan);
            move || Assembly::of(&plan, &keys, fetched, rows, now, &published)?.finish()
        };
        let mut outcome = here_or_away(inline, begin).await?;
        let mut refreshed = None;
        loop {
            match outcome {
                Outcome::Done(vectors) => return Ok(vectors),
                Outcome::UnknownLayout { lookup, error, .. } if refreshed == Some(lookup) => {
                    return Err(damaged(plan, &plan.lookups[lookup], error));
                }
                Outcome::UnknownLayout { lookup, rest, .. } => {
                    refresh(self.store.as_ref(), plan, lookup).await?;
                    refreshed = Some(lookup);
                    outcome = here_or_away(inline, move || rest.finish()).await?;
                }
            }
        }
    }
}

/// Runs `work` here, or on a thread that may be busy for long.
async fn here_or_away<T: Send + 'static>(
    here: bool,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    if here {
        return work();
    }
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Error::Cancelled)?
}
