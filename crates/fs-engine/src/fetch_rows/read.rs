//! Reading the wanted rows of a table, several chunks at a time.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::DataFusionError;
use datafusion::execution::TaskContext;
use futures::{Stream, StreamExt, TryStreamExt};

use super::chunks::{Chunk, cut};
use super::marks::{Marks, last_one, words};
use super::payload::Pieces;
use super::source::TableSource;

/// Metadata of so many files is loaded at a time.
const FILES_AT_ONCE: usize = 16;

/// What is wanted of one table, and where it lies.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) source: Arc<TableSource>,
    pub(super) marks: Marks,
    pub(super) chunks: Vec<Chunk>,
    /// The rows of every file that has wanted rows.
    totals: Vec<usize>,
}

impl Wanted {
    /// Looks up the row groups of the files that have wanted rows.
    pub(super) async fn find(
        source: Arc<TableSource>,
        marks: Marks,
        context: &TaskContext,
    ) -> Result<Self, DataFusionError> {
        let row_groups = |number: usize| {
            let (source, bits) = (&source, &marks.files()[number]);
            async move {
                if bits.is_empty() {
                    return Ok(Vec::new());
                }
                source.row_groups(number, bits, context).await
            }
        };
        let row_groups: Vec<Vec<usize>> = futures::stream::iter(0..marks.files().len())
            .map(row_groups)
            .buffered(FILES_AT_ONCE)
            .try_collect::<Vec<_>>()
            .await?;
        let totals: Vec<usize> = row_groups.iter().map(|rows| rows.iter().sum()).collect();
        for (file, (bits, total)) in marks.files().iter().zip(&totals).enumerate() {
            if let Some(row) = last_one(bits).filter(|row| row >= total) {
                return Err(DataFusionError::Execution(format!(
                    "an address is of row {row} of file {file}, which has {total} rows"
                )));
            }
        }
        let chunks = cut(&marks, &row_groups);
        Ok(Self {
            source,
            marks,
            chunks,
            totals,
        })
    }

    /// What `keep` makes of the pieces of the chunks, in their order where `in_order`, else as they
    /// come.
    pub(super) fn read<T, F>(
        self: &Arc<Self>,
        readers: usize,
        in_order: bool,
        context: &Arc<TaskContext>,
        keep: F,
    ) -> impl Stream<Item = Result<(usize, Vec<T>), DataFusionError>> + Send + use<T, F>
    where
        T: Send + 'static,
        F: Fn(RecordBatch) -> T + Clone + Send + Sync + 'static,
    {
        let (wanted, context) = (Arc::clone(self), Arc::clone(context));
        let chunks = futures::stream::iter(0..self.chunks.len()).map(move |at| {
            let (wanted, context) = (Arc::clone(&wanted), Arc::clone(&context));
            let keep = keep.clone();
            let task = SpawnedTask::spawn(async move {
                let pieces = wanted.read_chunk(at, &context).await?;
                Ok::<_, DataFusionError>(pieces.into_iter().map(keep).collect::<Vec<T>>())
            });
            async move {
                let pieces = task.join_unwind().await;
                let pieces = pieces.map_err(|e| DataFusionError::ExecutionJoin(Box::new(e)))?;
                Ok((at, pieces?))
            }
        });
        if in_order {
            chunks.buffered(readers).boxed()
        } else {
            chunks.buffer_unordered(readers).boxed()
        }
    }

    async fn read_chunk(
        &self,
        at: usize,
        context: &Arc<TaskContext>,
    ) -> Result<Vec<RecordBatch>, DataFusionError> {
        let chunk = &self.chunks[at];
        let bits = &self.marks.files()[chunk.file];
        let total = self.totals[chunk.file];
        let batch_rows = context.session_config().batch_size();
        let mut rows = self.source.read(chunk, bits, total, batch_rows, context)?;
        let mut pieces = Pieces::new(Arc::clone(self.source.schema()));
        while let Some(batch) = rows.try_next().await? {
            pieces.push(batch)?;
        }
        let pieces = pieces.finish()?;
        let read: usize = pieces.iter().map(RecordBatch::num_rows).sum();
        if read != chunk.wanted {
            return Err(DataFusionError::Execution(format!(
                "a file gave {read} rows where {} were selected",
                chunk.wanted
            )));
        }
        Ok(pieces)
    }

    /// The words of the marks of a chunk.
    pub(super) fn words(&self, chunk: &Chunk) -> &[u64] {
        words(&self.marks.files()[chunk.file], &chunk.rows)
    }
}
