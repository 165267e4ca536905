//! One part of a join on disk.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::MemoryReservation;
use fs_pit::SpineIndexBuilder;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};

use crate::point_in_time::columns::Join;
use crate::point_in_time::run::Session;
use crate::point_in_time::runner::Contender;
use crate::point_in_time::spine::{estimated_bytes, kernel_error, spine_times};
use crate::{Spool, Spooled};

/// The rows of both sides whose keys have the same hash.
pub(super) struct Part {
    pub(super) join: Arc<Join>,
    /// Spine rows with the columns of [`spine_schema`], in order.
    pub(super) rows: Spooled,
    /// Rows of the history, one piece for each of its partitions.
    pub(super) history: Vec<Spooled>,
}

/// The columns of spine rows in a part: number, keys, time.
pub(super) fn spine_schema(spine: &Schema, keys: &[usize], time: usize) -> SchemaRef {
    let number = Field::new("row", DataType::UInt64, false);
    let key = |(position, at): (usize, &usize)| {
        // Two key columns of a join may be the same column of the spine.
        let field = spine.field(*at).clone();
        field.with_name(format!("key {position}"))
    };
    let keys = keys.iter().enumerate().map(key);
    let time = spine.field(time).clone().with_name("time");
    let fields: Vec<Field> = std::iter::once(number).chain(keys).chain([time]).collect();
    Arc::new(Schema::new(fields))
}

/// What a part finds, in the order of the spine.
pub(super) async fn solve(part: Part, session: &Session) -> Result<Spooled> {
    let number = Arc::new(Field::new("row", DataType::UInt64, false));
    let taken = part.join.fields.fields().iter().cloned();
    let fields: Vec<_> = std::iter::once(number).chain(taken).collect();
    let schema = Arc::new(Schema::new(fields));
    let mut run = session.spool_on_disk(&schema, "winners of a part").await?;

    let mut stretch: Vec<RecordBatch> = Vec::new();
    let memory = session.reservation("part of the spine");
    let mut batches = part.rows.read()?;
    while let Some(batch) = batches.next().await {
        let batch = batch?;
        // What indexing and joining the stretch will take comes on top of the rows themselves.
        let bytes = 2 * batch.get_array_memory_size() + part.working_bytes(&batch)?;
        if memory.try_grow(bytes).is_err() && !stretch.is_empty() {
            let rows = concat_batches(batch.schema_ref(), &stretch)?;
            stretch.clear();
            memory.free();
            part.solve_rows(rows, &mut run, session).await?;
            // Without memory even for one batch, it is cut smaller when it is joined.
            memory.try_grow(bytes).ok();
        }
        stretch.push(batch);
    }
    if let Some(first) = stretch.first() {
        let rows = concat_batches(first.schema_ref(), &stretch)?;
        drop(stretch);
        memory.free();
        part.solve_rows(rows, &mut run, session).await?;
    }
    let run = run.finish().await?;
    session.metrics.spilled(run.spilled_bytes());
    Ok(run)
}

impl Part {
    /// What joining these spine rows takes at most, values of any length apart.
    fn working_bytes(&self, rows: &RecordBatch) -> Result<usize> {
        let keys = &rows.columns()[1..rows.num_columns() - 1];
        let index = estimated_bytes(keys, rows.num_rows())?;
        Ok(index + rows.num_rows() * self.join.bytes_per_row()?)
    }

    /// Joins a stretch of spine rows, or its halves one after the other when it does not fit.
    fn solve_rows<'a>(
        &'a self,
        rows: RecordBatch,
        run: &'a mut Spool,
        session: &'a Session,
    ) -> BoxFuture<'a, Result<()>> {
        async move {
            let count = rows.num_rows();
            match self.attempt(&rows, session).await? {
                Some(winners) => run.push(winners).await,
                None if count > 1 => {
                    let half = count / 2;
                    self.solve_rows(rows.slice(0, half), run, session).await?;
                    let rest = rows.slice(half, count - half);
                    self.solve_rows(rest, run, session).await
                }
                None => Err(DataFusionError::ResourcesExhausted(format!(
                    "joining a single row with `{}` takes more memory than there is",
                    self.join.label()
                ))),
            }
        }
        .boxed()
    }

    /// The winners of these spine rows, those without one left out; `None` without the memory.
    async fn attempt(&self, rows: &RecordBatch, session: &Session) -> Result<Option<RecordBatch>> {
        let keys = &rows.columns()[1..rows.num_columns() - 1];
        let indexing: MemoryReservation = session.reservation("index of a part");
        let bytes = estimated_bytes(keys, rows.num_rows())?;
        if indexing.try_grow(bytes).is_err() {
            return Ok(None);
        }
        let mut builder = SpineIndexBuilder::with_capacity(rows.num_rows());
        let times = spine_times(rows, rows.num_columns() - 1)?;
        builder.push(keys, times).map_err(kernel_error)?;
        let index = Arc::new(builder.finish());
        let contender = Contender::new(Arc::clone(&self.join), index, session)?;
        let Some(mut runner) = contender.runner(0, session)? else {
            return Ok(None);
        };
        for piece in &self.history {
            let mut stream = piece.read()?;
            while let Some(batch) = stream.next().await {
                if !runner.offer_again(&batch?)? {
                    return Ok(None);
                }
            }
        }
        let Some(mut found) = contender.finish(vec![runner])? else {
            return Ok(None);
        };
        let matched = found.matched(rows.num_rows());
        let (columns, _) = found.columns(0..rows.num_rows()).await?;
        winners(rows, columns, &matched).map(Some)
    }
}

/// Row numbers and what was found, of those rows that found something.
fn winners(
    rows: &RecordBatch,
    columns: Vec<ArrayRef>,
    matched: &BooleanArray,
) -> Result<RecordBatch> {
    let numbers: ArrayRef = Arc::clone(rows.column(0));
    let mut named: Vec<(String, ArrayRef, bool)> = vec![("row".to_owned(), numbers, false)];
    for (at, column) in columns.into_iter().enumerate() {
        named.push((at.to_string(), column, true));
    }
    let all = RecordBatch::try_from_iter_with_nullable(named)?;
    Ok(filter_record_batch(&all, matched)?)
}
