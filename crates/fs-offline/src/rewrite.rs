//! Writing data files: new rows and kept rows together, sorted by event time.
//!
//! Sorting makes the files of a commit follow each other in event time, so that a reader of a
//! stretch of time opens few of them. It happens outside of memory once it is large; the order in
//! which rows were committed is in `_sequence`, so that nothing depends on where a row lies.
//!
//! # The layout of a file
//!
//! Chosen for what a training set does: it reads the keys and times of all rows, and then all columns of
//! the rows that won. Measured on 10 M rows (uniform keys; event times in order, created up to an hour
//! later; six features with two decimals, seven with all bits of a double), CPU seconds of one thread:
//!
//! | Codec | Dictionary up to | Times | MB | Write | Keys and times, all rows | 13 features, 10 % of the rows |
//! |---|---|---|---|---|---|---|
//! | zstd 1 | 1 MiB | dictionary | 1,096 | 16.4 | 0.45 | 1.20 |
//! | zstd 1 | 64 KiB | delta | 838 | 4.4 | 0.15 | 1.06 |
//! | snappy | 64 KiB | delta | 976 | 2.9 | 0.10 | 0.57 |
//! | **LZ4** | **64 KiB** | **delta** | **968** | **2.5** | **0.06** | **0.32** |
//! | LZ4 | 64 KiB | plain | 1,068 | 2.9 | 0.19 | 0.32 |
//! | LZ4 | none | delta, features byte-stream-split | 1,061 | 2.2 | 0.07 | 0.64 |
//! | none | 64 KiB | delta | 1,201 | 1.9 | 0.04 | 0.17 |
//!
//! A small dictionary stays, for columns with few values. Small pages cost nothing here (962 MB, 0.06 and
//! 0.34 s), and let a reader of few rows skip most of a row group. There are no Bloom filters: a row group has a
//! row of most keys, so they would hardly ever rule one out.
//!
//! The bold row is where every column starts; the first rows of a commit decide what it keeps of that
//! ([`fitting`]). Megabytes and milliseconds (write, read) of columns of 1 M rows, the way that is chosen in bold:
//!
//! | Values | LZ4, dictionary | LZ4 | Dictionary | Neither |
//! |---|---|---|---|---|
//! | doubles with all bits | 8.2 (6.4, 1.3) | 8.1 (4.9, 1.2) | 8.1 (5.2, 0.8) | **8.0 (3.9, 0.7)** |
//! | two decimals, 100,000 values | 4.7 (19, 3.2) | **4.6 (17, 3.1)** | 8.1 (5.8, 0.9) | 8.0 (4.1, 0.7) |
//! | one decimal, 1,000 values | **1.3 (12, 2.1)** | 3.9 (16, 3.0) | 1.3 (12, 1.9) | 8.0 (4.0, 0.7) |
//! | 50 numbers | 0.8 (11, 1.9) | 3.0 (12, 3.2) | **0.8 (11, 1.8)** | 8.0 (3.9, 0.7) |
//! | random texts of 32 characters | 34 (65, 14) | 34 (62, 14) | 36 (17, 7.4) | **36 (16, 7.4)** |
//! | `user-` and a number | 6.6 (37, 10) | **6.6 (36, 9.8)** | 15 (15, 6.4) | 15 (14, 6.4) |
//! | creation times, as differences | | 4.2 (9.1, 1.7) | | **4.2 (8.9, 1.4)** |

use std::fmt::Display;
use std::num::NonZeroU64;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::union::UnionExec;
use deltalake::DeltaTableError;
use deltalake::datafile::writer::{DeltaWriter, WriterConfig};
use deltalake::kernel::Add;
use deltalake::logstore::LogStoreRef;
use deltalake::parquet::basic::{Compression, Encoding};
use deltalake::parquet::file::properties::WriterProperties;
use deltalake::parquet::schema::types::ColumnPath;
use fs_core::{CREATED_TIMESTAMP, EVENT_TIMESTAMP, SEQUENCE};
use futures::{StreamExt, stream};

use crate::fitting::fitted;
use crate::stamp::Stamp;
use crate::store::OfflineOptions;
use crate::{Error, OfflineStore, batches, fitting, once, plans};

