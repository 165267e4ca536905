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

use std::fmt;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
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
use crate::{Error, fitting, plans};

/// The columns that the log has statistics of.
const STATISTICS: [&str; 3] = [EVENT_TIMESTAMP, CREATED_TIMESTAMP, SEQUENCE];

/// A dictionary that outgrows this is given up. The default of 1 MiB keeps one for every number of a row
/// group, which is larger than the numbers, and slow to write and to read.
const DICTIONARY_BYTES: usize = 64 << 10;

/// Rows of a page: what a reader of a few rows can skip inside a row group.
const PAGE_ROWS: usize = 4096;

/// Why files could not be written.
pub(crate) enum WriteError {
    /// What the rows said, or this crate about them.
    Rows(DataFusionError),
    /// What the storage said.
    Files(DeltaTableError),
}

/// The rows of `input`, stamped, and those of all `kept`, sorted by event time.
pub(crate) fn sorted(
    stamp: Stamp,
    input: SendableRecordBatchStream,
    kept: Vec<Arc<dyn ExecutionPlan>>,
) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    let columns = Arc::clone(&stamp.columns);
    let order = [EVENT_TIMESTAMP, SEQUENCE].map(|name| {
        let column = Column::new_with_schema(name, &columns)?;
        Ok(PhysicalSortExpr::new_default(Arc::new(column)))
    });
    let order: Result<Vec<_>, DataFusionError> = order.into_iter().collect();
    let order = LexOrdering::new(order?)
        .ok_or_else(|| DataFusionError::Internal("an order without columns".to_owned()))?;
    let view = stamp.view.clone();
    let stamped = input.map(move |batch| {
        let stamped = match batch {
            Ok(batch) => stamp.apply(&batch),
            Err(error) => Err(Error::Rows {
                view: view.clone(),
                source: Box::new(error),
            }),
        };
        stamped.map_err(|error| DataFusionError::External(Box::new(error)))
    });
    let stream = RecordBatchStreamAdapter::new(Arc::clone(&columns), stamped);
    let once = Once {
        columns: Arc::clone(&columns),
        stream: Mutex::new(Some(Box::pin(stream))),
    };
    let mut rows: Arc<dyn ExecutionPlan> = Arc::new(StreamingTableExec::try_new(
        columns,
        vec![Arc::new(once)],
        None,
        [],
        false,
        None,
    )?);
    if !kept.is_empty() {
        let all = std::iter::once(rows).chain(kept).collect();
        rows = plans::one_partition(UnionExec::try_new(all)?);
    }
    Ok(Arc::new(SortExec::new(order, rows)))
}

/// Runs `plan` into data files of the table that `log` belongs to.
pub(crate) async fn write(
    log: &LogStoreRef,
    columns: SchemaRef,
    options: &OfflineOptions,
    plan: Arc<dyn ExecutionPlan>,
    context: &Arc<TaskContext>,
) -> Result<Vec<Add>, WriteError> {
    let rows = plans::stream(plan, context).map_err(WriteError::Rows)?;
    // Few rows end while they are sampled, and are asked for again.
    let mut rows = rows.fuse();
    let base = layout(&columns, options);
    let sample = fitting::sample(&mut rows, &base).await;
    let sample = sample.map_err(WriteError::Rows)?;
    let properties = fitted(base, &sample).map_err(|error| WriteError::Files(error.into()))?;
    let config = writer_config(columns, properties, options, &STATISTICS);
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
        .set_max_row_group_row_count(Some(options.row_group_rows));
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

/// A stream as a partition of a plan, which can be run once.
struct Once {
    columns: SchemaRef,
    stream: Mutex<Option<SendableRecordBatchStream>>,
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Once")
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.columns
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let taken = self
            .stream
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        taken.unwrap_or_else(|| {
            let error = DataFusionError::Internal("the rows were read already".to_owned());
            let failed = stream::iter([Err(error)]);
            Box::pin(RecordBatchStreamAdapter::new(
                Arc::clone(&self.columns),
                failed,
            ))
        })
    }
}
