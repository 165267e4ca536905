//! [`Validator`]: holds rows against the expectations of their view.
//!
//! ```text
//!   rows ── checks of rows ── unique ── counted for the checks of the window ── the offline table
//!                │              │                                      at the end: an error, if the run fails
//!                └──────────────┴── quarantined
//! ```
//! So `unique` and the checks of the window see the rows that are left by what comes before.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use fs_core::{Catalog, FeatureView, TimeRange};
use futures::{StreamExt, TryStreamExt, stream};

use super::plan::Plan;
use super::quarantined::{Aside, Quarantined};
use super::run::Run;
use super::tally::Tally;
use super::{Report, unique};
use crate::tables::Shared;
use crate::{Engine, Error, ViewRows};

/// Holds the rows of one run against the expectations of their view.
///
/// | On failure | Of a row | Of the window |
/// |---|---|---|
/// | `fail` | the stream ends with [`Error::Expectations`] | likewise |
/// | `quarantine` | the row leaves the stream, and is among the [`Quarantined`] | |
/// | `warn` | the row stays; the [`Report`] counts it | the [`Report`] says so |
///
/// Several streams, the chunks of a run, add up to one report. A run that is begun again, because a
/// source changed, takes a new validator.
#[derive(Debug)]
pub struct Validator {
    shared: Arc<Shared>,
    plan: Arc<Plan>,
    tally: Arc<Mutex<Tally>>,
    begun: AtomicBool,
}

/// Rows that are validated while they are polled.
#[derive(Debug)]
pub struct Validated {
    /// The rows that are left, as the offline table takes them. Once the run is known to fail no more
    /// rows come, but the rest is still counted before the stream ends with the error.
    pub rows: ViewRows,
    /// The rows that are not, complete when `rows` has ended. Those without an event time are among
    /// them with every stream of the run.
    pub quarantined: Quarantined,
}

impl Engine {
    /// What holds the rows of `view` against its expectations; `None` if it has none.
    pub fn validator(
        &self,
        catalog: &Catalog,
        view: &FeatureView,
    ) -> Result<Option<Validator>, Error> {
        if view.expectations.is_empty() {
            return Ok(None);
        }
        let shared = self.shared();
        let plan = Plan::of(catalog, view, &shared);
        let plan = plan.map_err(|problems| Error::Mismatch { problems })?;
        Ok(Some(Validator {
            shared,
            tally: Arc::new(Mutex::new(Tally::new(&plan))),
            plan: Arc::new(plan),
            begun: AtomicBool::new(false),
        }))
    }
}

impl Validator {
    /// Validates rows that were read with [`Reading::to_validate`](crate::Reading::to_validate).
    ///
    /// With `window`, these are the last rows of that window: when they end, the checks of the whole
    /// window are made over the rows of all streams, and one that fails ends the stream with the error.
    pub fn rows(&self, rows: ViewRows, window: Option<TimeRange>) -> Validated {
        let aside = Aside::new(self.plan.aside_schema(), &self.shared);
        let run = self.run(Some(aside.clone()));
        Validated {
            rows: validated(&run, rows, window),
            quarantined: Quarantined::new(aside),
        }
    }

    /// Reads all rows of a window to know whether they are as expected, and keeps none of them.
    ///
    /// The error is [`Error::Expectations`] if they are not, or what reading ended with.
    pub async fn judge(&self, rows: ViewRows, window: TimeRange) -> Result<Report, Error> {
        let run = self.run(None);
        let mut rows = validated(&run, rows, Some(window)).stream;
        let failed = |cause| Error::of_query(format!("view `{}`", self.plan.view), cause);
        while rows.try_next().await.map_err(failed)?.is_some() {}
        Ok(run.report())
    }

    /// What was found so far.
    pub fn report(&self) -> Report {
        self.run_after_first(None).report()
    }

    fn run(&self, aside: Option<Aside>) -> Arc<Run> {
        let first = !self.begun.swap(true, Ordering::Relaxed);
        Arc::new(Run {
            first,
            ..self.run_after_first(aside)
        })
    }

    fn run_after_first(&self, aside: Option<Aside>) -> Run {
        Run {
            shared: Arc::clone(&self.shared),
            plan: Arc::clone(&self.plan),
            tally: Arc::clone(&self.tally),
            aside,
            first: false,
        }
    }
}

/// The rows of one stream that are left.
fn validated(run: &Arc<Run>, rows: ViewRows, window: Option<TimeRange>) -> ViewRows {
    let schema = Arc::clone(&run.plan.strict);
    let left =
        unique_rows(run, checked(run, rows.stream)).unwrap_or_else(|error| failed(run, error));
    let (counting, silent, ending) = (Arc::clone(run), Arc::clone(run), Arc::clone(run));
    let left = left.map_ok(move |batch| {
        counting.count(&batch);
        batch
    });
    let left =
        left.try_filter(move |batch| std::future::ready(batch.num_rows() > 0 && !silent.fails()));
    let end = stream::once(async move { ending.end(window.as_ref()) });
    let end = end.filter_map(|end| std::future::ready(end.err()));
    let end = end.map(|error| Err(DataFusionError::External(Box::new(error))));
    ViewRows {
        schema: Arc::clone(&schema),
        stream: Box::pin(RecordBatchStreamAdapter::new(schema, left.chain(end))),
    }
}

/// The rows that the checks of single rows leave.
fn checked(run: &Arc<Run>, rows: SendableRecordBatchStream) -> SendableRecordBatchStream {
    let schema = Arc::clone(&run.plan.strict);
    let run = Arc::clone(run);
    let left = rows.and_then(move |batch| {
        let run = Arc::clone(&run);
        async move {
            let split = run.split(&batch)?;
            run.put_aside(split.aside).await?;
            Ok(split.left)
        }
    });
    Box::pin(RecordBatchStreamAdapter::new(schema, left))
}

/// The rows that `unique` leaves, where it is expected.
fn unique_rows(
    run: &Arc<Run>,
    rows: SendableRecordBatchStream,
) -> Result<SendableRecordBatchStream, DataFusionError> {
    let quarantining = run.plan.unique().find(|at| run.plan.quarantines(*at));
    match quarantining {
        Some(expectation) => unique::without_duplicates(run, rows, expectation),
        None if run.plan.unique().next().is_some() => unique::counted(run, rows),
        None => Ok(rows),
    }
}

fn failed(run: &Run, error: DataFusionError) -> SendableRecordBatchStream {
    let schema = Arc::clone(&run.plan.strict);
    let rows = stream::once(std::future::ready(Err(error)));
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}