/// How data files of views are sorted: by event time, and in the order of commits.
pub(crate) const BY_TIME: [&str; 2] = [EVENT_TIMESTAMP, SEQUENCE];

/// The columns that the log has statistics of.
pub(crate) const STATISTICS: [&str; 3] = [EVENT_TIMESTAMP, CREATED_TIMESTAMP, SEQUENCE];

/// A dictionary that outgrows this is given up. The default of 1 MiB keeps one for every number of a row
/// group, which is larger than the numbers, and slow to write and to read.
const DICTIONARY_BYTES: usize = 64 << 10;

/// Rows of a page: what a reader of a few rows can skip inside a row group.
const PAGE_ROWS: usize = 4096;

/// Why files could not be written.
enum WriteError {
    /// What the rows said, or this crate about them.
    Rows(DataFusionError),
    /// What the storage said.
    Files(DeltaTableError),
}

/// The rows of `input`, checked and numbered.
pub(crate) fn stamped(
    stamp: Stamp,
    input: SendableRecordBatchStream,
    options: &OfflineOptions,
) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    let columns = Arc::clone(&stamp.columns);
    let view = stamp.view.clone();
    let batch_bytes = batches::bytes_for(options.sort_memory_bytes);
    let input = input.map(move |batch| match batch {
        Ok(batch) => stream::iter(batches::cut(&batch, batch_bytes)).left_stream(),
        Err(error) => stream::iter([Err(error)]).right_stream(),
    });
    let stamped = input.flatten().map(move |batch| {
        let stamped = match batch {
            Ok(batch) => stamp.apply(&batch),
            Err(error) => Err(Error::Rows {
                view: view.clone(),
                source: Box::new(error),
            }),
        };
        stamped.map_err(|error| DataFusionError::External(Box::new(error)))
    });
    once::plan(Box::pin(RecordBatchStreamAdapter::new(columns, stamped)))
}

/// The rows of all `inputs`, which have the same columns, sorted by these of them.
pub(crate) fn sorted(
    inputs: Vec<Arc<dyn ExecutionPlan>>,
    by: &[&str],
) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    let rows = match <[_; 1]>::try_from(inputs) {
        Ok([input]) => input,
        Err(inputs) => UnionExec::try_new(inputs)?,
    };
    let rows = plans::one_partition(rows);
    let order = by.iter().map(|name| {
        let column = Column::new_with_schema(name, &rows.schema())?;
        Ok(PhysicalSortExpr::new_default(Arc::new(column)))
    });
    let order: Result<Vec<_>, DataFusionError> = order.collect();
    let order = LexOrdering::new(order?)
        .ok_or_else(|| DataFusionError::Internal("an order without columns".to_owned()))?;
    Ok(Arc::new(SortExec::new(order, rows)))
}

impl OfflineStore {
    /// Writes the rows of `plan` into data files of the table `name` that `log` belongs to.
    pub(crate) async fn write_rows_of(
        &self,
        name: &(dyn Display + Sync),
        log: &LogStoreRef,
        plan: Result<Arc<dyn ExecutionPlan>, DataFusionError>,
    ) -> Result<Vec<Add>, Error> {
        self.write_rows_with(name, log, plan, &STATISTICS, 1).await
    }

    /// The same, with statistics of these columns, as far as there are such, and with the memory of one of
    /// so many sorts.
    pub(crate) async fn write_rows_with(
        &self,
        name: &(dyn Display + Sync),
        log: &LogStoreRef,
        plan: Result<Arc<dyn ExecutionPlan>, DataFusionError>,
        statistics: &[&str],
        sorts: usize,
    ) -> Result<Vec<Add>, Error> {
        let read = |error| reading(name, error);
        let plan = plan.map_err(read)?;
        let context = plans::sorting(self, log, &plan.schema(), sorts).map_err(read)?;
        write(log, self.options(), plan, statistics, &context)
            .await
            .map_err(|error| match error {
                WriteError::Rows(error) => read(error),
                WriteError::Files(source) => Error::Delta {
                    operation: "write files of",
                    table: name.to_string(),
                    source: Box::new(source),
                },
            })
    }
}

