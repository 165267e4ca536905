//! From the source into the offline table: one window, one commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use fs_core::{Catalog, EventTime, FeatureView, TimeRange, ViewName};
use fs_engine::{Engine, Reading, SourceState};
use fs_offline::{Ingested, OfflineStore, Replacement, TableSchema};
use futures::{Stream, StreamExt};

use crate::window::{self, Window};
use crate::{Error, Phase, Progress};

/// How often a window is read again because another writer was faster.
const ATTEMPTS: usize = 3;

/// Which window a run asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Asked {
    /// This one.
    Range(TimeRange),
    /// All that is new, up to here.
    UpTo(EventTime),
}

/// What ingesting did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Done {
    pub(crate) window: Window,
    pub(crate) rows_read: u64,
    pub(crate) ingested: Ingested,
}

/// Brings one view into the offline store.
pub(crate) struct Ingest<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) offline: &'a OfflineStore,
    pub(crate) catalog: &'a Catalog,
    pub(crate) view: &'a FeatureView,
    pub(crate) now: EventTime,
    pub(crate) progress: &'a Arc<dyn Progress>,
}

impl Ingest<'_> {
    /// Replaces the window that was asked for; `None` if there is nothing to read.
    pub(crate) async fn run(&self, asked: Asked) -> Result<Option<Done>, Error> {
        let mut attempt = 1;
        loop {
            let state = self.source_state().await?;
            let Some(window) = self.window(asked, &state).await? else {
                return Ok(None);
            };
            match self.replace(window, &state).await {
                Err(Error::Offline { source, .. })
                    if matches!(*source, fs_offline::Error::Conflict { .. })
                        && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                done => return done.map(Some),
            }
        }
    }

    /// The window that a run replaces, from where the table has come to by now.
    pub(crate) async fn window(
        &self,
        asked: Asked,
        sources: &SourceState,
    ) -> Result<Option<Window>, Error> {
        let state = self.offline.state(&self.view.name).await;
        let state = state.map_err(|source| self.offline_error(source))?;
        let watermark = state.and_then(|state| state.watermark);
        match asked {
            Asked::Range(range) => Ok(Some(window::chosen(&range, watermark, self.now))),
            Asked::UpTo(end) => {
                let late = match watermark {
                    Some(watermark) if watermark < end => {
                        let late = self.engine.late_start(
                            self.catalog,
                            self.view,
                            watermark,
                            sources,
                        );
                        late.await.map_err(|source| self.source_error(source))?
                    }
                    _ => None,
                };
                let source = self.catalog.sources.get(&self.view.source);
                let lateness = source.map(|source| source.lateness).unwrap_or_default();
                Ok(window::incremental(end, watermark, lateness, late))
            }
        }
    }

    async fn source_state(&self) -> Result<SourceState, Error> {
        let state = self.engine.source_state(self.catalog, self.view).await;
        state.map_err(|source| self.source_error(source))
    }

    async fn replace(&self, window: Window, sources: &SourceState) -> Result<Done, Error> {
        let reading = Reading::of(window.range, sources);
        let rows = self
            .engine
            .view_rows(self.catalog, self.view, reading)
            .await
            .map_err(|source| self.source_error(source))?;
        let read = Arc::new(AtomicU64::new(0));
        let rows = self.counted(rows.stream, &read);
        let schema = TableSchema::of(self.catalog, self.view);
        let replacement = Replacement {
            watermark: window.watermark,
            ..Replacement::of(window.range, rows)
        };
        let ingested = self
            .offline
            .replace_window(&schema, replacement)
            .await
            .map_err(|source| self.offline_error(source))?;
        Ok(Done {
            window,
            rows_read: read.load(Ordering::Relaxed),
            ingested,
        })
    }

    fn counted(
        &self,
        rows: SendableRecordBatchStream,
        read: &Arc<AtomicU64>,
    ) -> SendableRecordBatchStream {
        let schema = rows.schema();
        let stream = count(
            rows,
            Arc::clone(read),
            Arc::clone(self.progress),
            self.view.name.clone(),
        );
        Box::pin(RecordBatchStreamAdapter::new(schema, stream))
    }

    fn source_error(&self, source: fs_engine::Error) -> Error {
        Error::Source {
            view: self.view.name.clone(),
            source: Box::new(source),
        }
    }

    fn offline_error(&self, source: fs_offline::Error) -> Error {
        Error::Offline {
            view: self.view.name.clone(),
            source: Box::new(source),
        }
    }
}

fn count(
    rows: SendableRecordBatchStream,
    read: Arc<AtomicU64>,
    progress: Arc<dyn Progress>,
    view: ViewName,
) -> impl Stream<Item = <SendableRecordBatchStream as Stream>::Item> {
    rows.inspect(move |batch| {
        if let Ok(batch) = batch {
            let rows = batch.num_rows() as u64;
            let rows = rows + read.fetch_add(rows, Ordering::Relaxed);
            progress.report(&view, Phase::Ingest, rows);
        }
    })
}
