//! Holding a window against the expectations of its view before any of it is written.

use fs_engine::{Reading, Report, Validator, ViewRows};
use futures::TryStreamExt;

use super::Ingest;
use super::passage::Passage;
use super::plan::Plan;
use crate::run::Outcome;
use crate::{Error, Phase};

impl Ingest<'_> {
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
        let report = match plan.features {
            None => validator.judge(watched, plan.window.range).await,
            // The window of a backfill is not one that anybody asked for: only its rows are judged.
            Some(_) => judge_rows(&validator, watched).await,
        };
        let report = report.map_err(|source| {
            let failure = passage.failure();
            failure.unwrap_or_else(|| run.source_error(source))
        })?;
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
            tracing::info!(%view, warning, "an expectation is not met");
            outcome.warnings.push(warning);
        }
    }
}

/// Reads all rows to know whether each is as expected.
async fn judge_rows(validator: &Validator, rows: ViewRows) -> Result<Report, fs_engine::Error> {
    let mut rows = validator.rows(rows, None).rows.stream;
    let failed = |cause| fs_engine::Error::of_query("the rows".to_owned(), cause);
    while rows.try_next().await.map_err(failed)?.is_some() {}
    Ok(validator.report())
}
