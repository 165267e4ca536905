//! The logical plan of a training set.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::{Column, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use fs_core::{
    CREATED_TIMESTAMP, EVENT_TIMESTAMP, FILE_NUMBER, FeatureSet, PointInTime, ROW_NUMBER, SEQUENCE,
    ViewSelection, Windows,
};
use fs_engine::fetch_rows::{FetchColumn, FetchRowsNode};
use fs_engine::point_in_time::{JoinSpec, PointInTimeJoinNode, PointInTimeSpec, Take, Windowed};
use fs_pit::Rule;

use super::Histories;
use crate::spine::SpineTable;

/// The plan of `spine` with `features` from `histories`.
pub(super) fn logical(
    spine: SpineTable,
    features: &FeatureSet,
    histories: &Histories,
) -> Result<LogicalPlan> {
    let spec = spec(&spine, features, histories)?;
    let fetched = Fetched::of(features, histories);
    let columns = output(spine.spine_schema(), features, &fetched);
    let spine = scan("spine", Arc::new(spine))?;
    let all = 0..histories.tables.len();
    let join = PointInTimeJoinNode::try_new(spec, spine, histories.scans(all)?)?.into_plan();
    if fetched.histories.is_empty() {
        // Nothing to wait for: rows go on as the join yields them.
        return in_order(join, &columns);
    }
    let tables = histories.scans(fetched.histories)?;
    Ok(FetchRowsNode::try_new(join, tables, columns)?.into_plan())
}

fn in_order(join: LogicalPlan, columns: &[FetchColumn]) -> Result<LogicalPlan> {
    let columns = columns.iter().filter_map(|column| match column {
        FetchColumn::Input { column } => {
            Some(Expr::Column(Column::new_unqualified(column.clone())))
        }
        FetchColumn::Fetched { .. } => None,
    });
    LogicalPlanBuilder::from(join).project(columns)?.build()
}

impl Histories {
    fn scans(&self, tables: impl IntoIterator<Item = usize>) -> Result<Vec<LogicalPlan>> {
        let tables = tables.into_iter().map(|at| &self.tables[at]);
        tables
            .map(|(view, table)| scan(view.as_str(), Arc::clone(table) as _))
            .collect()
    }

    fn schema(&self, history: usize) -> SchemaRef {
        self.tables[history].1.schema()
    }
}

fn scan(name: &str, table: Arc<dyn TableProvider>) -> Result<LogicalPlan> {
    let name = TableReference::bare(name);
    LogicalPlanBuilder::scan(name, provider_as_source(table), None)?.build()
}

/// The histories that columns of the newest rows are fetched from.
struct Fetched {
    histories: Vec<usize>,
    /// For each view that is asked for which of them it is, if it is one.
    of_views: Vec<Option<usize>>,
}

impl Fetched {
    fn of(features: &FeatureSet, histories: &Histories) -> Self {
        let mut fetched = Vec::new();
        let of_views = features.views.iter().map(|selection| {
            if selection.view.windows.is_some() {
                return None;
            }
            let history = histories.of(selection);
            let known = fetched.iter().position(|known| *known == history);
            Some(known.unwrap_or_else(|| {
                fetched.push(history);
                fetched.len() - 1
            }))
        });
        Self {
            of_views: of_views.collect(),
            histories: fetched,
        }
    }
}

fn spec(
    spine: &SpineTable,
    features: &FeatureSet,
    histories: &Histories,
) -> Result<PointInTimeSpec> {
    let own = spine.spine_schema().fields().iter();
    let joins = features.views.iter().enumerate().map(|(at, selection)| {
        let keys = selection.keys.iter().map(|key| {
            // The spine was opened for these features.
            let of_spine = spine.key_column(&key.column).unwrap_or_default();
            (of_spine.to_owned(), key.key.to_string())
        });
        let history = histories.of(selection);
        let rule = Rule::of(&selection.view);
        let take = match &selection.view.windows {
            Some(windows) => {
                let schema = histories.schema(history);
                Take::Windows(windowed(features, at, windows, &schema)?)
            }
            None => Take::Place {
                file: FILE_NUMBER.to_owned(),
                row: ROW_NUMBER.to_owned(),
                name: place(selection),
            },
        };
        // What nothing depends on is not read.
        let ranks = match &take {
            Take::Windows(windowed) => windowed.is_ranked(),
            Take::Columns(_) | Take::Place { .. } => true,
        };
        let hides = rule.point_in_time == PointInTime::KnownAt;
        Ok(JoinSpec {
            label: selection.label.to_string(),
            history,
            keys: keys.collect(),
            event: EVENT_TIMESTAMP.to_owned(),
            created: (ranks || hides).then(|| CREATED_TIMESTAMP.to_owned()),
            sequence: ranks.then(|| SEQUENCE.to_owned()),
            rule,
            take,
        })
    });
    Ok(PointInTimeSpec {
        time: spine.time_column().to_owned(),
        spine_columns: own.map(|field| field.name().clone()).collect(),
        joins: joins.collect::<Result<_>>()?,
    })
}

/// What is asked for of view `view`, under the names that the training set has for it.
fn windowed(
    features: &FeatureSet,
    view: usize,
    windows: &Windows,
    history: &Schema,
) -> Result<Windowed> {
    let name = |feature| {
        let mut columns = features.columns.iter();
        let column = columns.find(|column| column.view == view && column.feature == feature);
        column.map(|column| column.name.clone())
    };
    let label = features.views[view].label.as_str();
    Windowed::new(label, windows, name, history)
}

/// The column with the places of the rows of a view; no column of a spine is called like this.
fn place(selection: &ViewSelection) -> String {
    format!("fs:row:{}", selection.label)
}

fn output(spine: &Schema, features: &FeatureSet, fetched: &Fetched) -> Vec<FetchColumn> {
    let own = spine.fields().iter().map(|field| FetchColumn::Input {
        column: field.name().clone(),
    });
    let asked = features
        .columns
        .iter()
        .map(|column| match fetched.of_views[column.view] {
            None => FetchColumn::Input {
                column: column.name.clone(),
            },
            Some(table) => {
                let selection = &features.views[column.view];
                FetchColumn::Fetched {
                    table,
                    address: place(selection),
                    column: selection.view.schema[column.feature].name.to_string(),
                    name: column.name.clone(),
                }
            }
        });
    own.chain(asked).collect()
}
