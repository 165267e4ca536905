//! [`OfflineTable`]: one version of a view's table for DataFusion, whose rows have addresses.
//!
//! ```text
//!   join keys │ event_timestamp │ created_timestamp │ features │ _sequence │ _file  │ _row
//!   as TableSchema has them                                                │ uint32 │ int64
//!                                                                            which    which row
//!                                                                            file     of the file
//! ```
//!
//! `(_file, _row)` is where a row lies: `_file` counts the files of the version in a fixed order, and
//! `_row` counts the rows of a Parquet file. Whoever has found out which rows it wants by a few columns
//! reads the others of those rows only. An address means nothing in another version of the table.
//!
//! Files that cannot hold a wanted row are left out when the scan is planned, and again when they are
//! opened, by filters that a join has found meanwhile (dynamic filters); row groups likewise.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::TableParquetOptions;
use datafusion::common::{DFSchema, ScalarValue, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema as ScanSchema;
use datafusion::error::DataFusionError;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::parquet::arrow::RowNumber;
use datafusion::physical_plan::ExecutionPlan;
use deltalake::logstore::LogStoreRef;
use fs_core::{FILE_NUMBER, ROW_NUMBER, ViewName};

use crate::data_file::DataFile;
use crate::{Error, OfflineStore, TableSchema, TableVersion, file_groups, file_statistics};

/// Bytes at the end of a file that are read at once: the footer of most files.
pub(crate) const FOOTER_BYTES: usize = 64 << 10;

/// One version of the table of a view.
#[derive(Debug, Clone)]
pub struct OfflineTable {
    view: ViewName,
    version: TableVersion,
    log: LogStoreRef,
    files: Arc<[DataFile]>,
    schema: ScanSchema,
}

impl OfflineStore {
    /// The table of `schema`'s view at `version`, the newest if absent.
    ///
    /// Columns that the definition has and the table has not yet are null. A table that was never
    /// written is [`Error::NotMaterialized`]; one whose columns have other types is
    /// [`Error::Incompatible`].
    pub async fn table(
        &self,
        schema: &TableSchema,
        version: Option<i64>,
    ) -> Result<OfflineTable, Error> {
        let table = self.open_for_reading(schema, version).await?;
        let files = table.files()?;
        if files.iter().any(|file| file.deletion_vector) {
            return Err(Error::Foreign {
                table: schema.view().to_string(),
                feature: "deletion vectors",
            });
        }
        let row = Field::new(ROW_NUMBER, DataType::Int64, false).with_extension_type(RowNumber);
        Ok(OfflineTable {
            view: schema.view().clone(),
            version: TableVersion {
                version: table.version(),
                id: table.snapshot.metadata().id().to_owned(),
            },
            log: table.log,
            files: files.into(),
            schema: without_rows(schema.columns())
                .with_virtual_columns(vec![Arc::new(row)])
                .build(),
        })
    }
}

fn without_rows(columns: &SchemaRef) -> datafusion::datasource::table_schema::TableSchemaBuilder {
    let file = Field::new(FILE_NUMBER, DataType::UInt32, false);
    ScanSchema::builder(Arc::clone(columns)).with_table_partition_cols(vec![Arc::new(file)])
}

impl OfflineTable {
    /// The view.
    pub fn view(&self) -> &ViewName {
        &self.view
    }

    /// The version of the table.
    pub fn version(&self) -> &TableVersion {
        &self.version
    }

    /// The files of the version, as `(path, rows)`; the place of a file is its `_file`.
    pub fn files(&self) -> impl ExactSizeIterator<Item = (&str, u64)> {
        self.files
            .iter()
            .map(|file| (file.path.as_str(), file.rows))
    }

    /// How many rows there are.
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// How many bytes the files have.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(DataFile::bytes).sum()
    }

    /// Makes the files known to `runtime`, as [`scan`](TableProvider::scan) does with its session's:
    /// for whoever runs a plan of this table elsewhere.
    pub fn register(&self, runtime: &RuntimeEnv) {
        let url = self.log.object_store_url();
        runtime.register_object_store(url.as_ref(), self.log.object_store(None));
    }

    /// The files that may hold a row that meets `filters`, in the order of their times.
    fn wanted(
        &self,
        state: &dyn Session,
        filters: &[Expr],
    ) -> Result<Vec<(u32, &DataFile)>, DataFusionError> {
        let columns = self.schema.file_schema();
        let of_files = filters.iter().filter(|filter| {
            let mut known = filter.column_refs().into_iter();
            known.all(|column| columns.column_with_name(&column.name).is_some())
        });
        let mut wanted: Vec<(u32, &DataFile)> = (0..).zip(self.files.iter()).collect();
        if let Some(predicate) = conjunction(of_files.cloned()) {
            let names = DFSchema::try_from(Arc::clone(columns))?;
            let predicate = state.create_physical_expr(predicate, &names)?;
            let may_hold = file_statistics::may_hold(&self.files, columns, predicate)?;
            let mut may_hold = may_hold.into_iter();
            wanted.retain(|_| may_hold.next().unwrap_or(true));
        }
        wanted.sort_by_key(|(number, file)| (file.event.min, *number));
        Ok(wanted)
    }

    fn partitioned(&self, number: u32, file: &DataFile) -> PartitionedFile {
        let statistics = file_statistics::of_file(file, self.schema.file_schema());
        PartitionedFile::new(file.path.clone(), file.bytes())
            .with_partition_values(vec![ScalarValue::UInt32(Some(number))])
            .with_statistics(Arc::new(statistics))
    }

    /// How files are read: the metadata once per process, row groups and files by statistics, pages
    /// only where the query itself has filters. What other operators filter by (a stretch of time) cuts
    /// off whole row groups of files that are sorted by time.
    fn source(&self, state: &dyn Session, has_rows: bool, has_filters: bool) -> ParquetSource {
        let runtime = state.runtime_env();
        let reader = CachedParquetFileReaderFactory::new(
            self.log.object_store(None),
            runtime.cache_manager.get_file_metadata_cache(),
        );
        let options = TableParquetOptions {
            global: state.config_options().execution.parquet.clone(),
            ..TableParquetOptions::default()
        };
        // A reader that is told of row numbers counts them, whether they are asked for or not.
        let schema = if has_rows {
            self.schema.clone()
        } else {
            without_rows(self.schema.file_schema()).build()
        };
        ParquetSource::new(schema)
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::new(reader))
            .with_metadata_size_hint(FOOTER_BYTES)
            .with_bloom_filter_on_read(false)
            .with_enable_page_index(has_filters)
    }
}

