//! What the source and the table know before a run: which rows came late, how far an earlier run has
//! come, which features have no values.

use fs_core::{EventTime, FeatureName, TimeRange};
use fs_engine::{SourceChanges, SourceState};
use fs_offline::{Lacking, TableState};

use super::Ingest;
use crate::Error;
use crate::asked::Work;
use crate::window::Late;

impl Ingest<'_> {
    /// What is known of rows that came, or went, below the watermark.
    pub(super) async fn late(
        &self,
        sources: &SourceState,
        table: Option<&TableState>,
    ) -> Result<Late, Error> {
        let run = self.run;
        let engine = &run.stores.engine;
        if sources.delta_version().is_some() {
            let Some(known) = table.and_then(|table| table.source_version) else {
                return Ok(Late::Unknown);
            };
            let changes = engine.changed_since(run.catalog, run.view, known, sources);
            return Ok(
                match changes.await.map_err(|source| run.source_error(source))? {
                    SourceChanges::Nothing => Late::ByVersion { earliest: None },
                    SourceChanges::Since(earliest) => Late::ByVersion {
                        earliest: Some(earliest),
                    },
                    SourceChanges::Unknown => Late::Unknown,
                },
            );
        }
        let watermark = table.and_then(|table| table.watermark);
        let earliest = match (&run.asked.work, watermark) {
            (Work::UpTo(end), Some(watermark)) if watermark < *end => engine
                .late_start(run.catalog, run.view, watermark, sources)
                .await
                .map_err(|source| run.source_error(source))?,
            _ => None,
        };
        let source = run.catalog.sources.get(&run.view.source);
        let lateness = source.map(|source| source.lateness).unwrap_or_default();
        Ok(Late::ByTime { lateness, earliest })
    }

    /// How far this very run has come before it was killed; `None` if it was not, or if anything has
    /// changed since.
    pub(super) async fn resumed(
        &self,
        range: &TimeRange,
        key: &str,
    ) -> Result<Option<EventTime>, Error> {
        let run = self.run;
        let done = run.stores.offline.run_progress(&run.view.name, key).await;
        let done = done.map_err(|source| run.offline_error(source))?;
        // A run that came to its end is over: the same command starts anew.
        let done = done.filter(|done| range.contains(*done));
        if let Some(done) = done {
            let note = format!("going on at {done}, where an earlier run ended");
            run.progress.note(&run.view.name, &note);
        }
        Ok(done)
    }

    /// What a backfill of features is about.
    pub(super) async fn lacking(&self, named: &[FeatureName]) -> Result<Option<Lacking>, Error> {
        let stored = || self.run.view.stored().iter();
        let named: Vec<String> = named
            .iter()
            .filter(|name| stored().any(|feature| feature.name == **name))
            .map(ToString::to_string)
            .collect();
        let lacking = self.run.stores.offline.lacking(&self.schema, &named).await;
        lacking.map_err(|source| self.run.offline_error(source))
    }
}
