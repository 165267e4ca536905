//! One chunk: read, held against expectations, committed.

use datafusion::execution::SendableRecordBatchStream;
use fs_core::TimeRange;
use fs_engine::{Reading, Validated, Validator, ViewRows};
use fs_offline::Replacement;

use super::Ingest;
use super::passage::{AtEnd, Passage};
use super::plan::{ChunkCommit, Plan};
use crate::run::Outcome;
use crate::{Error, Phase};

/// What a commit made.
pub(super) struct Committed {
    pub(super) version: i64,
    /// How many windows have been replaced.
    pub(super) ingest: i64,
    /// Rows that were written, or filled.
    pub(super) rows: u64,
}

impl Ingest<'_> {
    /// Replaces the chunk in one commit; gives the number of the ingest.
    pub(super) async fn chunk(
        &self,
        plan: &Plan,
        commit: ChunkCommit,
        validator: Option<&Validator>,
        outcome: &mut Outcome,
    ) -> Result<i64, Error> {
        let run = self.run;
        run.ensure_not_stopped()?;
        let passage = Passage::new(
            &run.view.name,
            Phase::Ingest,
            outcome.rows_read,
            run.progress,
            run.lease,
        );
        let reading = reading(plan, &commit, validator.is_some());
        let rows = run.stores.engine.view_rows(run.catalog, run.view, reading);
        let rows = rows.await.map_err(|source| run.source_error(source))?;
        let counted = passage.counted(rows);
        let (rows, at_end) = self.validated(counted, plan, commit.range, validator);
        let rows = passage.watched(rows, at_end);
        let committed = match &plan.features {
            None => self.replace(commit, rows).await,
            Some(features) => self.fill(plan.ingest, features, commit, rows).await,
        };
        outcome.rows_read += passage.read();
        let committed = committed.map_err(|source| {
            // What broke the rows off says more than that they broke off.
            passage
                .failure()
                .unwrap_or_else(|| run.offline_error(source))
        })?;
        outcome.rows_written += committed.rows;
        outcome.version = Some(committed.version);
        outcome.chunks += 1;
        Ok(committed.ingest)
    }

    async fn replace(
        &self,
        commit: ChunkCommit,
        rows: SendableRecordBatchStream,
    ) -> Result<Committed, fs_offline::Error> {
        let replacement = Replacement {
            window: commit.range,
            rows,
            watermark: commit.watermark,
            fence: Some(self.run.fence()),
            source_version: commit.source_version,
            progress: commit.progress,
        };
        let offline = &self.run.stores.offline;
        let done = offline.replace_window(&self.schema, replacement).await?;
        Ok(Committed {
            version: done.version,
            ingest: done.ingest,
            rows: done.rows,
        })
    }

    /// The rows that are left after validation; before they are committed, the others are in
    /// quarantine.
    fn validated(
        &self,
        rows: ViewRows,
        plan: &Plan,
        window: TimeRange,
        validator: Option<&Validator>,
    ) -> (ViewRows, Option<AtEnd>) {
        // A backfill adds no row to the table, so that it takes none out of quarantine either.
        let replaces = plan.features.is_none();
        let Some(validator) = validator else {
            return (rows, replaces.then(|| self.quarantine(None, window)));
        };
        // A window that is read in several parts has been judged before.
        let whole = (replaces && plan.is_whole()).then_some(plan.window.range);
        let Validated { rows, quarantined } = validator.rows(rows, whole);
        let at_end = replaces.then(|| self.quarantine(Some(quarantined), window));
        (rows, at_end)
    }
}

fn reading<'a>(plan: &'a Plan, commit: &ChunkCommit, validated: bool) -> Reading<'a> {
    if validated {
        Reading::to_validate(commit.range, &plan.sources)
    } else {
        Reading::of(commit.range, &plan.sources)
    }
}