#[async_trait]
impl TableProvider for OfflineTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn statistics(&self) -> Option<Statistics> {
        let columns = self.schema.table_schema();
        Some(file_statistics::of_files(self.files.iter(), columns))
    }

    /// Statistics rule out files, row groups and pages; the rows that are left are filtered above.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>, DataFusionError> {
        let columns = self.schema.schema_without_virtual_columns();
        let supported = |filter: &&Expr| {
            let mut names = filter.column_refs().into_iter();
            if !filter.is_volatile()
                && names.all(|column| columns.column_with_name(&column.name).is_some())
            {
                TableProviderFilterPushDown::Inexact
            } else {
                TableProviderFilterPushDown::Unsupported
            }
        };
        Ok(filters.iter().map(supported).collect())
    }

    /// Always one `DataSourceExec` over Parquet, also of no file. `filters` leave out files here; the
    /// physical optimizer hands them, and filters of joins, to the reader.
    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
        self.register(state.runtime_env());
        let wanted = self.wanted(state, filters)?;
        let row = self.schema.schema_without_virtual_columns().fields().len();
        let has_rows = projection.is_none_or(|columns| columns.contains(&row));
        let source = self.source(state, has_rows, !filters.is_empty());
        let columns = source_columns(&source);
        let statistics = file_statistics::of_files(wanted.iter().map(|(_, file)| *file), &columns);
        let files = wanted
            .iter()
            .map(|(number, file)| self.partitioned(*number, file));
        let groups = file_groups::deal(files.collect(), state.config().target_partitions());
        let config = FileScanConfigBuilder::new(self.log.object_store_url(), Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_limit(limit.filter(|_| filters.is_empty()))
            .with_projection_indices(projection.cloned())?
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

fn source_columns(source: &ParquetSource) -> SchemaRef {
    use datafusion::datasource::physical_plan::FileSource;
    Arc::clone(source.table_schema().table_schema())
}

#[cfg(test)]
mod tests;
