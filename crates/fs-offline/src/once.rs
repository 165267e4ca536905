//! A stream as a plan, which can be run once.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::stream;

/// A plan that gives the rows of `stream`, the first time that it is run.
pub(crate) fn plan(
    stream: SendableRecordBatchStream,
) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    let columns = stream.schema();
    let once = Once {
        columns: Arc::clone(&columns),
        stream: Mutex::new(Some(stream)),
    };
    let parts: Vec<Arc<dyn PartitionStream>> = vec![Arc::new(once)];
    Ok(Arc::new(StreamingTableExec::try_new(
        columns,
        parts,
        None,
        [],
        false,
        None,
    )?))
}

/// A stream as a partition of a plan.
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
