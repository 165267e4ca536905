//! A spine that SQL selects from the sources and the offline tables.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use datafusion::catalog::view::ViewTable;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::common::{Column, TableReference};
use datafusion::datasource::provider_as_source;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder};
use fs_core::{Catalog, ViewName};
use fs_engine::Engine;
use fs_offline::{OfflineStore, OfflineTable, TableSchema, TableVersion};

use super::Origin;
use crate::{Error, Spine, Versions, versions};

impl Spine {
    /// The rows that `sql`, one `SELECT`, takes from the sources of `catalog` and its offline
    /// tables.
    ///
    /// ```text
    ///   SELECT flight, origin, departure AS event_timestamp FROM flights WHERE late
    ///   SELECT DISTINCT carrier, TIMESTAMP '2013-03-01' AS event_timestamp FROM views.carriers
    /// ```
    ///
    /// A table is `sources.NAME`, `views.NAME`, or the name alone where only one of them has it.
    /// Rows come in the order of the sources, unless the query sorts them, and again whenever the
    /// spine is read. Offline tables have the columns of their definition, and are read at the
    /// versions that are `pinned`, or at their newest; [`tables`](Self::tables) tells which.
    /// Nothing but schemas is read here.
    pub async fn sql(
        engine: &Engine,
        offline: &Arc<OfflineStore>,
        catalog: &Catalog,
        sql: &str,
        pinned: Option<&Versions>,
    ) -> Result<Self, Error> {
        let views = Arc::new(Views {
            offline: Arc::clone(offline),
            catalog: catalog.clone(),
            pinned: pinned.cloned(),
            opened: Mutex::default(),
        });
        let tables: Arc<dyn SchemaProvider> = Arc::clone(&views) as _;
        let query = engine.query(catalog, tables, sql).await;
        let origin = Origin::Query(query.map_err(Error::of_engine)?);
        let opened = views.opened.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Self::of_tables(origin, opened.clone()))
    }
}

/// The offline tables, each opened when a query names it.
#[derive(Debug)]
struct Views {
    offline: Arc<OfflineStore>,
    catalog: Catalog,
    pinned: Option<Versions>,
    opened: Mutex<BTreeMap<ViewName, TableVersion>>,
}

#[async_trait]
impl SchemaProvider for Views {
    fn table_names(&self) -> Vec<String> {
        let views = self.catalog.feature_views.keys();
        views.map(ToString::to_string).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        let Some(view) = self.catalog.feature_views.get(name) else {
            return Ok(None);
        };
        let version = versions::of_view(&self.offline, &view.name, self.pinned.as_ref()).await?;
        let schema = TableSchema::of(&self.catalog, view);
        let table = self.offline.table(&schema, Some(version.version)).await;
        let table = table.map_err(|source| Error::history(&view.name, source))?;
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.insert(view.name.clone(), version);
        Ok(Some(Arc::new(defined(table, &schema)?)))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.catalog.feature_views.contains_key(name)
    }
}

/// The columns of the definition: those that say where a row lies are for our operators.
fn defined(table: OfflineTable, schema: &TableSchema) -> DataFusionResult<ViewTable> {
    let name = TableReference::bare(schema.view().as_str());
    let columns = schema.columns().fields().iter();
    let columns = columns.map(|field| Expr::Column(Column::from_name(field.name())));
    let plan = LogicalPlanBuilder::scan(name, provider_as_source(Arc::new(table)), None)?
        .project(columns.collect::<Vec<_>>())?
        .build()?;
    Ok(ViewTable::new(plan, None))
}

#[cfg(test)]
mod tests;
