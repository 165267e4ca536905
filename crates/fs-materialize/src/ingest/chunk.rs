//! One chunk: read, held against expectations, committed.

use std::sync::Arc;

use arrow::datatypes::Schema;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use fs_core::{CREATED_TIMESTAMP, EVENT_TIMESTAMP, TimeRange};
use fs_engine::{Reading, Report, Validated, Validator, ViewRows};
use fs_offline::{Backfill, Replacement, TableSchema};
use futures::{StreamExt, TryStreamExt};

use super::Ingest;
use super::passage::{AtEnd, Passage};
use super::plan::{ChunkCommit, Plan};
use crate::run::Outcome;
use crate::{Error, Phase};

/// What a commit made.
struct Committed {
    version: i64,
    /// How many windows have been replaced.
    ingest: i64,
    /// Rows that were written, or filled.
    rows: u64,
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

    /// Fills features of rows that are there, and leaves everything else as it is.
    async fn fill(
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
            tracing::warn!(%view, warning, "an expectation is not met");
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

fn reading<'a>(plan: &'a Plan, commit: &ChunkCommit, validated: bool) -> Reading<'a> {
    if validated {
        Reading::to_validate(commit.range, &plan.sources)
    } else {
        Reading::of(commit.range, &plan.sources)
    }
}
