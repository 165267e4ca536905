//! [`SpineTable`]: a spine as a table of the query engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use fs_core::{FeatureSet, ViewName};
use fs_offline::TableVersion;

use super::columns::{self, Column, Kind};
use super::exec::SpineExec;
use super::origin::Origin;
use super::{Content, check_names, csv, keys, times};
use crate::{Error, Spine};

/// A spine that fits the features asked for, as a table with what the joins need of it.
///
/// ```text
///   spine                          table
///   usr  t           label         usr  t           label  fs:time               fs:key:usr
///   i32  string      bool          i32  string      bool   timestamp[us,UTC]     int64
///   7    2013-01-01  true          7    2013-01-01  true   2013-01-01 00:00:00Z  7
///   null 2013-01-02  false         null 2013-01-02  false  2013-01-02 00:00:00Z  null
/// ```
///
/// One partition, with the rows in the order of the spine. Its own columns come back untouched;
/// `fs:time` is the event time of the row, never null, and `fs:key:<column>` a key column with the
/// type of its join key. A column that has that type already is shared, not copied. A value that
/// does not fit ends the stream with an error that counts rows from the start of the spine;
/// [`Error::of_query`] takes it out of what the query engine makes of it.
#[derive(Debug, Clone)]
pub struct SpineTable {
    origin: Origin,
    columns: Vec<Column>,
    schema: SchemaRef,
    tables: BTreeMap<ViewName, TableVersion>,
}

impl Spine {
    /// Checks the spine against the features asked for, as far as its columns tell.
    ///
    /// `timestamp_field` names the column with the event time; without it, it is
    /// `event_timestamp` or the only timestamp column. Values are checked as they are read, except
    /// those of a CSV file, which get their types here.
    pub async fn open(
        self,
        features: &FeatureSet,
        timestamp_field: Option<&str>,
    ) -> Result<SpineTable, Error> {
        let tables = self.tables.clone();
        let origin = self.typed(features).await?;
        origin.check()?;
        let schema = origin.schema();
        check_names(schema, features)?;
        let keys = keys::key_columns(schema, features)?;
        let time = times::choose(schema, features, timestamp_field)?;
        let columns = columns::columns(schema, time, keys);
        Ok(SpineTable {
            schema: columns::schema(&columns, schema),
            columns,
            origin,
            tables,
        })
    }

    /// The rows with typed columns.
    pub(super) async fn typed(self, features: &FeatureSet) -> Result<Origin, Error> {
        match self.content {
            Content::Typed(origin) => Ok(origin),
            Content::Text(table) => {
                let features = features.clone();
                tokio::task::spawn_blocking(move || csv::typed(&table, &features))
                    .await
                    .map_err(|_stopped| Error::Interrupted)?
                    .map(Origin::Batches)
            }
        }
    }
}

impl SpineTable {
    /// The columns of the spine itself, with its metadata.
    pub fn spine_schema(&self) -> &SchemaRef {
        self.origin.schema()
    }

    /// The column with the event time.
    pub fn time_column(&self) -> &str {
        self.made(|kind| *kind == Kind::Time).unwrap_or_default()
    }

    /// The column with the keys of the spine's `column`; `None` if no view looks up anything by it.
    pub fn key_column(&self, column: &str) -> Option<&str> {
        self.made(|kind| matches!(kind, Kind::Key(key) if key.column == column))
    }

    /// The number of rows, where it is known without reading them.
    pub fn rows(&self) -> Option<usize> {
        self.origin.rows()
    }

    /// The offline tables that the rows come from, and their versions.
    pub const fn tables(&self) -> &BTreeMap<ViewName, TableVersion> {
        &self.tables
    }

    fn made(&self, wanted: impl Fn(&Kind) -> bool) -> Option<&str> {
        let column = self.columns.iter().find(|column| wanted(&column.kind))?;
        Some(column.field.name())
    }

    /// The plan that makes the columns at these positions.
    pub(super) fn plan(&self, wanted: &[usize]) -> Result<Arc<dyn ExecutionPlan>, Error> {
        let mut columns: Vec<Column> = wanted.iter().map(|at| self.columns[*at].clone()).collect();
        let read: BTreeSet<usize> = columns.iter().map(|column| column.from).collect();
        let read: Vec<usize> = read.into_iter().collect();
        for column in &mut columns {
            // Every one is there: `read` was made of them.
            column.from = read.binary_search(&column.from).unwrap_or_default();
        }
        let schema = columns::schema(&columns, self.spine_schema());
        let input = self.origin.scan(read)?;
        Ok(Arc::new(SpineExec::new(
            input,
            columns,
            schema,
            self.origin.clone(),
        )))
    }
}

#[async_trait]
impl TableProvider for SpineTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let all = || (0..self.columns.len()).collect();
        let wanted = projection.cloned().unwrap_or_else(all);
        Ok(self.plan(&wanted)?)
    }
}

#[cfg(test)]
mod tests;
