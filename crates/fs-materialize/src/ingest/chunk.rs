//! One chunk: read, held against expectations, committed.

use fs_engine::{Reading, Report, Validated, Validator, ViewRows};
use fs_offline::Replacement;

use super::Ingest;
use super::passage::{AtEnd, Passage};
use super::plan::{ChunkCommit, Plan};
use crate::run::Outcome;
use crate::{Error, Phase};

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
        let (rows, at_end) = self.validated(passage.counted(rows), plan, &commit, validator);
        let replacement = Replacement {
            window: commit.range,
            rows: passage.watched(rows, at_end),
            watermark: commit.watermark,
            fence: Some(run.fence()),
            source_version: commit.source_version,
            progress: commit.progress,
        };
        let ingested = run.stores.offline.replace_window(&self.schema, replacement);
        let ingested = ingested.await;
        outcome.rows_read += passage.read();
        let ingested = ingested.map_err(|source| {
            // What broke the rows off says more than that they broke off.
            passage
                .failure()
                .unwrap_or_else(|| run.offline_error(source))
        })?;
        outcome.rows_written += ingested.rows;
        outcome.version = Some(ingested.version);
        outcome.chunks += 1;
        Ok(ingested.ingest)
    }

    /// The rows that are left after validation, and what to do before they are committed.
    fn validated(
        &self,
        rows: ViewRows,
        plan: &Plan,
        _commit: &ChunkCommit,
        validator: Option<&Validator>,
    ) -> (ViewRows, Option<AtEnd>) {
        let Some(validator) = validator else {
            return (rows, None);
        };
        // A window that is read in several parts has been judged before.
        let window = plan.is_whole().then_some(plan.window.range);
        let Validated {
            rows,
            quarantined: _,
        } = validator.rows(rows, window);
        (rows, None)
    }

    pub(super) fn validator(&self) -> Result<Option<Validator>, Error> {
        let run = self.run;
        let validator = run.stores.engine.validator(run.catalog, run.view);
        validator.map_err(|source| run.source_error(source))
    }

    /// Judges a window that is read in several parts, before any of it is written: what fails the run
    /// fails all of it. `None` where that is told on the way.
    pub(super) async fn check(
        &self,
        plan: &Plan,
        outcome: &Outcome,
    ) -> Result<Option<Report>, Error> {
        let run = self.run;
        let Some(validator) = self.validator()?.filter(|_| !plan.is_whole()) else {
            return Ok(None);
        };
        let view = &run.view.name;
        let passage = Passage::new(
            view,
            Phase::Check,
            outcome.rows_read,
            run.progress,
            run.lease,
        );
        if let Some(rows) = plan.rows() {
            run.progress.expect(view, Phase::Check, rows);
        }
        let reading = Reading::to_validate(plan.window.range, &plan.sources);
        let rows = run.stores.engine.view_rows(run.catalog, run.view, reading);
        let rows = rows.await.map_err(|source| run.source_error(source))?;
        let rows = passage.counted(rows);
        let watched = ViewRows {
            schema: rows.schema.clone(),
            stream: passage.watched(rows, None),
        };
        let report = validator.judge(watched, plan.window.range).await;
        let report = report.map_err(|source| {
            passage
                .failure()
                .unwrap_or_else(|| run.source_error(source))
        })?;
        if report.failing().next().is_some() {
            let report = Box::new(report);
            return Err(Error::Unexpected { report });
        }
        Ok(Some(report))
    }

    /// Remembers what is not as expected and was only to be reported.
    pub(super) fn warn(&self, report: &Report, outcome: &mut Outcome) {
        let view = &self.run.view.name;
        for verdict in report.warnings() {
            if verdict.expectation.check.is_of_rows() {
                outcome.warned += verdict.failed;
            }
            let warning = verdict.to_string();
            tracing::warn!(%view, warning, "an expectation is not met");
            outcome.warnings.push(warning);
        }
    }
}

fn reading<'a>(plan: &'a Plan, commit: &ChunkCommit, validated: bool) -> Reading<'a> {
    if validated {
        Reading::to_validate(commit.range, &plan.sources)
    } else {
        Reading::of(commit.range, &plan.sources)
    }
}
