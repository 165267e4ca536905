//! SQL of whoever asks for a training set: one `SELECT` over sources and offline tables.
//!
//! ```text
//!   FROM flights              the source or the view of that name
//!   FROM sources.flights      the source
//!   FROM views.weather        the offline table of the view
//! ```
//!
//! Nothing is opened but the tables that the query names, and nothing can be written. Rows come in
//! the order of the sources, unless the query sorts them. Names mean what is written, in any letter
//! case.

mod names;
mod problem;

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::context::{SQLOptions, SessionContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::DataFrame;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast;
use fs_core::Catalog;
use futures::{TryStreamExt, stream};

use crate::tables::{CATALOG, SCHEMA, Tables};
use crate::{Engine, Error, in_order};
use names::Names;
pub(crate) use problem::of_plan;

/// The schema of the offline tables.
const VIEWS: &str = "views";
/// The schema of names that say nothing of where they belong.
const ANY: &str = "any";

/// A query that was planned, and can run again and again.
#[derive(Clone)]
pub struct Query {
    frame: DataFrame,
    schema: SchemaRef,
}

impl Engine {
    /// Plans one `SELECT` over the sources of `catalog` and the tables of `views`.
    ///
    /// Reads nothing but schemas. Anything else than one `SELECT` is [`Error::BadSql`], and so are
    /// names that nothing has, or both a source and a view without saying which is meant; the error
    /// says where, and what may have been meant.
    pub async fn query(
        &self,
        catalog: &Catalog,
        views: Arc<dyn SchemaProvider>,
        sql: &str,
    ) -> Result<Query, Error> {
        let tables = self.tables(catalog);
        let config = tables.shared.sorting_config();
        let mut config = config.with_default_catalog_and_schema(CATALOG, ANY);
        config.options_mut().sql_parser.collect_spans = true;
        let session = in_order::session(config, &tables.shared.runtime);
        let (statement, select) = parsed(&session, sql)?;
        let named = session.state().resolve_table_references(&statement);
        let named = named.map_err(|error| of_plan(&error))?;
        Names::new(&tables, views.as_ref()).check(&select, &named)?;
        register(&session, tables, views);
        let failed = |error: DataFusionError| match Error::of_query("the SQL".to_owned(), error) {
            Error::Query { cause, .. } if problem::is_of_sql(&cause) => of_plan(&cause),
            error => error,
        };
        let plan = session.state().statement_to_plan(statement).await;
        let plan = plan.map_err(failed)?;
        read_only().verify_plan(&plan).map_err(failed)?;
        let query = Query::of(DataFrame::new(session.state(), plan));
        // What cannot be run is found out now.
        let plan = query.frame.clone().create_physical_plan().await;
        plan.map_err(failed)?;
        Ok(query)
    }

    /// A session for plans that are made by hand, in as many partitions as there are processors.
    pub fn session(&self) -> SessionContext {
        let shared = self.shared();
        SessionContext::new_with_config_rt(shared.sorting_config(), Arc::clone(&shared.runtime))
    }
}

impl Query {
    /// The rows of `frame`, whose order is that of its partitions, one after the other.
    pub fn of(frame: DataFrame) -> Self {
        let schema = Arc::clone(frame.schema().inner());
        Self { frame, schema }
    }

    /// The columns.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows as one stream. Planned and started when it is polled.
    pub fn rows(&self) -> SendableRecordBatchStream {
        let rows = stream::once(in_order::run(self.frame.clone())).try_flatten();
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            rows,
        ))
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Query")
            .field(self.frame.logical_plan())
            .finish()
    }
}

fn read_only() -> SQLOptions {
    SQLOptions::new()
        .with_allow_ddl(false)
        .with_allow_dml(false)
        .with_allow_statements(false)
}

/// The one query that `sql` is; twice, because planning consumes it.
fn parsed(session: &SessionContext, sql: &str) -> Result<(Statement, Box<ast::Query>), Error> {
    let depth = session.state().config_options().sql_parser.recursion_limit;
    let parser = DFParserBuilder::new(sql).with_recursion_limit(depth.get());
    let statements = parser
        .build()
        .and_then(|mut parser| parser.parse_statements());
    let mut statements = statements.map_err(|error| of_plan(&error))?;
    let one = match (statements.pop_front(), statements.len()) {
        (Some(Statement::Statement(statement)), 0) => match *statement {
            ast::Statement::Query(query) => Some(query),
            _ => None,
        },
        _ => None,
    };
    let query = one.ok_or_else(|| Error::BadSql {
        position: None,
        problem: "it has to be one SELECT: nothing can be created, changed, copied or set, and \
                  no second statement can follow"
            .to_owned(),
    })?;
    let statement = ast::Statement::Query(query.clone());
    Ok((Statement::Statement(Box::new(statement)), query))
}

fn register(session: &SessionContext, tables: Tables, views: Arc<dyn SchemaProvider>) {
    let Some(catalog) = session.catalog(CATALOG) else {
        return;
    };
    let any = AnyTable {
        sources: tables.clone(),
        views: Arc::clone(&views),
    };
    let schemas: [(&str, Arc<dyn SchemaProvider>); 3] = [
        (SCHEMA, Arc::new(tables)),
        (VIEWS, views),
        (ANY, Arc::new(any)),
    ];
    for (name, schema) in schemas {
        // Refused only by catalogs that cannot be written to.
        catalog.register_schema(name, schema).ok();
    }
}

/// Sources and views under their names alone. No name is both: that is checked before.
#[derive(Debug)]
struct AnyTable {
    sources: Tables,
    views: Arc<dyn SchemaProvider>,
}

#[async_trait]
impl SchemaProvider for AnyTable {
    fn table_names(&self) -> Vec<String> {
        let mut names = self.sources.table_names();
        names.extend(self.views.table_names());
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, DataFusionError> {
        if self.sources.table_exist(name) {
            self.sources.table(name).await
        } else {
            self.views.table(name).await
        }
    }

    fn table_exist(&self, name: &str) -> bool {
        self.sources.table_exist(name) || self.views.table_exist(name)
    }
}
