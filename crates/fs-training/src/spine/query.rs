//! A query as the rows of a spine.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use fs_engine::Query;

/// A query that runs with the memory and the order of its own session, closed to whoever optimizes
/// the plan around it: dealing its rows to several partitions would mix them.
#[derive(Debug)]
struct Rows(Query);

impl PartitionStream for Rows {
    fn schema(&self) -> &SchemaRef {
        self.0.schema()
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        self.0.rows()
    }
}

/// The columns of `query` at these positions, in one partition.
pub(super) fn scan(query: &Query, columns: &Vec<usize>) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = Arc::clone(query.schema());
    let rows: Arc<dyn PartitionStream> = Arc::new(Rows(query.clone()));
    let exec = StreamingTableExec::try_new(schema, vec![rows], Some(columns), [], false, None)?;
    Ok(Arc::new(exec))
}
