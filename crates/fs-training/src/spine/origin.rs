//! Where the typed rows of a spine come from.

use std::path::Path;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::physical_plan::ExecutionPlan;
use fs_engine::Query;

use super::parquet::ParquetFile;
use super::{Table, check_batches, query};
use crate::Error;

/// Where the typed rows of a spine come from; each can be read again and again.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// Memory.
    Batches(Table),
    /// A file, read batch by batch.
    Parquet(ParquetFile),
    /// A query, which runs when the rows are read.
    Query(Query),
}

impl Origin {
    pub(super) fn schema(&self) -> &SchemaRef {
        match self {
            Self::Batches(table) => &table.schema,
            Self::Parquet(file) => &file.schema,
            Self::Query(query) => query.schema(),
        }
    }

    /// The number of rows, where it is known without reading them.
    pub(super) fn rows(&self) -> Option<usize> {
        match self {
            Self::Batches(table) => Some(table.rows()),
            Self::Parquet(file) => Some(file.rows),
            Self::Query(_) => None,
        }
    }

    /// The file that errors name.
    pub(super) fn file(&self) -> Option<Arc<Path>> {
        match self {
            Self::Batches(_) | Self::Query(_) => None,
            Self::Parquet(file) => Some(Arc::clone(&file.path)),
        }
    }

    /// Every batch must have the columns that were announced.
    pub(super) fn check(&self) -> Result<(), Error> {
        match self {
            Self::Batches(table) => check_batches(&table.schema, &table.batches),
            Self::Parquet(_) | Self::Query(_) => Ok(()),
        }
    }

    /// Reads the columns at these positions, in one partition.
    pub(super) fn scan(&self, columns: Vec<usize>) -> Result<Arc<dyn ExecutionPlan>, Error> {
        match self {
            Self::Batches(table) => table.scan(&columns),
            Self::Parquet(file) => file.scan(columns),
            Self::Query(query) => query::scan(query, &columns),
        }
        .map_err(Error::of_query)
    }
}
