//! A temporary Arrow IPC file of the disk manager.

use std::io::BufWriter;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::spill_file::{SpillFile, SpillWriter};
use datafusion::physical_plan::SpillManager;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, SpillMetrics};

/// Bytes that are gathered before a thread is asked to write them.
const ENOUGH: usize = 1 << 20;
const BUFFER: usize = 256 << 10;

type Writer = StreamWriter<BufWriter<Box<dyn SpillWriter>>>;

/// A file that is being written.
pub(super) struct DiskWriter {
    file: Arc<dyn SpillFile>,
    /// `None` after an error, which the caller has got.
    writer: Option<Writer>,
    waiting: Vec<RecordBatch>,
    waiting_bytes: usize,
    manager: SpillManager,
}

/// A file that is written.
pub(super) struct DiskFile {
    file: Arc<dyn SpillFile>,
    manager: SpillManager,
}

impl DiskWriter {
    pub(super) fn new(
        schema: SchemaRef,
        runtime: &Arc<RuntimeEnv>,
        name: &str,
    ) -> Result<Self, DataFusionError> {
        let file = runtime.disk_manager.create_tmp_file(name)?;
        let buffered = BufWriter::with_capacity(BUFFER, file.open_writer()?);
        let writer = StreamWriter::try_new(buffered, &schema)?;
        let metrics = SpillMetrics::new(&ExecutionPlanMetricsSet::new(), 0);
        Ok(Self {
            file,
            writer: Some(writer),
            waiting: Vec::new(),
            waiting_bytes: 0,
            manager: SpillManager::new(Arc::clone(runtime), metrics, schema),
        })
    }

    pub(super) async fn push(&mut self, batch: RecordBatch) -> Result<(), DataFusionError> {
        self.waiting_bytes += slice_bytes(&batch)?;
        self.waiting.push(batch);
        if self.waiting_bytes < ENOUGH {
            return Ok(());
        }
        self.write_waiting().await
    }

    async fn write_waiting(&mut self) -> Result<(), DataFusionError> {
        let batches = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        let mut writer = self.writer.take().ok_or_else(broken)?;
        let task = SpawnedTask::spawn_blocking(move || {
            for batch in batches {
                writer.write(&without_slack(batch)?)?;
            }
            Ok::<_, ArrowError>(writer)
        });
        self.writer = Some(task.join_unwind().await.map_err(lost)??);
        Ok(())
    }

    pub(super) async fn finish(mut self) -> Result<DiskFile, DataFusionError> {
        self.write_waiting().await?;
        let mut writer = self.writer.take().ok_or_else(broken)?;
        let task = SpawnedTask::spawn_blocking(move || {
            writer.finish()?;
            let inner = writer.into_inner()?.into_inner();
            inner
                .map_err(|error| DataFusionError::IoError(error.into_error()))?
                .finish()
        });
        task.join_unwind().await.map_err(lost)??;
        Ok(DiskFile {
            file: self.file,
            manager: self.manager,
        })
    }
}

impl DiskFile {
    pub(super) fn bytes(&self) -> usize {
        let bytes = self.file.size().unwrap_or_default();
        usize::try_from(bytes).unwrap_or(usize::MAX)
    }

    pub(super) fn read(&self) -> Result<SendableRecordBatchStream, DataFusionError> {
        self.manager
            .read_spill_as_stream(Arc::clone(&self.file), None)
    }
}

fn broken() -> DataFusionError {
    DataFusionError::Execution("the temporary file is broken: writing to it failed before".into())
}

fn lost(error: tokio::task::JoinError) -> DataFusionError {
    DataFusionError::ExecutionJoin(Box::new(error))
}

/// What the rows of the batch take, whatever else their buffers hold.
fn slice_bytes(batch: &RecordBatch) -> Result<usize, DataFusionError> {
    let sizes = batch
        .columns()
        .iter()
        .map(|column| column.to_data().get_slice_memory_size());
    Ok(sizes.sum::<Result<usize, ArrowError>>()?)
}

/// The batch with views that hold nothing but its own rows: the writer cuts all other columns to
/// their slice, but writes the buffers below a view in full.
fn without_slack(batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
    let is_view = |column: &ArrayRef| {
        matches!(
            column.data_type(),
            DataType::Utf8View | DataType::BinaryView
        )
    };
    if !batch.columns().iter().any(is_view) {
        return Ok(batch);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let (schema, columns, _) = batch.into_parts();
    let columns = columns.into_iter().map(|column| match column.data_type() {
        DataType::Utf8View => Arc::new(column.as_string_view().gc()) as ArrayRef,
        DataType::BinaryView => Arc::new(column.as_binary_view().gc()) as ArrayRef,
        _ => column,
    });
    RecordBatch::try_new_with_options(schema, columns.collect(), &options)
}
