//! [`RunSummary`]: what a run did for one view, as it is recorded and told.

use fs_core::code::report;
use fs_core::{EventTime, FeatureView, Fence, TimeRange};
use fs_offline::{RunKind, RunRecord, RunStatus};
use fs_registry::Stopped;

use super::{Outcome, Run};
use crate::window::Window;
use crate::{Asked, Error};

/// How many of the newest runs of a view are looked through for one with a certain fence.
const RECENT: usize = 50;

/// What a run did for one view: the record of it, and what the record says in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunSummary {
    /// As it is recorded in `_runs`.
    pub record: RunRecord,
    /// Event times that were never materialized, and that the next incremental run covers: the
    /// window began after the watermark, which therefore stayed where it is.
    pub gap: Option<TimeRange>,
    /// Where an earlier run of the same was killed, and this one went on.
    pub resumed: Option<EventTime>,
    /// Expectations that only warn and are not met, in words.
    pub warnings: Vec<String>,
}

impl RunSummary {
    /// Of a run that did nothing, since somebody else holds the view.
    pub(crate) fn never_begun(
        view: &FeatureView,
        asked: &Asked,
        started: EventTime,
        finished: EventTime,
        error: &Error,
    ) -> Self {
        let mut record = blank(view, asked, started);
        record.finished = finished;
        record.status = RunStatus::Failed;
        record.message = Some(report(error));
        Self {
            record,
            gap: None,
            resumed: None,
            warnings: Vec::new(),
        }
    }
}

/// A record of a run that has not done anything yet.
pub(super) fn blank(view: &FeatureView, asked: &Asked, started: EventTime) -> RunRecord {
    let range = asked.asked_range(started);
    RunRecord {
        id: format!("{}-{}", started.as_micros(), view.name),
        view: view.name.clone(),
        kind: asked.kind(),
        range_start: range.start(),
        range_end: range.end(),
        started,
        finished: started,
        rows_read: 0,
        rows_written: 0,
        rejected: 0,
        warned: 0,
        published: 0,
        deleted: 0,
        version_before: None,
        table_version: None,
        chunks: 0,
        fence: None,
        trigger: asked.trigger,
        attempt: asked.attempt,
        status: RunStatus::Ok,
        message: None,
    }
}

impl Run<'_> {
    pub(super) fn summary(
        &self,
        finished: EventTime,
        outcome: &Outcome,
        failure: Option<&Error>,
    ) -> RunSummary {
        let mut record = blank(self.view, self.asked, self.started);
        record.id.clone_from(&self.id);
        record.finished = finished;
        if let Some(Window { range, .. }) = outcome.window {
            (record.range_start, record.range_end) = (range.start(), range.end());
        }
        record.rows_read = outcome.rows_read;
        record.rows_written = outcome.rows_written;
        record.rejected = outcome.rejected;
        record.warned = outcome.warned;
        record.chunks = outcome.chunks;
        record.version_before = outcome.version_before;
        record.table_version = outcome.version;
        if let Some(published) = outcome.published {
            (record.published, record.deleted) = (published.written, published.deleted);
            record.table_version = record.table_version.or(Some(published.version));
        }
        record.fence = Some(self.fence());
        record.status = failure.map_or(RunStatus::Ok, status);
        record.message =
            failure.map_or_else(|| said(self.asked, outcome), |error| Some(report(error)));
        RunSummary {
            record,
            gap: outcome.window.and_then(|window| window.gap),
            resumed: outcome.resumed,
            warnings: outcome.warnings.clone(),
        }
    }

    /// Records the run; one that was taken over from only if its successor has not done so.
    pub(super) async fn record(&self, summary: &RunSummary) -> Result<(), Error> {
        let record = &summary.record;
        if record.status == RunStatus::Lost && self.is_recorded(self.fence()).await? {
            return Ok(());
        }
        let recorded = self.stores.offline.append_run(record).await;
        recorded.map_err(|source| self.offline_error(source))
    }

    /// Whether a run of this view that showed `fence` has been recorded.
    pub(super) async fn is_recorded(&self, fence: Fence) -> Result<bool, Error> {
        let runs = self.stores.offline.list_runs(Some(&self.view.name), RECENT);
        let runs = runs.await.map_err(|source| self.offline_error(source))?;
        Ok(runs.iter().any(|run| run.fence == Some(fence)))
    }
}

const fn status(failure: &Error) -> RunStatus {
    match failure {
        Error::Stopped {
            why: Stopped::Cancelled,
            ..
        } => RunStatus::Cancelled,
        Error::Stopped {
            why: Stopped::Lost, ..
        } => RunStatus::Lost,
        _ => RunStatus::Failed,
    }
}

/// What is worth knowing of a run that did what it should.
fn said(asked: &Asked, outcome: &Outcome) -> Option<String> {
    let mut said = Vec::new();
    match (
        &outcome.window,
        outcome.window.and_then(|window| window.gap),
    ) {
        (_, Some(gap)) => said.push(format!(
            "the watermark stays at {}, because {gap} has not been materialized; an incremental \
             run begins there",
            gap.start().unwrap_or(gap.end())
        )),
        (None, None) => said.push(match asked.kind() {
            RunKind::Backfill => "no stored row lacks a feature".to_owned(),
            _ => "nothing new to read".to_owned(),
        }),
        (Some(_), None) => {}
    }
    said.extend(
        outcome
            .resumed
            .map(|at| format!("went on at {at}, where it was killed")),
    );
    said.extend(
        outcome
            .warnings
            .iter()
            .map(|warning| format!("warning: {warning}")),
    );
    (!said.is_empty()).then(|| said.join("; "))
}
