//! [`Merge`]: rows of a table meet rows of a source, both sorted, and take over values.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::interleave;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::row::{RowConverter, Rows, SortField};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};

use super::Counts;

/// Batches of the source that one batch of the result may take values from.
const MOST_SOURCES: usize = 16;

/// Rows of a table with values from rows of a source, both sorted by the same columns.
///
/// Memory holds a batch of the table and a few of the source.
pub(super) struct Merge {
    table: SendableRecordBatchStream,
    source: Side,
    converter: RowConverter,
    keys_of_table: Vec<usize>,
    /// Columns of the table, and those of the source whose values they take.
    fills: Vec<(usize, usize)>,
    /// The rows of the table that are to be looked at.
    open: Option<(RecordBatch, Rows, usize)>,
    counts: Counts,
}

/// The source, at one of its rows.
struct Side {
    rows: SendableRecordBatchStream,
    keys: Vec<usize>,
    now: Option<(RecordBatch, Rows)>,
    at: usize,
    /// How many batches there have been.
    batches: u64,
    is_over: bool,
}

/// Where the values of a row come from: the row of the table itself, or a row of the source.
#[derive(Debug, Clone, Copy)]
enum From {
    Itself(usize),
    Source { batch: usize, row: usize },
}

impl Merge {
    /// Merges by the columns `by`, which both have, and takes over the columns `fill`.
    pub(super) fn new(
        table: SendableRecordBatchStream,
        source: SendableRecordBatchStream,
        by: &[&str],
        fill: &[String],
        counts: Counts,
    ) -> Result<Self, DataFusionError> {
        let (of_table, of_source) = (table.schema(), source.schema());
        let positions = |schema: &Schema| -> Result<Vec<usize>, DataFusionError> {
            let all = by.iter().map(|name| Ok(schema.index_of(name)?));
            all.collect()
        };
        let keys_of_table = positions(&of_table)?;
        let fields = keys_of_table
            .iter()
            .map(|at| SortField::new(of_table.field(*at).data_type().clone()));
        let fills: Result<Vec<_>, DataFusionError> = fill
            .iter()
            .map(|name| Ok((of_table.index_of(name)?, of_source.index_of(name)?)))
            .collect();
        Ok(Self {
            converter: RowConverter::new(fields.collect())?,
            source: Side {
                rows: source,
                keys: positions(&of_source)?,
                now: None,
                at: 0,
                batches: 0,
                is_over: false,
            },
            table,
            keys_of_table,
            fills: fills?,
            open: None,
            counts,
        })
    }

    /// The rows of the table, in their order.
    pub(super) fn stream(self) -> SendableRecordBatchStream {
        let columns: SchemaRef = self.table.schema();
        let batches = stream::try_unfold(self, |mut merge| async move {
            let batch = merge.next().await?;
            Ok(batch.map(|batch| (batch, merge)))
        });
        Box::pin(RecordBatchStreamAdapter::new(columns, batches))
    }

    async fn next(&mut self) -> Result<Option<RecordBatch>, DataFusionError> {
        while self.open.is_none() {
            let Some(batch) = self.table.next().await.transpose()? else {
                return Ok(None);
            };
            if batch.num_rows() > 0 {
                let keys = keys(&self.converter, &batch, &self.keys_of_table)?;
                self.open = Some((batch, keys, 0));
            }
        }
        let Some((batch, keys, start)) = self.open.take() else {
            return Ok(None);
        };
        let mut sources: Vec<RecordBatch> = Vec::new();
        // Which batch of the source is the last of these.
        let mut last = None;
        let mut from = Vec::with_capacity(batch.num_rows() - start);
        let mut row = start;
        while row < batch.num_rows() {
            let Some(at) = self.source.seek(&self.converter, &keys, row).await? else {
                from.push(From::Itself(row));
                row += 1;
                continue;
            };
            if last != Some(self.source.batches) {
                if sources.len() == MOST_SOURCES {
                    break;
                }
                sources.extend(self.source.now.as_ref().map(|(batch, _)| batch.clone()));
                last = Some(self.source.batches);
            }
            from.push(From::Source {
                batch: sources.len() - 1,
                row: at,
            });
            self.source.at += 1;
            row += 1;
        }
        let filled = self.fill(&batch, &sources, &from, start)?;
        if row < batch.num_rows() {
            self.open = Some((batch, keys, row));
        }
        Ok(Some(filled))
    }

    /// The rows of `batch` from `start` on, with values `from` where it says.
    fn fill(
        &self,
        batch: &RecordBatch,
        sources: &[RecordBatch],
        from: &[From],
        start: usize,
    ) -> Result<RecordBatch, DataFusionError> {
        let taken = |from: &&From| matches!(from, From::Source { .. });
        let matched = from.iter().filter(taken).count() as u64;
        self.counts
            .rows
            .fetch_add(from.len() as u64, Ordering::Relaxed);
        self.counts.matched.fetch_add(matched, Ordering::Relaxed);
        let batch_rows = batch.slice(start, from.len());
        if matched == 0 {
            return Ok(batch_rows);
        }
        let places: Vec<(usize, usize)> = from
            .iter()
            .map(|from| match from {
                From::Itself(row) => (0, *row),
                From::Source { batch, row } => (batch + 1, *row),
            })
            .collect();
        let mut columns: Vec<ArrayRef> = batch_rows.columns().to_vec();
        for (of_table, of_source) in &self.fills {
            let own: &dyn Array = batch.column(*of_table).as_ref();
            let others = sources
                .iter()
                .map(|source| source.column(*of_source).as_ref());
            let arrays: Vec<&dyn Array> = std::iter::once(own).chain(others).collect();
            columns[*of_table] = interleave(&arrays, &places)?;
        }
        Ok(RecordBatch::try_new(batch.schema(), columns)?)
    }
}

impl Side {
    /// Goes on to the first row that is not less than `keys[row]`; where it is, if it is equal.
    async fn seek(
        &mut self,
        converter: &RowConverter,
        wanted: &Rows,
        row: usize,
    ) -> Result<Option<usize>, DataFusionError> {
        let wanted = wanted.row(row);
        loop {
            if let Some((batch, keys)) = &self.now {
                while self.at < batch.num_rows() && keys.row(self.at) < wanted {
                    self.at += 1;
                }
                if self.at < batch.num_rows() {
                    return Ok((keys.row(self.at) == wanted).then_some(self.at));
                }
            }
            if self.is_over {
                return Ok(None);
            }
            let Some(batch) = self.rows.next().await.transpose()? else {
                self.now = None;
                self.is_over = true;
                return Ok(None);
            };
            let keys = keys(converter, &batch, &self.keys)?;
            self.now = Some((batch, keys));
            self.at = 0;
            self.batches += 1;
        }
    }
}

/// The values of `columns` of every row, in a form that compares as they are sorted.
fn keys(
    converter: &RowConverter,
    batch: &RecordBatch,
    columns: &[usize],
) -> Result<Rows, DataFusionError> {
    let columns: Vec<ArrayRef> = columns
        .iter()
        .map(|at| Arc::clone(batch.column(*at)))
        .collect();
    Ok(converter.convert_columns(&columns)?)
}
