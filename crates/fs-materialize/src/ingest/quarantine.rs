//! Rows that may not go to the table go to the quarantine of the view, before the others are committed.

use std::sync::Arc;

use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::EmptyRecordBatchStream;
use fs_core::{TimeRange, ViewName};
use fs_engine::Quarantined;
use fs_offline::Quarantined as Replacement;

use super::Ingest;
use super::passage::AtEnd;
use crate::Error;

impl Ingest<'_> {
    /// Puts rows in the place of what the quarantine has of `window`. Also where there are none: what is
    /// there was rejected by an earlier run, and this one has not.
    pub(super) fn quarantine(&self, rows: Option<Quarantined>, window: TimeRange) -> AtEnd {
        let offline = Arc::clone(&self.run.stores.offline);
        let schema = self.schema.clone();
        let view = self.run.view.name.clone();
        let (run, at, fence) = (self.run.id.clone(), self.now, self.run.fence());
        Box::pin(async move {
            let rows = match rows {
                Some(rows) => left_out(&view, rows).await?,
                None => Box::pin(EmptyRecordBatchStream::new(Arc::clone(schema.columns()))),
            };
            let replacement = Replacement {
                window,
                // Every chunk reads all rows without an event time.
                without_time: true,
                rows,
                run,
                at,
                fence: Some(fence),
            };
            let replaced = offline.replace_quarantined(&schema, replacement).await;
            replaced.map(|_rows| ()).map_err(|source| Error::Offline {
                view,
                source: Box::new(source),
            })
        })
    }
}

async fn left_out(view: &ViewName, rows: Quarantined) -> Result<SendableRecordBatchStream, Error> {
    let rows = rows.finish().await.and_then(|rows| {
        let origin = format!("the quarantined rows of view `{view}`");
        rows.read()
            .map_err(|cause| fs_engine::Error::of_query(origin, cause))
    });
    rows.map_err(|source| Error::of_source(view, source))
}
