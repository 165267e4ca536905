//! Rows dealt to files.

use std::num::NonZeroU32;

use arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use arrow::compute::BatchCoalescer;
use arrow::datatypes::SchemaRef;
use datafusion::common::Result;

use crate::point_in_time::run::Session;
use crate::{Spool, Spooled};

/// Rows of a batch in a file; there is one such batch in memory for each file.
const BATCH_ROWS: usize = 1024;

/// Writes rows to one of several files each.
pub(super) struct Dealer {
    schema: SchemaRef,
    parts: Vec<(BatchCoalescer, Spool)>,
}

impl Dealer {
    pub(super) async fn new(
        schema: SchemaRef,
        parts: NonZeroU32,
        name: &str,
        session: &Session,
    ) -> Result<Self> {
        let mut dealt = Vec::new();
        for _ in 0..parts.get() {
            let spool = session.spool_on_disk(&schema, name).await?;
            dealt.push((BatchCoalescer::new(schema.clone(), BATCH_ROWS), spool));
        }
        Ok(Self {
            schema,
            parts: dealt,
        })
    }

    /// Deals the rows of a batch; rows of no part are left out.
    pub(super) async fn deal(&mut self, columns: Vec<ArrayRef>, of: &[Option<u32>]) -> Result<()> {
        let batch = RecordBatch::try_new(self.schema.clone(), columns)?;
        let mut rows: Vec<Vec<u64>> = vec![Vec::new(); self.parts.len()];
        for (row, part) in (0..).zip(of) {
            if let Some(part) = part {
                rows[*part as usize].push(row);
            }
        }
        for ((coalescer, spool), rows) in self.parts.iter_mut().zip(rows) {
            if rows.is_empty() {
                continue;
            }
            let rows = UInt64Array::from(rows);
            coalescer.push_batch_with_indices(batch.clone(), &rows)?;
            while let Some(full) = coalescer.next_completed_batch() {
                spool.push(full).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn finish(self) -> Result<Vec<Spooled>> {
        let mut finished = Vec::new();
        for (mut coalescer, mut spool) in self.parts {
            coalescer.finish_buffered_batch()?;
            while let Some(last) = coalescer.next_completed_batch() {
                spool.push(last).await?;
            }
            finished.push(spool.finish().await?);
        }
        Ok(finished)
    }
}
