//! A training set as one plan of the query engine.
//!
//! ```text
//!   FetchRows            features of the winners only
//!     PointInTimeJoin    which row of each history goes with each row of the spine
//!       spine            its columns, event time and keys
//!       history 1        keys, times, sequence, and where each row is
//!       history 2        …
//!     history 1          the features asked for
//!     history 2          …
//! ```
//!
//! Views that go by several names share one history, which is read once for all of them. Features of
//! windows are made by the join itself, of every row that it reads, so there is nothing to fetch for them.

mod logical;

use std::sync::Arc;

use datafusion::execution::session_state::SessionState;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricsSet;
use fs_core::{Catalog, FeatureSet, ViewName, ViewSelection};
use fs_engine::point_in_time::PointInTimeJoinExec;
use fs_engine::point_in_time::exec::{ROWS_MATCHED, ROWS_READ, SPINE_ROWS};
use fs_offline::{OfflineStore, OfflineTable, TableSchema};

use self::logical::logical;
use crate::spine::SpineTable;
use crate::{Error, Versions, ViewReport};

/// The tables behind a training set, each at one version.
#[derive(Debug)]
pub(crate) struct Histories {
    tables: Vec<(ViewName, Arc<OfflineTable>)>,
}

/// A training set that is planned and not yet run.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    views: Vec<ViewReport>,
}

impl Histories {
    /// Opens the table of every view of `features` once, at its version.
    pub(crate) async fn open(
        offline: &OfflineStore,
        catalog: &Catalog,
        features: &FeatureSet,
        versions: &Versions,
    ) -> Result<Self, Error> {
        let mut tables: Vec<(ViewName, Arc<OfflineTable>)> = Vec::new();
        for selection in &features.views {
            let view = &selection.view;
            if tables.iter().any(|(name, _)| *name == view.name) {
                continue;
            }
            let schema = TableSchema::of(catalog, view);
            let table = offline.table(&schema, versions.of(&view.name)).await;
            let table = table.map_err(|source| Error::history(&view.name, source))?;
            tables.push((view.name.clone(), Arc::new(table)));
        }
        Ok(Self { tables })
    }

    /// Which history the view of `selection` has.
    fn of(&self, selection: &ViewSelection) -> usize {
        let view = &selection.view.name;
        let found = self.tables.iter().position(|(name, _)| name == view);
        // All were opened.
        found.unwrap_or_default()
    }
}

impl Planned {
    /// The plan of `spine` with `features` from `histories`.
    pub(crate) async fn new(
        session: &SessionState,
        spine: SpineTable,
        features: &FeatureSet,
        histories: &Histories,
    ) -> Result<Self, Error> {
        let logical = logical(spine, features, histories).map_err(Error::of_query)?;
        let plan = session.create_physical_plan(&logical).await;
        let views = features.views.iter().map(|selection| {
            let (_, table) = &histories.tables[histories.of(selection)];
            ViewReport {
                view: selection.view.name.clone(),
                label: selection.label.clone(),
                table_version: table.version().version,
                rows_read: 0,
                rows_matched: 0,
            }
        });
        Ok(Self {
            plan: plan.map_err(Error::of_query)?,
            views: views.collect(),
        })
    }

    /// How many rows the spine has, once it has been read.
    pub(crate) fn rows(&self) -> usize {
        let metrics = join_metrics(&self.plan).unwrap_or_default();
        let rows = metrics.sum_by_name(SPINE_ROWS);
        rows.map_or(0, |rows| rows.as_usize())
    }

    /// What each view gave, once the first row of the training set is there.
    pub(crate) fn reports(&self) -> Vec<ViewReport> {
        let metrics = join_metrics(&self.plan).unwrap_or_default();
        let count = |name: &str, label: &ViewName| {
            let of_join = metrics.iter().filter(|metric| {
                let mut labels = metric.labels().iter();
                metric.value().name() == name
                    && labels.any(|of| of.name() == "join" && of.value() == label.as_str())
            });
            of_join.map(|metric| metric.value().as_usize() as u64).sum()
        };
        let mut views = self.views.clone();
        for view in &mut views {
            view.rows_read = count(ROWS_READ, &view.label);
            view.rows_matched = count(ROWS_MATCHED, &view.label);
        }
        views
    }
}

/// What the join below `plan` has counted.
pub(crate) fn join_metrics(plan: &Arc<dyn ExecutionPlan>) -> Option<MetricsSet> {
    if plan.is::<PointInTimeJoinExec>() {
        return plan.metrics();
    }
    plan.children().into_iter().find_map(join_metrics)
}
