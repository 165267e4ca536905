//! Parquet files as one table, read lazily and in order.
//!
//! `DataFusion`'s own listing table finds and groups files as it likes. Ours pins the list and
//! puts it in one group, so that a plan with one partition yields rows in the order of the source.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use fs_core::SourceName;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectMeta;

use crate::Error;
use crate::files::Files;
use crate::union::union_by_name;

/// How many footers are read at once.
const CONCURRENT_FOOTERS: usize = 16;

/// Parquet files as one table.
#[derive(Debug)]
pub(crate) struct ParquetTable {
    files: Files,
    schema: SchemaRef,
}

impl ParquetTable {
    /// Reads the footers; the columns of the table are the union of those of the files.
    pub(crate) async fn open(
        source: &SourceName,
        files: Files,
        runtime: &RuntimeEnv,
    ) -> Result<Self, Error> {
        let schemas: Vec<(String, SchemaRef)> = stream::iter(files.list.clone())
            .map(|file| footer(&files, file, runtime))
            .buffered(CONCURRENT_FOOTERS)
            .try_collect()
            .await?;
        let schema = union_by_name(source, &schemas)?;
        Ok(Self { files, schema })
    }
}

async fn footer(
    files: &Files,
    file: ObjectMeta,
    runtime: &RuntimeEnv,
) -> Result<(String, SchemaRef), Error> {
    let name = files.display(&file);
    let cache = runtime.cache_manager.get_file_metadata_cache();
    let schema = DFParquetMetadata::new(files.store.as_ref(), &file)
        .with_file_metadata_cache(Some(cache))
        .fetch_schema()
        .await
        .map_err(|cause| Error::Unreadable {
            file: name.clone(),
            format: "Parquet",
            cause: Box::new(cause),
        })?;
    Ok((name, Arc::new(schema)))
}

#[async_trait]
impl TableProvider for ParquetTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> DataFusionResult<Vec<TableProviderFilterPushDown>> {
        // Row groups are pruned by statistics, which keeps rows that do not match.
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let options = TableParquetOptions {
            global: state.config_options().execution.parquet.clone(),
            ..TableParquetOptions::default()
        };
        let source =
            ParquetSource::new(Arc::clone(&self.schema)).with_table_parquet_options(options);
        let group: FileGroup = self
            .files
            .list
            .iter()
            .map(|file| PartitionedFile::from(file.clone()))
            .collect();
        let scan = FileScanConfigBuilder::new(self.files.store_url.clone(), Arc::new(source))
            .with_file_group(group)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .with_preserve_order(true)
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }
}
