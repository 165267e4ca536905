//! The engine: one runtime for all queries, a fresh session for each.

use std::sync::Arc;

use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use fs_core::{Catalog, EventTime, FeatureView, SourceName};

use crate::conform::least_late;
use crate::pins::Pins;
use crate::source_state::{explained, unchanged};
use crate::tables::{Shared, Tables};
use crate::view_plan::ViewPlan;
use crate::{EngineOptions, Error, Reading, SourceProblem, SourceState, ViewRows, check};

/// How many of the greatest consumers an out-of-memory error names.
const NAMED_CONSUMERS: std::num::NonZeroUsize = std::num::NonZeroUsize::MIN;

/// Reads sources.
///
/// One runtime (memory pool, spill files, object stores, caches) serves all queries; every query
/// gets a session of its own, which knows nothing but the sources of its catalog.
#[derive(Debug, Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

impl Engine {
    /// An engine with its own memory pool; it reads nothing yet.
    pub fn new(mut options: EngineOptions) -> Result<Self, Error> {
        options.base_dir = std::path::absolute(&options.base_dir).unwrap_or(options.base_dir);
        let mut runtime = RuntimeEnvBuilder::new();
        if let Some(limit) = options.memory_limit {
            let pool = TrackConsumersPool::new(FairSpillPool::new(limit), NAMED_CONSUMERS);
            runtime = runtime.with_memory_pool(Arc::new(pool));
        }
        let runtime = runtime.build_arc().map_err(Error::Start)?;
        Ok(Self {
            shared: Arc::new(Shared { options, runtime }),
        })
    }

    /// The rows of `view` whose event time lies in the range, in the order of the source.
    ///
    /// Reads nothing but schemas before the stream is polled. The event-time filter and the
    /// columns are pushed down into Parquet and Delta. A stream whose files were replaced while it
    /// was read ends with [`Error::SourceChanged`].
    pub async fn view_rows(
        &self,
        catalog: &Catalog,
        view: &FeatureView,
        reading: Reading<'_>,
    ) -> Result<ViewRows, Error> {
        let tables = self.pinned(catalog, reading.state);
        let rows = async { ViewPlan::open(&tables, view).await?.rows(&reading).await }.await;
        let rows = explained(&tables, rows).await?;
        Ok(ViewRows {
            schema: rows.schema,
            stream: unchanged(rows.stream, tables),
        })
    }

    /// The least event time among the rows of `view` that became known at or after `watermark`
    /// and have an event time before it; `None` if there are none or no created time is recorded.
    pub async fn late_start(
        &self,
        catalog: &Catalog,
        view: &FeatureView,
        watermark: EventTime,
        state: &SourceState,
    ) -> Result<Option<EventTime>, Error> {
        let tables = self.pinned(catalog, state);
        let late = async {
            let plan = ViewPlan::open(&tables, view).await?;
            plan.late(watermark.as_micros()).await
        };
        let Some(rows) = explained(&tables, late.await).await? else {
            return Ok(None);
        };
        let rows = unchanged(rows, tables.clone());
        least_late(rows, &format!("view `{}`", view.name), watermark).await
    }

    /// The names of the columns of a source, after its `field_mapping`.
    ///
    /// Reads metadata and, of CSV and JSON, a sample; no rows.
    pub async fn source_columns(
        &self,
        catalog: &Catalog,
        source: &SourceName,
    ) -> Result<Vec<String>, Error> {
        let tables = self.tables(catalog);
        let opened = tables.open(tables.source(source)?).await?;
        let schema = opened.table.schema();
        let names = schema.fields().iter().map(|field| field.name().clone());
        Ok(names.collect())
    }

    /// What is wrong with a source: its files, its query, its times, its mapping.
    ///
    /// Reads metadata and, of CSV and JSON, a sample; no rows.
    pub async fn check_source(&self, catalog: &Catalog, source: &SourceName) -> Vec<SourceProblem> {
        let tables = self.tables(catalog);
        match tables.source(source) {
            Ok(source) => check::source(&tables, source).await,
            // A catalog whose references resolve has the source.
            Err(_) => Vec::new(),
        }
    }

    /// What is wrong with a view; the problems of its source come first, and alone when the source
    /// cannot be read at all.
    pub async fn check_view(&self, catalog: &Catalog, view: &FeatureView) -> Vec<SourceProblem> {
        let mut problems = self.check_source(catalog, &view.source).await;
        let unreadable = problems.iter().any(SourceProblem::hides_columns);
        if !unreadable {
            problems.extend(check::view(&self.tables(catalog), view).await);
        }
        problems
    }

    /// What is wrong with every source and every view, each problem once.
    pub async fn check(&self, catalog: &Catalog) -> Vec<SourceProblem> {
        let mut problems = Vec::new();
        for source in catalog.sources.keys() {
            problems.extend(self.check_source(catalog, source).await);
        }
        for view in catalog.feature_views.values() {
            for problem in self.check_view(catalog, view).await {
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
        }
        problems
    }

    pub(crate) fn tables(&self, catalog: &Catalog) -> Tables {
        Tables::new(Arc::clone(&self.shared), catalog, Pins::default())
    }

    /// The sources as they were when `state` was taken.
    pub(crate) fn pinned(&self, catalog: &Catalog, state: &SourceState) -> Tables {
        Tables::new(Arc::clone(&self.shared), catalog, state.pins.clone())
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }
}
