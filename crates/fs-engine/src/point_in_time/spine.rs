//! The first step of a run: the spine is read whole, and indexed on the way.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array, new_empty_array};
use arrow::compute::{concat, max, min, take};
use arrow::datatypes::TimestampMicrosecondType;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result, exec_datafusion_err};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::MemoryReservation;
use fs_pit::{SpineIndex, SpineIndexBuilder};
use futures::StreamExt;

use super::columns::Resolved;
use super::run::{Session, finished};
use crate::{Spool, Spooled};

/// The rows of a spine, and how to look them up.
#[derive(Debug)]
pub(super) struct Spine {
    pub(super) rows: Spooled,
    /// The first and the last time; `None` without rows.
    pub(super) times: Option<(i64, i64)>,
    /// For each list of key columns its index; `None` where memory did not suffice.
    pub(super) indexes: Vec<Option<Indexed>>,
}

/// The index over one list of key columns.
#[derive(Debug)]
pub(super) struct Indexed {
    pub(super) index: Arc<SpineIndex>,
    /// The distinct keys, if there are few: one array for each key column.
    pub(super) few: Option<Vec<ArrayRef>>,
    _memory: MemoryReservation,
}

/// An index that is being built.
struct Building {
    builder: SpineIndexBuilder,
    memory: MemoryReservation,
}

impl Spine {
    /// Reads all of `input`.
    pub(super) async fn read(
        mut input: SendableRecordBatchStream,
        resolved: &Resolved,
        session: &Session,
    ) -> Result<Self> {
        let mut building: Vec<Option<Building>> = resolved
            .key_sets
            .iter()
            .map(|_| {
                Some(Building {
                    builder: SpineIndexBuilder::with_capacity(0),
                    memory: session.reservation("spine index"),
                })
            })
            .collect();
        let rows = session.reservation("spine");
        let mut rows = Spool::new(input.schema(), rows, &session.runtime, "spine");
        let mut times: Option<(i64, i64)> = None;
        while let Some(batch) = input.next().await {
            let batch = batch?;
            times = widened(times, &batch, resolved.time)?;
            for (keys, building) in resolved.key_sets.iter().zip(&mut building) {
                index_batch(building, &batch, keys, resolved.time)?;
            }
            rows.push(batch).await?;
        }
        let rows = rows.finish().await?;
        let mut indexes = Vec::new();
        for (keys, building) in resolved.key_sets.iter().zip(building) {
            indexes.push(match building {
                Some(building) => Some(Indexed::finish(building, keys, &rows).await?),
                None => None,
            });
        }
        Ok(Self {
            rows,
            times,
            indexes,
        })
    }
}

/// Adds a batch to an index; gives the index up when there is no memory for it.
fn index_batch(
    building: &mut Option<Building>,
    batch: &RecordBatch,
    keys: &[usize],
    time: usize,
) -> Result<()> {
    let Some(some) = building else {
        return Ok(());
    };
    let keys: Vec<ArrayRef> = keys
        .iter()
        .map(|at| Arc::clone(batch.column(*at)))
        .collect();
    let bytes = estimated_bytes(&keys, batch.num_rows())?;
    if some.memory.try_grow(bytes).is_err() {
        *building = None;
        return Ok(());
    }
    some.builder
        .push(&keys, spine_times(batch, time)?)
        .map_err(kernel_error)
}

/// What the index of these rows takes at most.
pub(super) fn estimated_bytes(keys: &[ArrayRef], rows: usize) -> Result<usize> {
    let mut bytes = 0;
    for key in keys {
        bytes += key.to_data().get_slice_memory_size()?;
    }
    // Parts of composite keys are preceded by their lengths.
    let lengths = if keys.len() > 1 {
        8 * keys.len() * rows
    } else {
        0
    };
    Ok(SpineIndex::estimated_bytes(rows, bytes + lengths))
}

/// The times of a spine batch.
pub(super) fn spine_times(
    batch: &RecordBatch,
    time: usize,
) -> Result<&arrow::array::TimestampMicrosecondArray> {
    batch
        .column(time)
        .as_primitive_opt::<TimestampMicrosecondType>()
        .ok_or_else(|| exec_datafusion_err!("the times of the spine are not in microseconds"))
}

/// An error of the kernel on its way through `DataFusion`.
pub(super) fn kernel_error(error: fs_pit::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

fn widened(
    times: Option<(i64, i64)>,
    batch: &RecordBatch,
    time: usize,
) -> Result<Option<(i64, i64)>> {
    let column = spine_times(batch, time)?;
    let found = min(column).zip(max(column));
    Ok(match (times, found) {
        (Some((first, last)), Some((low, high))) => Some((first.min(low), last.max(high))),
        (times, found) => times.or(found),
    })
}

impl Indexed {
    async fn finish(building: Building, keys: &[usize], rows: &Spooled) -> Result<Self> {
        let Building { builder, memory } = building;
        let index = SpawnedTask::spawn_blocking(move || builder.finish());
        let index = finished(index).await?;
        // The estimate was for the time of building.
        memory.try_resize(index.bytes())?;
        let few = match index.examples() {
            Some(rows_of_keys) if !keys.is_empty() => {
                Some(rows_at(rows, keys, rows_of_keys).await?)
            }
            _ => None,
        };
        Ok(Self {
            index: Arc::new(index),
            few,
            _memory: memory,
        })
    }
}

/// These columns of these rows.
async fn rows_at(rows: &Spooled, columns: &[usize], at: &[u32]) -> Result<Vec<ArrayRef>> {
    let mut at = at.to_vec();
    at.sort_unstable();
    let mut found: Vec<Vec<ArrayRef>> = vec![Vec::new(); columns.len()];
    let (mut start, mut next) = (0_usize, 0);
    let mut stream = rows.read()?;
    while next < at.len() {
        let Some(batch) = stream.next().await else {
            break;
        };
        let batch = batch?;
        let end = start + batch.num_rows();
        let here = at[next..].partition_point(|row| (*row as usize) < end);
        let local = at[next..next + here]
            .iter()
            .map(|row| *row as usize - start);
        let local = UInt32Array::from_iter_values(local.filter_map(|row| u32::try_from(row).ok()));
        for (column, found) in columns.iter().zip(&mut found) {
            found.push(take(batch.column(*column), &local, None)?);
        }
        next += here;
        start = end;
    }
    let found = found.iter().zip(columns);
    found
        .map(|(parts, column)| {
            let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
            match parts.as_slice() {
                [] => Ok(new_empty_array(rows.schema().field(*column).data_type())),
                parts => Ok(concat(parts)?),
            }
        })
        .collect()
}
