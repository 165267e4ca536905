//! One run of the operator: read the input, find the rows, read them, put them beside the input.

use std::sync::Arc;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Schema, UInt64Type};
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::utils::memory::RecordBatchMemoryCounter;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::metrics::{Count, Time};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};

use super::directory::Directory;
use super::input::Cursor;
use super::lookup::{Layout, Loaded};
use super::marks::Marks;
use super::payload::{Payload, Piece};
use super::read::Wanted;
use super::source::TableSource;
use super::windows;
use super::words::WordColumns;
use crate::{Spool, Spooled};

/// What is counted of a run.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    pub(super) rows_fetched: Count,
    pub(super) spilled_bytes: Count,
    pub(super) windows: Count,
    pub(super) elapsed: Time,
}

/// Everything that a run needs besides its input.
#[derive(Debug, Clone)]
pub(super) struct Run {
    pub(super) layout: Arc<Layout>,
    pub(super) tables: Vec<TableRun>,
    pub(super) context: Arc<TaskContext>,
    pub(super) counts: Counts,
}

/// A table, and the columns of the input that have addresses of its rows.
#[derive(Debug, Clone)]
pub(super) struct TableRun {
    pub(super) source: Arc<TableSource>,
    pub(super) addresses: Vec<usize>,
}

/// Memory of a run that is charged to the pool.
pub(super) struct Charged {
    /// Marks and directories, which it cannot do without: they are never refused.
    pub(super) marks: MemoryReservation,
    pub(super) payload: MemoryReservation,
}

pub(super) type Rows = BoxStream<'static, Result<RecordBatch, DataFusionError>>;

impl Run {
    pub(super) async fn start(
        self,
        input: SendableRecordBatchStream,
    ) -> Result<Rows, DataFusionError> {
        let charged = Charged {
            marks: self.reservation("marks", false),
            payload: self.reservation("payload", true),
        };
        let (spooled, marks) = self.read_input(input).await?;
        let mut wanted = Vec::with_capacity(marks.len());
        for (table, marks) in self.tables.iter().zip(marks) {
            charged
                .marks
                .grow(marks.bytes() + Directory::bytes_for(&marks));
            let source = Arc::clone(&table.source);
            wanted.push(Arc::new(Wanted::find(source, marks, &self.context).await?));
        }
        let rows = wanted.iter().map(|table| table.marks.count()).sum();
        self.counts.rows_fetched.add(rows);
        match self.load(&wanted, &charged.payload).await? {
            Some(tables) => self.whole(spooled, tables, charged),
            None => windows::rows(self, spooled, wanted, charged).await,
        }
    }

    /// How many tasks run beside each other.
    pub(super) fn parallel(&self) -> usize {
        self.context.session_config().target_partitions().max(1)
    }

    fn reservation(&self, of: &str, can_spill: bool) -> MemoryReservation {
        MemoryConsumer::new(format!("FetchRows[{of}]"))
            .with_can_spill(can_spill)
            .register(self.context.memory_pool())
    }

    async fn read_input(
        &self,
        mut input: SendableRecordBatchStream,
    ) -> Result<(Spooled, Vec<Marks>), DataFusionError> {
        let mut marks: Vec<Marks> = self
            .tables
            .iter()
            .map(|table| Marks::none(table.source.files()))
            .collect();
        let reservation = self.reservation("input", true);
        let runtime = self.context.runtime_env();
        let mut spool = Spool::new(input.schema(), reservation, &runtime, "rows to look up");
        while let Some(batch) = input.try_next().await? {
            let timer = self.counts.elapsed.timer();
            for (table, marks) in self.tables.iter().zip(&mut marks) {
                for column in &table.addresses {
                    marks.add(batch.column(*column).as_primitive::<UInt64Type>())?;
                }
            }
            timer.done();
            spool.push(batch).await?;
        }
        let spooled = spool.finish().await?;
        self.counts.spilled_bytes.add(spooled.spilled_bytes());
        Ok((spooled, marks))
    }

    /// The payload of all rows; `None` if the pool does not grant the memory.
    async fn load(
        &self,
        wanted: &[Arc<Wanted>],
        reservation: &MemoryReservation,
    ) -> Result<Option<Vec<Loaded>>, DataFusionError> {
        if reservation.try_grow(estimate(wanted)).is_err() {
            return Ok(None);
        }
        let (mut used, mut bytes) = (RecordBatchMemoryCounter::new(), 0);
        let mut tables = Vec::with_capacity(wanted.len());
        for wanted in wanted {
            let schema = wanted.source.schema();
            let last = wanted.chunks.last();
            let pieces = last.map_or(0, |chunk| chunk.first_piece + chunk.pieces());
            let mut pieces: Vec<Piece> = (0..pieces).map(|_| Piece::default()).collect();
            let layout = WordColumns::of(schema);
            let keep = {
                let layout = layout.clone();
                move |piece: RecordBatch| Piece::new(&layout, &piece)
            };
            let mut chunks = wanted.read(self.parallel(), false, &self.context, keep);
            while let Some((at, read)) = chunks.try_next().await? {
                let first = wanted.chunks[at].first_piece;
                for (place, piece) in pieces[first..].iter_mut().zip(read) {
                    let piece = piece?;
                    bytes += piece.bytes(&mut used);
                    *place = piece;
                }
                let missing = bytes.saturating_sub(reservation.size());
                if missing > 0 && reservation.try_grow(missing).is_err() {
                    reservation.free();
                    return Ok(None);
                }
            }
            tables.push(Loaded {
                directory: Directory::of_chunks(&wanted.marks, &wanted.chunks),
                payload: Payload::new(layout, pieces),
            });
        }
        Ok(Some(tables))
    }

    /// The output when all payload is in memory: batches are made beside each other, and come in order.
    fn whole(
        self,
        spooled: Spooled,
        tables: Vec<Loaded>,
        charged: Charged,
    ) -> Result<Rows, DataFusionError> {
        let tables = Arc::new(tables);
        let limit = self.context.session_config().batch_size();
        let parallel = self.parallel();
        let cursor = Cursor::new(spooled.read()?);
        // What is charged is given back once the last batch is on its way.
        let state = (cursor, spooled, charged);
        let batches = futures::stream::try_unfold(state, move |mut state| async move {
            let batch = state.0.next(limit).await?;
            Ok::<_, DataFusionError>(batch.map(|batch| (batch, state)))
        });
        let made = batches.map_ok(move |batch| {
            let (layout, tables) = (Arc::clone(&self.layout), Arc::clone(&tables));
            let elapsed = self.counts.elapsed.clone();
            let task = SpawnedTask::spawn(async move {
                let _timer = elapsed.timer();
                layout.assemble(&batch, &tables)
            });
            async move {
                let made = task.join_unwind().await;
                made.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?
            }
        });
        Ok(made.try_buffered(parallel).boxed())
    }
}

/// About how many bytes the payload takes.
pub(super) fn estimate(wanted: &[Arc<Wanted>]) -> usize {
    let bytes = |table: &Arc<Wanted>| table.marks.count() * row_bytes(table.source.schema());
    wanted.iter().map(bytes).sum()
}

fn row_bytes(schema: &Schema) -> usize {
    let widths = schema.fields().iter().map(|field| {
        let fixed = field.data_type().primitive_width();
        // What takes more is noticed while it is read.
        fixed.unwrap_or(16)
    });
    // And a word for the nulls.
    size_of::<u64>() + widths.sum::<usize>()
}
