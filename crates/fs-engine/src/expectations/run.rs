//! [`Run`]: what the streams of one validation share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use arrow::buffer::BooleanBuffer;
use datafusion::error::DataFusionError;
use fs_core::TimeRange;

use super::plan::Plan;
use super::split::Split;
use super::tally::Tally;
use super::{Report, quarantined::Aside};
use crate::Error;
use crate::tables::Shared;

/// One stream of a validation, and what it shares with the others.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) shared: Arc<Shared>,
    pub(super) plan: Arc<Plan>,
    pub(super) tally: Arc<Mutex<Tally>>,
    /// Where rows are put aside; nowhere if nobody wants them.
    pub(super) aside: Option<Aside>,
    /// Whether this is the first stream.
    pub(super) first: bool,
}

impl Run {
    /// Holds rows against the checks of single rows.
    pub(super) fn split(&self, batch: &RecordBatch) -> Result<Split, DataFusionError> {
        self.plan.split(&mut self.tally(), batch, self.first)
    }

    /// Puts rows aside because of one expectation.
    pub(super) fn split_off(
        &self,
        batch: &RecordBatch,
        rows: &BooleanBuffer,
        expectation: usize,
    ) -> Result<Split, DataFusionError> {
        self.plan
            .split_off(&mut self.tally(), batch, rows, expectation)
    }

    /// Counts rows that are not unique.
    pub(super) fn found_duplicates(&self, batch: &RecordBatch, rows: &BooleanBuffer) {
        let mut tally = self.tally();
        for expectation in self.plan.unique() {
            let rows = rows.set_indices();
            tally.fail(&self.plan, expectation, batch, rows, |_| String::new());
        }
    }

    pub(super) async fn put_aside(&self, rows: Option<RecordBatch>) -> Result<(), DataFusionError> {
        match (&self.aside, rows) {
            (Some(aside), Some(rows)) => aside.push(rows).await,
            _ => Ok(()),
        }
    }

    /// Counts rows that are left.
    pub(super) fn count(&self, batch: &RecordBatch) {
        self.tally().totals.add(batch, self.plan.keys);
    }

    /// Whether the run fails, by what is known so far.
    pub(super) fn fails(&self) -> bool {
        self.tally().fails(&self.plan)
    }

    /// What is said at the end of the stream, which with `window` is the end of that window.
    pub(super) fn end(&self, window: Option<&TimeRange>) -> Result<(), Error> {
        let mut tally = self.tally();
        if let Some(window) = window {
            tally.judge(&self.plan, window);
        }
        if tally.fails(&self.plan) {
            return Err(Error::Expectations(Box::new(tally.report(&self.plan))));
        }
        Ok(())
    }

    pub(super) fn report(&self) -> Report {
        self.tally().report(&self.plan)
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
