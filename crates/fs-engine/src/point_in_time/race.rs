//! Histories streamed past the index of a spine: who is the newest row of each slot?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use datafusion::common::Result;
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::physical_plan::metrics::Count;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use fs_pit::{KeptRows, PointInTimeJoin, SpineIndex};
use futures::StreamExt;

use super::columns::{Join, Taken, by_file};
use super::found::{Found, What};
use super::run::{ROWS_READ, Session, finished};
use super::spine::kernel_error;

/// Partitions of a history are numbered in the upper bits of the numbers of their batches, so that
/// earlier partitions count as earlier arrivals.
const BATCH_BITS: u32 = 20;

/// A join that takes part in a race.
#[derive(Debug)]
pub(super) struct Contender {
    pub(super) join: Arc<Join>,
    pub(super) index: Arc<SpineIndex>,
    /// Set once there was no memory for what the join takes.
    given_up: Arc<AtomicBool>,
    rows_read: Count,
}

/// One join on one stretch of a history.
#[derive(Debug)]
pub(super) struct Runner {
    join: Arc<Join>,
    kernel: PointInTimeJoin,
    kept: KeptRows,
    next_batch: u32,
    candidates: MemoryReservation,
    columns: MemoryReservation,
    given_up: Arc<AtomicBool>,
    rows_read: Count,
}

impl Contender {
    pub(super) fn new(join: Arc<Join>, index: Arc<SpineIndex>, session: &Session) -> Self {
        Self {
            rows_read: session.metrics.of_join(ROWS_READ, join.label()),
            join,
            index,
            given_up: Arc::default(),
        }
    }

    /// The winners, once everything has been offered to `runners`, which are in the order of the
    /// partitions.
    pub(super) fn finish(&self, runners: Vec<Runner>) -> Result<Found> {
        let mut kernels = Vec::new();
        let mut kept: Option<KeptRows> = None;
        // Held until what they are for is gone.
        let mut memory = Vec::new();
        for runner in runners {
            kernels.push(runner.kernel);
            match &mut kept {
                Some(kept) => kept.append(runner.kept),
                none => *none = Some(runner.kept),
            }
            memory.extend([runner.candidates, runner.columns]);
        }
        let matches = PointInTimeJoin::finish_together(kernels, Arc::clone(&self.index));
        let what = match (&self.join.taken, kept) {
            (Taken::Columns(_), Some(mut kept)) => {
                kept.compact(&matches.winners()).map_err(kernel_error)?;
                What::Kept(matches, kept)
            }
            _ => What::Places(matches),
        };
        Found::new(what, memory)
    }

    /// A runner for partition `partition`; `None` if there is no memory for its candidates.
    pub(super) fn runner(&self, partition: usize, session: &Session) -> Option<Runner> {
        let candidates = session.reservation("candidates");
        let bytes = PointInTimeJoin::bytes_over(&self.index);
        if candidates.try_grow(bytes).is_err() {
            self.given_up.store(true, Ordering::Relaxed);
            return None;
        }
        let first = u32::try_from(partition)
            .ok()?
            .checked_mul(1 << BATCH_BITS)?;
        Some(Runner {
            kernel: PointInTimeJoin::over(Arc::clone(&self.index), self.join.spec.rule),
            kept: KeptRows::new(Arc::clone(&self.join.fields)).numbered_from(first),
            join: Arc::clone(&self.join),
            next_batch: first,
            candidates,
            columns: session.reservation("columns of candidates"),
            given_up: Arc::clone(&self.given_up),
            rows_read: self.rows_read.clone(),
        })
    }
}

/// Streams all of `history` past the contenders; `None` for those that memory did not suffice for.
pub(super) async fn race(
    history: &Arc<dyn ExecutionPlan>,
    contenders: &[Contender],
    session: &Session,
) -> Result<Vec<Option<Found>>> {
    let partitions = history.output_partitioning().partition_count();
    let mut lanes = Vec::new();
    for partition in 0..partitions {
        let runners: Vec<Option<Runner>> = contenders
            .iter()
            .map(|contender| contender.runner(partition, session))
            .collect();
        lanes.push(runners);
    }
    let mut tasks = Vec::new();
    for (partition, runners) in lanes.into_iter().enumerate() {
        let stream = history.execute(partition, Arc::clone(&session.context))?;
        let session = session.clone();
        tasks.push(SpawnedTask::spawn(run(stream, runners, session)));
    }
    let mut by_join: Vec<Vec<Runner>> = contenders.iter().map(|_| Vec::new()).collect();
    for task in tasks {
        let runners = finished(task).await??;
        for (of_join, runner) in by_join.iter_mut().zip(runners) {
            of_join.extend(runner);
        }
    }
    let by_join = by_join.into_iter().zip(contenders);
    by_join
        .map(|(runners, contender)| {
            let whole = !contender.given_up.load(Ordering::Relaxed);
            whole.then(|| contender.finish(runners)).transpose()
        })
        .collect()
}

/// Streams one partition past its runners.
async fn run(
    mut stream: SendableRecordBatchStream,
    mut runners: Vec<Option<Runner>>,
    session: Session,
) -> Result<Vec<Option<Runner>>> {
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        let _timer = session.metrics.race_time.timer();
        for runner in &mut runners {
            if let Some(running) = runner
                && !running.offer(&batch)?
            {
                *runner = None;
            }
        }
        if runners.iter().all(Option::is_none) {
            break;
        }
    }
    Ok(runners)
}

impl Runner {
    /// Lets a batch race; `false` if there is no memory for what would have to be kept.
    pub(super) fn offer(&mut self, batch: &RecordBatch) -> Result<bool> {
        self.rows_read.add(batch.num_rows());
        self.offer_again(batch)
    }

    /// The same for a batch that was counted when it was read.
    pub(super) fn offer_again(&mut self, batch: &RecordBatch) -> Result<bool> {
        if self.given_up.load(Ordering::Relaxed) {
            return Ok(false);
        }
        match &self.join.taken {
            Taken::Place { file, row } => {
                let (join, kernel) = (&self.join, &mut self.kernel);
                by_file(batch, *file, *row, |part, ids| {
                    let keys = join.key_columns(part);
                    let rows = join.rows(&keys, part)?;
                    kernel.offer_at(&rows, ids).map_err(kernel_error)
                })?;
                Ok(true)
            }
            Taken::Columns(_) => self.offer_columns(batch),
        }
    }

    fn offer_columns(&mut self, batch: &RecordBatch) -> Result<bool> {
        let keys = self.join.key_columns(batch);
        let rows = self.join.rows(&keys, batch)?;
        let candidates = self
            .kernel
            .offer_batch(&rows, self.next_batch)
            .map_err(kernel_error)?;
        self.next_batch += 1;
        let payload = self.join.payload(batch)?;
        self.kept
            .keep::<fs_pit::Error>(&payload, &candidates, Ok)
            .map_err(kernel_error)?;
        if self.kept.wants_compaction(self.kernel.candidates()) {
            self.compact()?;
        }
        let mut fits = self.columns.try_resize(self.kept.bytes()).is_ok();
        if !fits {
            self.compact()?;
            fits = self.columns.try_resize(self.kept.bytes()).is_ok();
        }
        if !fits {
            self.given_up.store(true, Ordering::Relaxed);
        }
        Ok(fits)
    }

    fn compact(&mut self) -> Result<()> {
        self.kept.compact(&self.kernel.live()).map_err(kernel_error)
    }
}
