//! A Parquet file as the rows of a spine: its footer is read at once, its rows when they are asked
//! for.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::object_store::ObjectMeta;
use datafusion::object_store::path::Path as ObjectPath;
use datafusion::physical_plan::ExecutionPlan;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;

use crate::Error;

/// A Parquet file on this machine.
#[derive(Debug, Clone)]
pub(super) struct ParquetFile {
    pub(super) path: Arc<Path>,
    pub(super) schema: SchemaRef,
    pub(super) rows: usize,
    object: ObjectMeta,
    /// All columns of the file.
    file: SchemaRef,
    /// The positions in the file of those of `schema`.
    columns: Vec<usize>,
}

impl ParquetFile {
    /// Reads the footer of `file`, which is the one at `path`. Blocks.
    pub(super) fn open(path: &Path, file: File) -> Result<Self, Error> {
        let unreadable = |source| Error::Parquet {
            path: path.to_owned(),
            source,
        };
        let failed = |source| Error::File {
            operation: "open",
            path: path.to_owned(),
            source,
        };
        let about = file.metadata().map_err(failed)?;
        let modified = about.modified().map_err(failed)?;
        // Locations of objects know neither `..` nor links.
        let place = path.canonicalize().map_err(failed)?;
        let footer = ParquetRecordBatchReaderBuilder::try_new(file).map_err(unreadable)?;
        let rows = footer.metadata().file_metadata().num_rows();
        let location = ObjectPath::from_absolute_path(&place)
            .map_err(|error| unreadable(ParquetError::External(Box::new(error))))?;
        let schema = footer.schema();
        Ok(Self {
            path: Arc::from(path),
            file: Arc::clone(schema),
            columns: (0..schema.fields().len()).collect(),
            schema: Arc::clone(schema),
            rows: usize::try_from(rows).unwrap_or_default(),
            object: ObjectMeta {
                location,
                last_modified: modified.into(),
                size: about.len(),
                e_tag: None,
                version: None,
            },
        })
    }

    /// The same file with these columns only, and without an entry of its metadata; `None` if one
    /// of them is not there.
    pub(super) fn select(mut self, names: &[String], without: &str) -> Option<Self> {
        let columns = names.iter().map(|name| self.file.index_of(name).ok());
        self.columns = columns.collect::<Option<_>>()?;
        let mut schema = self.file.project(&self.columns).ok()?;
        schema.metadata.remove(without);
        self.schema = Arc::new(schema);
        Some(self)
    }

    /// Reads the columns at these positions from the first row to the last.
    pub(super) fn scan(&self, columns: Vec<usize>) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let source = ParquetSource::new(Arc::clone(&self.file));
        let columns = columns.into_iter().map(|at| self.columns[at]).collect();
        let file = PartitionedFile::new_from_meta(self.object.clone());
        let scan = FileScanConfigBuilder::new(ObjectStoreUrl::local_filesystem(), Arc::new(source))
            .with_file(file)
            .with_projection_indices(Some(columns))?
            .with_preserve_order(true)
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }
}

/// The same error, as one of ours that names the file.
pub(super) fn carried(path: &Path, error: DataFusionError) -> DataFusionError {
    let source = match error {
        DataFusionError::ParquetError(source) => *source,
        DataFusionError::ArrowError(source, _) => ParquetError::ArrowError(source.to_string()),
        // Not of the file's making.
        error @ DataFusionError::ResourcesExhausted(_) => return error,
        error => ParquetError::External(Box::new(error)),
    };
    DataFusionError::from(Error::Parquet {
        path: path.to_owned(),
        source,
    })
}
