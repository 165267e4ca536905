//! A Delta table as a source, its files in the order in which they were written.
//!
//! `deltalake` lists the newest commit first. Rows that tie go to the later one, and of two
//! commits the later is the newer, so the scan is put in the order of the files' times.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::TableType;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result as DataFusionResult;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use deltalake::{DeltaTable, DeltaTableError};
use futures::TryStreamExt;
use url::Url;

use crate::Error;
use crate::files::Finder;

/// The table at its newest version.
pub(crate) async fn load(finder: &Finder<'_>) -> Result<DeltaTable, Error> {
    let root = finder.table_root().await?;
    let options = finder.options.storage_options.clone().into_iter().collect();
    deltalake::open_table_with_storage_options(root.clone(), options)
        .await
        .map_err(|cause| failure(finder, &root, cause))
}

/// A Delta table at one version.
#[derive(Debug)]
pub(crate) struct DeltaSource {
    table: Arc<dyn TableProvider>,
    /// When each file was written, by its name without the folder.
    written: HashMap<String, i64>,
}

impl DeltaSource {
    /// The rows of the table at the version that is loaded.
    pub(crate) async fn open(
        finder: &Finder<'_>,
        table: &DeltaTable,
        session: &dyn Session,
    ) -> Result<Self, Error> {
        let root = table.table_url().clone();
        table
            .update_datafusion_session(session)
            .map_err(|cause| failure(finder, &root, cause))?;
        let written = written(table)
            .await
            .map_err(|cause| failure(finder, &root, cause))?;
        let table = table
            .table_provider()
            .await
            .map_err(|cause| Error::Unreadable {
                file: root.to_string(),
                format: "Delta",
                cause: Box::new(cause),
            })?;
        Ok(Self { table, written })
    }

    fn in_order(&self, files: &FileGroup) -> FileGroup {
        let mut files = files.files().to_vec();
        files.sort_by_cached_key(|file| {
            let path = &file.object_meta.location;
            let written = path.filename().and_then(|name| self.written.get(name));
            (written.copied(), path.as_ref().to_owned())
        });
        FileGroup::new(files)
    }
}

async fn written(table: &DeltaTable) -> Result<HashMap<String, i64>, DeltaTableError> {
    table
        .get_active_add_actions_by_predicate(None)
        .map_ok(|file| {
            let path = file.object_store_path();
            let name = path.filename().unwrap_or_default().to_owned();
            (name, file.modification_time())
        })
        .try_collect()
        .await
}

/// What it means that the table at `root` could not be read.
pub(crate) fn failure(finder: &Finder<'_>, root: &Url, cause: DeltaTableError) -> Error {
    match cause {
        DeltaTableError::NotATable(_) | DeltaTableError::InvalidTableLocation(_) => finder.nothing(
            root.to_string(),
            "there is no Delta table; it would have a `_delta_log` folder",
        ),
        DeltaTableError::ObjectStore { source } => Error::Unreachable {
            location: root.to_string(),
            cause: Box::new(source),
        },
        other => Error::Unreadable {
            file: root.to_string(),
            format: "Delta",
            cause: Box::new(other),
        },
    }
}

#[async_trait]
impl TableProvider for DeltaSource {
    fn schema(&self) -> SchemaRef {
        self.table.schema()
    }

    fn table_type(&self) -> TableType {
        self.table.table_type()
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        self.table.supports_filters_pushdown(filters)
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let plan = self.table.scan(state, projection, filters, limit).await?;
        let ordered = plan.transform_up(|node| {
            let Some(scan) = node
                .downcast_ref::<DataSourceExec>()
                .and_then(|exec| exec.data_source().downcast_ref::<FileScanConfig>())
            else {
                return Ok(Transformed::no(node));
            };
            let groups = scan.file_groups.iter().map(|group| self.in_order(group));
            let scan = FileScanConfigBuilder::from(scan.clone())
                .with_file_groups(groups.collect())
                .build();
            Ok(Transformed::yes(DataSourceExec::from_data_source(scan) as _))
        })?;
        Ok(ordered.data)
    }
}
