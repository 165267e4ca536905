//! Writing data files: new rows and kept rows together, sorted by event time.
//!
//! Sorting makes the files of a commit follow each other in event time, so that a reader of a
//! stretch of time opens few of them. It happens outside of memory once it is large; the order in
//! which rows were committed is in `_sequence`, so that nothing depends on where a row lies.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::SchemaRef;
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
use deltalake::parquet::basic::{Compression, ZstdLevel};
use deltalake::parquet::file::properties::WriterProperties;
use fs_core::{CREATED_TIMESTAMP, EVENT_TIMESTAMP, SEQUENCE};
use futures::StreamExt;

use crate::stamp::Stamp;
use crate::store::OfflineOptions;
use crate::{Error, plans};

/// The columns that the log has statistics of.
const STATISTICS: [&str; 3] = [EVENT_TIMESTAMP, CREATED_TIMESTAMP, SEQUENCE];

/// Why files could not be written.
pub(crate) enum WriteError {
    /// What the rows said, or this crate about them.
    Rows(DataFusionError),
    /// What the storage said.
    Files(DeltaTableError),
}

/// The rows of `input`, stamped, and those of `kept`, sorted by event time.
pub(crate) fn sorted(
    stamp: Stamp,
    input: SendableRecordBatchStream,
    kept: Option<Arc<dyn ExecutionPlan>>,
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
    if let Some(kept) = kept {
        rows = plans::one_partition(UnionExec::try_new(vec![rows, kept])?);
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
    let mut rows = plans::stream(plan, context).map_err(WriteError::Rows)?;
    let config = writer_config(columns, options, &STATISTICS).map_err(WriteError::Files)?;
    let mut writer = DeltaWriter::new(log.object_store(None), config);
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

/// How data files of `columns` are written, with statistics of some.
pub(crate) fn writer_config(
    columns: SchemaRef,
    options: &OfflineOptions,
    statistics: &[&str],
) -> Result<WriterConfig, DeltaTableError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_max_row_group_row_count(Some(options.row_group_rows))
        .build();
    // Overruled by the list, but asked for.
    let indexed = "-1".try_into().map_err(DeltaTableError::generic)?;
    Ok(WriterConfig::new(
        columns,
        Vec::new(),
        Some(properties),
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
            let stream = futures::stream::iter([Err(error)]);
            Box::pin(RecordBatchStreamAdapter::new(
                Arc::clone(&self.columns),
                stream,
            ))
        })
    }
}
