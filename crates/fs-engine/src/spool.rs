//! [`Spool`]: rows that are written once and read several times, in memory or, once that is
//! exhausted, on disk.
//!
//! ```text
//!   push ─ push ─ push ─ push ─ push ─ finish ─ read ─ read …
//!   memory              │ disk: everything, from the first batch on
//!                       the pool refuses to grow
//! ```
//!
//! Reading gives the batches that were pushed, in that order, wherever they lie. A buffer that several
//! batches share (slices of one large batch) is charged once. A file is written and read off the
//! runtime's threads, and is deleted when the last reader is dropped.

use std::fmt;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use datafusion::common::utils::memory::RecordBatchMemoryCounter;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;

mod disk;

use disk::{DiskFile, DiskWriter};

/// Rows on their way in.
pub struct Spool {
    schema: SchemaRef,
    runtime: Arc<RuntimeEnv>,
    name: String,
    rows: usize,
    reservation: MemoryReservation,
    counter: RecordBatchMemoryCounter,
    place: Filling,
}

enum Filling {
    Memory(Vec<RecordBatch>),
    Disk(Box<DiskWriter>),
}

/// Rows that are all in: readable any number of times.
pub struct Spooled {
    schema: SchemaRef,
    rows: usize,
    place: Filled,
}

enum Filled {
    /// The reservation is held for as long as the batches are.
    Memory {
        batches: Vec<RecordBatch>,
        _memory: MemoryReservation,
    },
    Disk(DiskFile),
}

impl Spool {
    /// No rows yet. `reservation` is what they are charged to; `name` is what error messages of the
    /// disk manager say the file was for.
    pub fn new(
        schema: SchemaRef,
        reservation: MemoryReservation,
        runtime: &Arc<RuntimeEnv>,
        name: impl Into<String>,
    ) -> Self {
        Self {
            schema,
            runtime: Arc::clone(runtime),
            name: name.into(),
            rows: 0,
            reservation,
            counter: RecordBatchMemoryCounter::new(),
            place: Filling::Memory(Vec::new()),
        }
    }

    /// The columns of the rows.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// How many rows are in.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Adds rows: in memory while the pool grants it, else on disk.
    pub async fn push(&mut self, batch: RecordBatch) -> Result<(), DataFusionError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let batch = self.with_schema(batch)?;
        self.rows += batch.num_rows();
        match &mut self.place {
            Filling::Disk(writer) => return writer.push(batch).await,
            Filling::Memory(batches) => {
                let bytes = self.counter.count_batch(&batch);
                batches.push(batch);
                if self.reservation.try_grow(bytes).is_ok() {
                    return Ok(());
                }
            }
        }
        self.spill().await
    }

    /// Moves what is in memory to disk, and what is pushed from now on with it.
    pub async fn spill(&mut self) -> Result<(), DataFusionError> {
        let Filling::Memory(batches) = &mut self.place else {
            return Ok(());
        };
        let batches = std::mem::take(batches);
        let writer = DiskWriter::new(Arc::clone(&self.schema), &self.runtime, &self.name)?;
        self.place = Filling::Disk(Box::new(writer));
        if let Filling::Disk(writer) = &mut self.place {
            for batch in batches {
                writer.push(batch).await?;
            }
        }
        self.counter = RecordBatchMemoryCounter::new();
        self.reservation.free();
        Ok(())
    }

    /// Ends the writing.
    pub async fn finish(self) -> Result<Spooled, DataFusionError> {
        let place = match self.place {
            Filling::Memory(batches) => Filled::Memory {
                batches,
                _memory: self.reservation,
            },
            Filling::Disk(writer) => Filled::Disk(writer.finish().await?),
        };
        Ok(Spooled {
            schema: self.schema,
            rows: self.rows,
            place,
        })
    }

    fn with_schema(&self, batch: RecordBatch) -> Result<RecordBatch, DataFusionError> {
        if Arc::ptr_eq(batch.schema_ref(), &self.schema) {
            return Ok(batch);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let (_, columns, _) = batch.into_parts();
        let schema = Arc::clone(&self.schema);
        Ok(RecordBatch::try_new_with_options(
            schema, columns, &options,
        )?)
    }
}

impl Spooled {
    /// The columns of the rows.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Bytes on disk; 0 when everything is in memory.
    pub fn spilled_bytes(&self) -> usize {
        match &self.place {
            Filled::Memory { .. } => 0,
            Filled::Disk(file) => file.bytes(),
        }
    }

    /// The rows, if they are in memory.
    pub fn in_memory(&self) -> Option<&[RecordBatch]> {
        match &self.place {
            Filled::Memory { batches, .. } => Some(batches),
            Filled::Disk(_) => None,
        }
    }

    /// The rows in the order in which they were pushed.
    ///
    /// A reader of rows in memory keeps them alive, but not what they are charged to: keep `self` for
    /// as long as the stream is read.
    pub fn read(&self) -> Result<SendableRecordBatchStream, DataFusionError> {
        match &self.place {
            Filled::Memory { batches, .. } => {
                let batches = batches.clone().into_iter().map(Ok);
                Ok(Box::pin(RecordBatchStreamAdapter::new(
                    Arc::clone(&self.schema),
                    futures::stream::iter(batches),
                )))
            }
            Filled::Disk(file) => file.read(),
        }
    }
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool")
            .field("name", &self.name)
            .field("rows", &self.rows)
            .field("on_disk", &matches!(self.place, Filling::Disk(_)))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Spooled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spooled")
            .field("rows", &self.rows)
            .field("spilled_bytes", &self.spilled_bytes())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
