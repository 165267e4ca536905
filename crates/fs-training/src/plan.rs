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
//! Views that go by several names share one history, which is read once for all of them.

use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::catalog::TableProvider;
use datafusion::common::TableReference;
use datafusion::datasource::provider_as_source;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricsSet;
use fs_core::{
    CREATED_TIMESTAMP, Catalog, EVENT_TIMESTAMP, FILE_NUMBER, FeatureSet, ROW_NUMBER, SEQUENCE,
    ViewName, ViewSelection,
};
use fs_engine::fetch_rows::{FetchColumn, FetchRowsNode};
use fs_engine::point_in_time::exec::{ROWS_MATCHED, ROWS_READ, SPINE_ROWS};
use fs_engine::point_in_time::{
    JoinSpec, PointInTimeJoinExec, PointInTimeJoinNode, PointInTimeSpec, Take,
};
use fs_offline::{OfflineStore, OfflineTable, TableSchema};
use fs_pit::Rule;

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

    fn scans(&self) -> DataFusionResult<Vec<LogicalPlan>> {
        let tables = self.tables.iter();
        tables
            .map(|(view, table)| scan(view.as_str(), Arc::clone(table) as _))
            .collect()
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

fn logical(
    spine: SpineTable,
    features: &FeatureSet,
    histories: &Histories,
) -> DataFusionResult<LogicalPlan> {
    let spec = spec(&spine, features, histories);
    let columns = output(spine.spine_schema(), features, histories);
    let spine = scan("spine", Arc::new(spine))?;
    let join = PointInTimeJoinNode::try_new(spec, spine, histories.scans()?)?.into_plan();
    Ok(FetchRowsNode::try_new(join, histories.scans()?, columns)?.into_plan())
}

fn scan(name: &str, table: Arc<dyn TableProvider>) -> DataFusionResult<LogicalPlan> {
    let name = TableReference::bare(name);
    LogicalPlanBuilder::scan(name, provider_as_source(table), None)?.build()
}

fn spec(spine: &SpineTable, features: &FeatureSet, histories: &Histories) -> PointInTimeSpec {
    let own = spine.spine_schema().fields().iter();
    let joins = features.views.iter().map(|selection| {
        let keys = selection.keys.iter().map(|key| {
            // The spine was opened for these features.
            let of_spine = spine.key_column(&key.column).unwrap_or_default();
            (of_spine.to_owned(), key.key.to_string())
        });
        JoinSpec {
            label: selection.label.to_string(),
            history: histories.of(selection),
            keys: keys.collect(),
            event: EVENT_TIMESTAMP.to_owned(),
            created: Some(CREATED_TIMESTAMP.to_owned()),
            sequence: Some(SEQUENCE.to_owned()),
            rule: Rule::of(&selection.view),
            take: Take::Place {
                file: FILE_NUMBER.to_owned(),
                row: ROW_NUMBER.to_owned(),
                name: place(selection),
            },
        }
    });
    PointInTimeSpec {
        time: spine.time_column().to_owned(),
        spine_columns: own.map(|field| field.name().clone()).collect(),
        joins: joins.collect(),
    }
}

/// The column with the places of the rows of a view; no column of a spine is called like this.
fn place(selection: &ViewSelection) -> String {
    format!("fs:row:{}", selection.label)
}

fn output(spine: &Schema, features: &FeatureSet, histories: &Histories) -> Vec<FetchColumn> {
    let own = spine.fields().iter().map(|field| FetchColumn::Input {
        column: field.name().clone(),
    });
    let fetched = features.columns.iter().map(|column| {
        let selection = &features.views[column.view];
        FetchColumn::Fetched {
            table: histories.of(selection),
            address: place(selection),
            column: selection.view.schema[column.feature].name.to_string(),
            name: column.name.clone(),
        }
    });
    own.chain(fetched).collect()
}
