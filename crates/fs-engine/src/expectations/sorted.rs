//! Rows in the order of event time, join keys and the source, whatever memory there is.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::{EmptyRecordBatchStream, ExecutionPlan};
use datafusion::prelude::SessionContext;
use futures::StreamExt;

use crate::tables::Shared;

/// What a sort may hold where the engine has no limit.
const MEMORY: usize = 256 << 20;
/// The column with the number of the row. No feature can have this name.
const NUMBER: &str = "#";

/// Sorts `rows` by the columns `by`, and rows that are equal in those by where they were in the stream.
/// The last column of the result is that number.
///
/// Spills what exceeds the memory of the engine, or 256 MiB where that has no limit.
pub(super) fn sorted(
    shared: &Shared,
    rows: SendableRecordBatchStream,
    by: &[usize],
) -> Result<SendableRecordBatchStream, DataFusionError> {
    let numbered = numbered(rows);
    let schema = numbered.schema();
    let number = schema.fields().len() - 1;
    let ascending = |at: usize| {
        let column = Column::new(schema.field(at).name(), at);
        PhysicalSortExpr::new(Arc::new(column), SortOptions::default())
    };
    let by = by.iter().copied().chain([number]).map(ascending);
    let Some(order) = LexOrdering::new(by.collect::<Vec<_>>()) else {
        return Ok(numbered);
    };
    let input = StreamingTableExec::try_new(
        Arc::clone(&schema),
        vec![Arc::new(Once::new(numbered))],
        None,
        [],
        false,
        None,
    )?;
    SortExec::new(order, Arc::new(input)).execute(0, context(shared)?)
}

/// The batch without the number of the rows.
pub(super) fn without_number(
    batch: &RecordBatch,
    schema: &SchemaRef,
) -> Result<RecordBatch, DataFusionError> {
    let columns = batch.columns().iter().take(schema.fields().len()).cloned();
    Ok(RecordBatch::try_new(Arc::clone(schema), columns.collect())?)
}

fn context(shared: &Shared) -> Result<Arc<TaskContext>, DataFusionError> {
    let runtime = match shared.options.memory_limit {
        Some(_) => Arc::clone(&shared.runtime),
        None => RuntimeEnvBuilder::from_runtime_env(&shared.runtime)
            .with_memory_pool(Arc::new(FairSpillPool::new(MEMORY)))
            .build_arc()?,
    };
    let session = SessionContext::new_with_config_rt(shared.sorting_config(), runtime);
    Ok(session.task_ctx())
}

fn numbered(rows: SendableRecordBatchStream) -> SendableRecordBatchStream {
    let own = rows.schema();
    let fields = own.fields().iter().map(|field| field.as_ref().clone());
    let number = Field::new(NUMBER, DataType::UInt64, false);
    let schema = Arc::new(Schema::new(fields.chain([number]).collect::<Vec<_>>()));
    let of_batch = Arc::clone(&schema);
    let mut next = 0_u64;
    let numbered = rows.map(move |batch| {
        let batch = batch?;
        let end = next + batch.num_rows() as u64;
        let numbers: UInt64Array = (next..end).collect();
        next = end;
        let mut columns = batch.columns().to_vec();
        columns.push(Arc::new(numbers) as ArrayRef);
        Ok(RecordBatch::try_new(Arc::clone(&of_batch), columns)?)
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, numbered))
}

/// A stream as what a plan reads, once.
struct Once {
    schema: SchemaRef,
    rows: Mutex<Option<SendableRecordBatchStream>>,
}

impl Once {
    fn new(rows: SendableRecordBatchStream) -> Self {
        Self {
            schema: rows.schema(),
            rows: Mutex::new(Some(rows)),
        }
    }
}

impl PartitionStream for Once {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let rows = self
            .rows
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let none = || Box::pin(EmptyRecordBatchStream::new(Arc::clone(&self.schema))) as _;
        rows.unwrap_or_else(none)
    }
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").finish_non_exhaustive()
    }
}