/// What it means that rows on their way into the table `name`, or out of it, could not be read.
pub(crate) fn reading(name: &(dyn Display + Sync), error: DataFusionError) -> Error {
    our_error(error).unwrap_or_else(|error| Error::Read {
        table: name.to_string(),
        source: Box::new(error),
    })
}

/// The error of this crate that travelled through DataFusion, or what else it is.
fn our_error(error: DataFusionError) -> Result<Error, DataFusionError> {
    match error {
        DataFusionError::External(inner) => match inner.downcast::<Error>() {
            Ok(ours) => Ok(*ours),
            Err(other) => Err(DataFusionError::External(other)),
        },
        DataFusionError::Context(_, inner) => our_error(*inner),
        DataFusionError::Shared(inner) => match Arc::try_unwrap(inner) {
            Ok(inner) => our_error(inner),
            Err(shared) => Err(DataFusionError::Shared(shared)),
        },
        other => Err(other),
    }
}

/// Runs `plan` into data files of the table that `log` belongs to.
async fn write(
    log: &LogStoreRef,
    options: &OfflineOptions,
    plan: Arc<dyn ExecutionPlan>,
    statistics: &[&str],
    context: &Arc<TaskContext>,
) -> Result<Vec<Add>, WriteError> {
    let columns = plan.schema();
    let rows = plans::stream(plan, context).map_err(WriteError::Rows)?;
    // Few rows end while they are sampled, and are asked for again.
    let mut rows = rows.fuse();
    let base = layout(&columns, options);
    let sample = fitting::sample(&mut rows, &base).await;
    let sample = sample.map_err(WriteError::Rows)?;
    let properties = fitted(base, &sample).map_err(|error| WriteError::Files(error.into()))?;
    let known = |name: &&str| columns.index_of(name).is_ok();
    let statistics: Vec<&str> = statistics.iter().copied().filter(known).collect();
    let config = writer_config(columns, properties, options, &statistics);
    let config = config.map_err(WriteError::Files)?;
    let mut writer = DeltaWriter::new(log.object_store(None), config);
    let mut rows = stream::iter(sample.into_iter().map(Ok)).chain(rows);
    let failure = loop {
        match rows.next().await {
            Some(Ok(batch)) => {
                if let Err(error) = writer.write(&batch).await {
                    break WriteError::Files(error);
                }
            }
            Some(Err(error)) => break WriteError::Rows(error),
            None => return writer.close().await.map_err(WriteError::Files),
        }
    };
    if let Err(error) = writer.abort().await {
        tracing::warn!(%error, "an upload could not be abandoned; a vacuum removes what is left");
    }
    Err(failure)
}

/// The layout of data files of `columns`, before it is fitted to their rows.
pub(crate) fn layout(columns: &SchemaRef, options: &OfflineOptions) -> WriterProperties {
    let layout = WriterProperties::builder()
        .set_compression(Compression::LZ4_RAW)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_max_row_group_row_count(Some(options.row_group_rows))
        .set_max_row_group_bytes(Some(options.row_group_bytes));
    let near_each_other = columns
        .fields()
        .iter()
        .filter(|field| match field.data_type() {
            DataType::Timestamp(..) => true,
            DataType::Int64 => field.name() == SEQUENCE,
            _ => false,
        });
    let layout = near_each_other.fold(layout, |layout, field| {
        let column = ColumnPath::from(vec![field.name().clone()]);
        layout
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED)
    });
    layout.build()
}

/// How data files of `columns` are written in this layout, with statistics of some.
pub(crate) fn writer_config(
    columns: SchemaRef,
    layout: WriterProperties,
    options: &OfflineOptions,
    statistics: &[&str],
) -> Result<WriterConfig, DeltaTableError> {
    // Overruled by the list, but asked for.
    let indexed = "-1".try_into().map_err(DeltaTableError::generic)?;
    Ok(WriterConfig::new(
        columns,
        Vec::new(),
        Some(layout),
        NonZeroU64::new(options.target_file_bytes),
        None,
        indexed,
        Some(statistics.iter().copied().map(str::to_owned).collect()),
    ))
}
