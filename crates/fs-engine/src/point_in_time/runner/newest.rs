//! [`Newest`]: who is the newest row of each slot?

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use fs_pit::{KeptRows, PointInTimeJoin, SpineIndex};

use crate::point_in_time::columns::{Join, OfNewest, by_file};
use crate::point_in_time::found::{Found, What};
use crate::point_in_time::run::Session;
use crate::point_in_time::spine::kernel_error;

/// Partitions of a history are numbered in the upper bits of the numbers of their batches, so that
/// earlier partitions count as earlier arrivals.
const BATCH_BITS: u32 = 20;

/// The candidates among the rows that have come by, and what is kept of them.
#[derive(Debug)]
pub(super) struct Newest {
    taken: Arc<OfNewest>,
    kernel: PointInTimeJoin,
    kept: KeptRows,
    next_batch: u32,
    candidates: MemoryReservation,
    columns: MemoryReservation,
}

impl Newest {
    /// No candidates yet; `None` if there is no memory for them.
    pub(super) fn start(
        taken: &Arc<OfNewest>,
        join: &Join,
        index: &Arc<SpineIndex>,
        partition: usize,
        session: &Session,
    ) -> Option<Self> {
        let candidates = session.reservation("candidates");
        let bytes = PointInTimeJoin::bytes_over(index);
        candidates.try_grow(bytes).ok()?;
        let first = u32::try_from(partition)
            .ok()?
            .checked_mul(1 << BATCH_BITS)?;
        Some(Self {
            taken: Arc::clone(taken),
            kernel: PointInTimeJoin::over(Arc::clone(index), join.spec.rule),
            kept: KeptRows::new(Arc::clone(&join.fields)).numbered_from(first),
            next_batch: first,
            candidates,
            columns: session.reservation("columns of candidates"),
        })
    }

    /// The winners of all partitions.
    pub(super) fn finish(
        partitions: Vec<Self>,
        taken: &OfNewest,
        index: &Arc<SpineIndex>,
    ) -> Result<Found> {
        let mut kernels = Vec::new();
        let mut kept: Option<KeptRows> = None;
        // Held until what they are for is gone.
        let mut memory = Vec::new();
        for partition in partitions {
            kernels.push(partition.kernel);
            match &mut kept {
                Some(kept) => kept.append(partition.kept),
                none => *none = Some(partition.kept),
            }
            memory.extend([partition.candidates, partition.columns]);
        }
        let matches = PointInTimeJoin::finish_together(kernels, Arc::clone(index));
        let what = match (taken, kept) {
            (OfNewest::Columns(_), Some(mut kept)) => {
                kept.compact(&matches.winners()).map_err(kernel_error)?;
                What::Kept(matches, kept)
            }
            _ => What::Places(matches),
        };
        Found::new(what, memory)
    }

    /// Lets a batch race; `false` if there is no memory for what would have to be kept.
    pub(super) fn offer(&mut self, join: &Join, batch: &RecordBatch) -> Result<bool> {
        match self.taken.as_ref() {
            OfNewest::Place { file, row } => {
                by_file(batch, *file, *row, |part, ids| {
                    let keys = join.key_columns(part);
                    let rows = join.rows(&keys, part)?;
                    self.kernel.offer_at(&rows, ids).map_err(kernel_error)
                })?;
                Ok(true)
            }
            OfNewest::Columns(columns) => {
                let payload = batch.project(columns)?;
                self.offer_columns(join, batch, &payload)
            }
        }
    }

    fn offer_columns(
        &mut self,
        join: &Join,
        batch: &RecordBatch,
        payload: &RecordBatch,
    ) -> Result<bool> {
        let keys = join.key_columns(batch);
        let rows = join.rows(&keys, batch)?;
        let candidates = self
            .kernel
            .offer_batch(&rows, self.next_batch)
            .map_err(kernel_error)?;
        self.next_batch += 1;
        self.kept
            .keep::<fs_pit::Error>(payload, &candidates, Ok)
            .map_err(kernel_error)?;
        if self.kept.wants_compaction(self.kernel.candidates()) {
            self.compact()?;
        }
        if self.columns.try_resize(self.kept.bytes()).is_ok() {
            return Ok(true);
        }
        self.compact()?;
        Ok(self.columns.try_resize(self.kept.bytes()).is_ok())
    }

    fn compact(&mut self) -> Result<()> {
        self.kept.compact(&self.kernel.live()).map_err(kernel_error)
    }
}
