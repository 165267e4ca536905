//! Batches in memory as the rows of a spine.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use futures::stream;

use super::Table;

impl Table {
    pub(super) fn rows(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// The columns at these positions, the rows in order and in one partition.
    ///
    /// The memory table of `DataFusion` would let the optimizer deal its batches to several
    /// partitions, which run side by side and mix the rows.
    pub(super) fn scan(&self, columns: &Vec<usize>) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = Arc::clone(&self.schema);
        let rows: Arc<dyn PartitionStream> = Arc::new(self.clone());
        let exec = StreamingTableExec::try_new(schema, vec![rows], Some(columns), [], false, None)?;
        Ok(Arc::new(exec))
    }
}

impl PartitionStream for Table {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let most = context.session_config().batch_size().max(1);
        let batches = self.batches.clone().into_iter();
        let slices = batches.flat_map(move |batch| {
            let rows = batch.num_rows();
            let slice = move |at| match rows - at {
                left if left == rows && rows <= most => Ok(batch.clone()),
                left => Ok(batch.slice(at, most.min(left))),
            };
            (0..rows).step_by(most).map(slice)
        });
        let schema = Arc::clone(&self.schema);
        Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(slices)))
    }
}
