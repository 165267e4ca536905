//! A join that does not fit into memory: both sides are dealt to disk by a hash of their keys, and
//! joined part by part.
//!
//! ```text
//!   spine    row 0 1 2 3 4 5 …          history
//!            ├─ part 0: 1 4 …     ⋈     ├─ part 0     ─►  run 0: (1, winner) (4, winner) …
//!            └─ part 1: 0 2 3 5 … ⋈     └─ part 1     ─►  run 1: (0, winner) (3, winner) …
//!
//!   output   0 1 2 3 4 5 …              each run is in the order of the spine, so all are read once
//! ```
//!
//! Equal keys are in the same part. A part that still does not fit, because many rows share one key,
//! is joined a stretch of its spine rows at a time.

mod deal;
mod runs;
mod solve;

use std::num::NonZeroU32;
use std::sync::Arc;

use arrow::array::{ArrayRef, UInt64Array};
use datafusion::common::Result;
use datafusion::common::runtime::SpawnedTask;
use datafusion::execution::memory_pool::MemoryLimit;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use fs_pit::partition;
use futures::StreamExt;

use self::deal::Dealer;
pub(super) use self::runs::Runs;
use self::solve::{Part, solve};
use super::columns::{Join, Resolved};
use super::run::{ROWS_READ, Session, finished};
use super::spine::{Spine, estimated_bytes, kernel_error, spine_times};
use crate::Spooled;

/// More parts than this are not made at once.
const MOST_PARTS: usize = 64;

/// Joins `history` to the spine by way of the disk.
pub(super) async fn join_on_disk(
    join: &Arc<Join>,
    resolved: &Resolved,
    spine: &Spine,
    history: &Arc<dyn ExecutionPlan>,
    session: &Session,
) -> Result<Runs> {
    session.metrics.joined_on_disk.add(1);
    let parts = part_count(join, resolved, spine, session).await?;
    let keys = &resolved.key_sets[join.key_set];
    let spine_parts = deal_spine(spine, keys, resolved.time, parts, session).await?;
    let mut history_parts: Vec<Vec<Spooled>> = spine_parts.iter().map(|_| Vec::new()).collect();
    for dealt in deal_history(join, spine, history, parts, session).await? {
        for (part, dealt) in history_parts.iter_mut().zip(dealt) {
            part.push(dealt);
        }
    }
    let mut runs = Vec::new();
    for (rows, history) in spine_parts.into_iter().zip(history_parts) {
        let part = Part {
            join: Arc::clone(join),
            rows,
            history,
        };
        runs.push(solve(part, session).await?);
    }
    Ok(Runs::new(join.absent()?, runs))
}

/// So many parts that one should fit into a quarter of the memory there is.
async fn part_count(
    join: &Join,
    resolved: &Resolved,
    spine: &Spine,
    session: &Session,
) -> Result<NonZeroU32> {
    let MemoryLimit::Finite(limit) = session.runtime.memory_pool.memory_limit() else {
        return Ok(NonZeroU32::MIN);
    };
    let mut needed = spine.rows.rows() * join.bytes_per_row()?;
    let mut batches = spine.rows.read()?;
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        let keys = &resolved.key_sets[join.key_set];
        let keys: Vec<ArrayRef> = keys
            .iter()
            .map(|at| Arc::clone(batch.column(*at)))
            .collect();
        needed += estimated_bytes(&keys, batch.num_rows())?;
    }
    let parts = needed.div_ceil((limit / 4).max(1)).clamp(2, MOST_PARTS);
    let parts = u32::try_from(parts).ok().and_then(NonZeroU32::new);
    Ok(parts.unwrap_or(NonZeroU32::MIN))
}

/// Row number, keys and time of every row that has a key, dealt to parts.
async fn deal_spine(
    spine: &Spine,
    keys: &[usize],
    time: usize,
    parts: NonZeroU32,
    session: &Session,
) -> Result<Vec<Spooled>> {
    let schema = solve::spine_schema(spine.rows.schema(), keys, time);
    let mut dealer = Dealer::new(schema, parts, "part of the spine", session).await?;
    let mut batches = spine.rows.read()?;
    let mut start = 0_u64;
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        let columns: Vec<ArrayRef> = keys
            .iter()
            .map(|at| Arc::clone(batch.column(*at)))
            .collect();
        let of = partition(&columns, batch.num_rows(), parts).map_err(kernel_error)?;
        let end = start + batch.num_rows() as u64;
        let numbers: ArrayRef = Arc::new(UInt64Array::from_iter_values(start..end));
        let times: ArrayRef = Arc::new(spine_times(&batch, time)?.clone());
        let columns = std::iter::once(numbers).chain(columns).chain([times]);
        dealer.deal(columns.collect(), &of).await?;
        start = end;
    }
    dealer.finish().await
}

/// The rows of the history that some spine row may see, dealt to parts; once for each partition.
async fn deal_history(
    join: &Arc<Join>,
    spine: &Spine,
    history: &Arc<dyn ExecutionPlan>,
    parts: NonZeroU32,
    session: &Session,
) -> Result<Vec<Vec<Spooled>>> {
    let (first, last) = spine.times.unwrap_or((i64::MAX, i64::MIN));
    let (low, high) = join.spec.event_range(first, last);
    let range = low.unwrap_or(i64::MIN)..=high;
    let rows_read = session.metrics.of_join(ROWS_READ, join.label());
    let mut tasks = Vec::new();
    for number in 0..history.output_partitioning().partition_count() {
        let mut stream = history.execute(number, Arc::clone(&session.context))?;
        let (join, session, range) = (Arc::clone(join), session.clone(), range.clone());
        let rows_read = rows_read.clone();
        tasks.push(SpawnedTask::spawn(async move {
            let name = "part of a history";
            let mut dealer = Dealer::new(stream.schema(), parts, name, &session).await?;
            while let Some(batch) = stream.next().await {
                let batch = batch?;
                rows_read.add(batch.num_rows());
                let keys = join.key_columns(&batch);
                let mut of = partition(&keys, batch.num_rows(), parts).map_err(kernel_error)?;
                let events = join.rows(&keys, &batch)?.event;
                for (of, event) in of.iter_mut().zip(events.values()) {
                    *of = of.filter(|_| range.contains(event));
                }
                dealer.deal(batch.columns().to_vec(), &of).await?;
            }
            dealer.finish().await
        }));
    }
    let mut dealt = Vec::new();
    for task in tasks {
        dealt.push(finished(task).await??);
    }
    Ok(dealt)
}
