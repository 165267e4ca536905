//! [`Quarantined`]: rows that left a stream, until they are written.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryConsumer;
use tokio::sync::Mutex;

use crate::tables::Shared;
use crate::{Error, Spool, Spooled};

/// What is kept in memory, at most, where the engine has no limit.
const MEMORY: usize = 32 << 20;

/// Rows that left a stream because of a quarantining expectation.
///
/// ```text
///   join keys …   event_timestamp   created_timestamp   features …   _expectation   _reason
///   nullable      nullable          nullable            nullable     its name       for people
/// ```
/// A row that fails several has the name of the first, and all reasons.
#[derive(Debug)]
pub struct Quarantined {
    aside: Aside,
}

/// Where rows are put aside: in memory, or once that is exhausted on disk.
#[derive(Debug, Clone)]
pub(super) struct Aside {
    spool: Arc<Mutex<Option<Filling>>>,
}

#[derive(Debug)]
struct Filling {
    spool: Spool,
    bytes: usize,
}

impl Aside {
    pub(super) fn new(schema: SchemaRef, shared: &Shared) -> Self {
        let runtime = &shared.runtime;
        let reservation = MemoryConsumer::new("quarantine").register(&runtime.memory_pool);
        let filling = Filling {
            spool: Spool::new(schema, reservation, runtime, "quarantine"),
            bytes: 0,
        };
        Self {
            spool: Arc::new(Mutex::new(Some(filling))),
        }
    }

    pub(super) async fn push(&self, rows: RecordBatch) -> Result<(), DataFusionError> {
        let mut filling = self.spool.lock().await;
        let Some(filling) = filling.as_mut() else {
            return Err(DataFusionError::Execution(
                "the quarantined rows were taken before the stream of the others had ended".into(),
            ));
        };
        filling.bytes = filling.bytes.saturating_add(rows.get_array_memory_size());
        filling.spool.push(rows).await?;
        if filling.bytes > MEMORY {
            filling.spool.spill().await?;
        }
        Ok(())
    }
}

impl Quarantined {
    pub(super) fn new(aside: Aside) -> Self {
        Self { aside }
    }

    /// The rows; to be called when the stream of the others has ended.
    pub async fn finish(self) -> Result<Spooled, Error> {
        let failed = |cause| Error::of_query("the quarantined rows".to_owned(), cause);
        let filling = self.aside.spool.lock().await.take();
        let Some(filling) = filling else {
            let cause = "they were taken already".to_owned();
            return Err(failed(DataFusionError::Execution(cause)));
        };
        filling.spool.finish().await.map_err(failed)
    }
}
