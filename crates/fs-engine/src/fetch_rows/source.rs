//! The scan of a table, taken apart so that chosen rows of it can be read.

use std::ops::Range;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::ScalarValue;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{
    DefaultParquetFileReaderFactory, ParquetRowSelection,
};
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfig, FileScanConfigBuilder, FileSource, ParquetFileReaderFactory,
    ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderOptions, RowSelection};
use datafusion::parquet::file::metadata::PageIndexPolicy;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;

use super::chunks::Chunk;
use super::marks::{count, ones, words};

/// Rows of a data page of an offline table. Where fewer rows than pages are wanted, many pages can be
/// skipped.
const PAGE_ROWS: usize = 4096;

/// The files of a table by their number, and how they are read.
#[derive(Debug)]
pub(super) struct TableSource {
    config: FileScanConfig,
    source: ParquetSource,
    files: Vec<Option<PartitionedFile>>,
    schema: SchemaRef,
}

impl TableSource {
    /// Takes apart the scan `plan`, the table `number` of its operator.
    pub(super) fn try_new(
        number: usize,
        plan: &Arc<dyn ExecutionPlan>,
    ) -> Result<Self, DataFusionError> {
        let refused = |why: &str| {
            DataFusionError::Plan(format!("rows of table {number} cannot be fetched: {why}"))
        };
        let config = plan
            .downcast_ref::<DataSourceExec>()
            .and_then(|scan| scan.data_source().downcast_ref::<FileScanConfig>())
            .ok_or_else(|| refused(&format!("{} is no scan of files", plan.name())))?;
        let source = config
            .file_source()
            .downcast_ref::<ParquetSource>()
            .ok_or_else(|| refused("its files are not Parquet"))?;
        if source.filter().is_some() {
            return Err(refused("its scan has a filter, which may leave out rows"));
        }
        let mut files = Vec::new();
        for file in config.file_groups.iter().flat_map(FileGroup::iter) {
            let Some(ScalarValue::UInt32(Some(number))) = file.partition_values.first() else {
                return Err(refused(
                    "the first partition value of a file is not its number",
                ));
            };
            let number = *number as usize;
            if number >= files.len() {
                files.resize(number + 1, None);
            }
            files[number] = Some(PartitionedFile {
                range: None,
                ..file.clone()
            });
        }
        let without_files = FileScanConfigBuilder::from(config.clone())
            .with_file_groups(Vec::new())
            .with_limit(None)
            .build();
        Ok(Self {
            config: without_files,
            source: source.clone(),
            files,
            schema: plan.schema(),
        })
    }

    /// The columns of the payload.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// How many files there are, and gaps between their numbers.
    pub(super) fn files(&self) -> usize {
        self.files.len()
    }

    fn file(&self, number: usize) -> Result<&PartitionedFile, DataFusionError> {
        self.files[number].as_ref().ok_or_else(|| {
            DataFusionError::Execution(format!(
                "an address is of file {number}, which the scan does not read"
            ))
        })
    }

    /// The rows of every row group of a file of which the rows `bits` are wanted.
    ///
    /// Where few are, the places of the pages are loaded too, and kept in the metadata cache: the reader
    /// finds them there and reads the pages of the wanted rows only.
    pub(super) async fn row_groups(
        &self,
        number: usize,
        bits: &[u64],
        context: &TaskContext,
    ) -> Result<Vec<usize>, DataFusionError> {
        let file = self.file(number)?;
        let is_sparse = count(bits) <= 1 + bits.len() * 64 / PAGE_ROWS;
        let policy = if is_sparse {
            PageIndexPolicy::Optional
        } else {
            PageIndexPolicy::Skip
        };
        let options = ArrowReaderOptions::new().with_page_index_policy(policy);
        let hint = file.metadata_size_hint;
        // Metrics of their own: the reader counts the same file again.
        let metrics = ExecutionPlanMetricsSet::new();
        let readers = self.readers(context)?;
        let mut reader = readers.create_reader(0, file.clone(), hint, &metrics)?;
        let metadata = reader.get_metadata(Some(&options)).await?;
        let row_groups = metadata.row_groups().iter();
        Ok(row_groups
            .map(|group| usize::try_from(group.num_rows()).unwrap_or(0))
            .collect())
    }

    fn readers(
        &self,
        context: &TaskContext,
    ) -> Result<Arc<dyn ParquetFileReaderFactory>, DataFusionError> {
        if let Some(readers) = self.source.parquet_file_reader_factory() {
            return Ok(Arc::clone(readers));
        }
        let store = context
            .runtime_env()
            .object_store(&self.config.object_store_url)?;
        Ok(Arc::new(DefaultParquetFileReaderFactory::new(store)))
    }

    /// The wanted rows of `chunk`, in order; `total` is how many rows its file has.
    ///
    /// The metrics of what is read are those of the scan that was taken apart.
    pub(super) fn read(
        &self,
        chunk: &Chunk,
        bits: &[u64],
        total: usize,
        batch_rows: usize,
        context: &Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream, DataFusionError> {
        let selection = ParquetRowSelection::new(selection(bits, &chunk.rows, total));
        let file = self.file(chunk.file)?.clone().with_extension(selection);
        let config = FileScanConfigBuilder::from(self.config.clone())
            .with_file_groups(vec![FileGroup::new(vec![file])])
            .with_batch_size(Some(batch_rows))
            .build();
        DataSourceExec::from_data_source(config).execute(0, Arc::clone(context))
    }
}

/// Selects those of `rows` whose bit is set, of `total`.
fn selection(bits: &[u64], rows: &Range<usize>, total: usize) -> RowSelection {
    let mut ones = ones(words(bits, rows)).map(|at| rows.start + at).peekable();
    let runs = std::iter::from_fn(|| {
        let start = ones.next()?;
        let mut end = start + 1;
        while ones.next_if_eq(&end).is_some() {
            end += 1;
        }
        Some(start..end)
    });
    RowSelection::from_consecutive_ranges(runs, total)
}
