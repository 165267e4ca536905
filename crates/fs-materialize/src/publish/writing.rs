//! Writing what was found: rows are read, packed and sent at the same time.
//!
//! ```text
//!   two readers ──► batches, decoded ahead ──► winners, packed ──► writes in flight ──► online store
//!                   a few at most                                  four at most
//! ```
//! Whatever the size of the table, this is all that is ever in memory of its features.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::ExecutionPlanProperties;
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use fs_offline::{Scan, TableScan};
use fs_online::RowWrite;
use futures::stream::FuturesUnordered;
use futures::{StreamExt, TryStreamExt};

use super::packing::Packing;
use super::winners::Winners;
use super::{Attempt, Publisher, Tally};
use crate::{Error, Phase};

/// Writes that the store is busy with at once.
pub(super) const IN_FLIGHT: usize = 4;

/// Row groups that are read at once, each of which is held whole as it is in its file. One is decoded
/// faster than a store takes its rows; the other is read meanwhile.
const READERS: usize = 2;

/// Batches that wait to be packed.
const DECODED: usize = 2;

impl Publisher<'_> {
    /// Writes the winners among the rows of `scans`.
    pub(super) async fn write_winners(
        &self,
        attempt: &Attempt,
        scans: &[Scan],
        winners: &Winners,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let expected = tally.keys() + winners.len() as u64;
        self.progress
            .expect(&self.view.name, Phase::Publish, expected);
        for scan in scans.iter().filter_map(|scan| winners.narrow(scan)) {
            let scan = Scan {
                columns: Some(self.columns.all()),
                ..scan
            };
            let scan = self.table(self.offline.scan(&self.schema, &scan).await)?;
            let rows = decoded_ahead(&scan);
            let packing = Packing::new(self, *attempt, winners, rows);
            self.write_packed(packing, tally).await?;
        }
        Ok(())
    }

    async fn write_packed(&self, mut packing: Packing<'_>, tally: &mut Tally) -> Result<(), Error> {
        let mut in_flight = FuturesUnordered::new();
        let mut is_packed = false;
        while !is_packed || !in_flight.is_empty() {
            tokio::select! {
                biased;
                Some(done) = in_flight.next(), if !in_flight.is_empty() => {
                    self.count(tally, self.store(done)?);
                }
                packed = packing.next(), if !is_packed && in_flight.len() < IN_FLIGHT => {
                    match packed? {
                        Some(writes) => in_flight.push(self.send(writes)),
                        None => is_packed = true,
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes what is in memory, a few at a time.
    pub(super) async fn write_all(
        &self,
        writes: Vec<RowWrite>,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let batches: Vec<Vec<RowWrite>> = writes
            .chunks(self.options.write_batch.max(1))
            .map(<[RowWrite]>::to_vec)
            .collect();
        let mut done = futures::stream::iter(batches)
            .map(|batch| self.send(batch))
            .buffer_unordered(IN_FLIGHT);
        while let Some(outcome) = self.store(done.try_next().await)? {
            self.count(tally, outcome);
        }
        Ok(())
    }

    pub(super) async fn send(
        &self,
        writes: Vec<RowWrite>,
    ) -> Result<fs_online::WriteOutcome, fs_online::Error> {
        self.online.write(&self.id, writes, self.fence).await
    }

    pub(super) fn count(&self, tally: &mut Tally, outcome: fs_online::WriteOutcome) {
        tally.outcome += outcome;
        self.progress
            .report(&self.view.name, Phase::Publish, tally.keys());
    }
}

/// The rows of a scan, decoded by tasks of their own that are ahead by a few batches, and go away with
/// the stream.
fn decoded_ahead(scan: &TableScan) -> SendableRecordBatchStream {
    let plan = scan.plan();
    let partitions = plan.output_partitioning().partition_count();
    let next = Arc::new(AtomicUsize::new(0));
    let mut stream = RecordBatchReceiverStreamBuilder::new(plan.schema(), DECODED);
    for _ in 0..READERS.min(partitions) {
        let (plan, context) = (Arc::clone(plan), Arc::clone(scan.context()));
        let (next, sender) = (Arc::clone(&next), stream.tx());
        stream.spawn(async move {
            loop {
                let partition = next.fetch_add(1, Ordering::Relaxed);
                if partition >= partitions {
                    return Ok::<_, DataFusionError>(());
                }
                let mut rows = plan.execute(partition, Arc::clone(&context))?;
                while let Some(batch) = rows.next().await {
                    if sender.send(batch).await.is_err() {
                        // Nobody wants them any more.
                        return Ok(());
                    }
                }
            }
        });
    }
    stream.build()
}
