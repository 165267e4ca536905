//! One chunk of a backfill: features of rows that are there get values.

use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use fs_core::{CREATED_TIMESTAMP, EVENT_TIMESTAMP};
use fs_offline::{Backfill, TableSchema};
use futures::StreamExt;

use super::Ingest;
use super::chunk::Committed;
use super::plan::ChunkCommit;

impl Ingest<'_> {
    /// Fills features of rows that are there, and leaves everything else as it is.
    pub(super) async fn fill(
        &self,
        ingest: i64,
        features: &[String],
        commit: ChunkCommit,
        rows: SendableRecordBatchStream,
    ) -> Result<Committed, fs_offline::Error> {
        let backfill = Backfill {
            window: commit.range,
            features: features.to_vec(),
            rows: narrowed(rows, &self.schema, features),
            fence: Some(self.run.fence()),
            progress: commit.progress,
        };
        let offline = &self.run.stores.offline;
        let done = offline.backfill_window(&self.schema, backfill).await?;
        Ok(Committed {
            version: done.version,
            ingest,
            rows: done.matched,
        })
    }
}

/// The keys, the times and `features` of rows of a view.
fn narrowed(
    rows: SendableRecordBatchStream,
    schema: &TableSchema,
    features: &[String],
) -> SendableRecordBatchStream {
    let times = [EVENT_TIMESTAMP, CREATED_TIMESTAMP];
    let wanted = schema.key_names().chain(times);
    let wanted = wanted.chain(features.iter().map(String::as_str));
    let columns = rows.schema();
    let at: Vec<usize> = wanted
        .filter_map(|name| columns.index_of(name).ok())
        .collect();
    let fields: Vec<_> = at.iter().map(|at| columns.field(*at).clone()).collect();
    let rows = rows.map(move |batch| Ok(batch?.project(&at)?));
    Box::pin(RecordBatchStreamAdapter::new(
        Arc::new(Schema::new(fields)),
        rows,
    ))
}
