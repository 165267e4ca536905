//! [`Tally`]: what was found so far.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use fs_core::{EventTime, OnFailure, TimeRange};

use super::plan::Plan;
use super::report::{EXAMPLES, Example, Report, Verdict};
use super::row_check::shown;
use super::window_check::Totals;

/// What was found so far, in all streams of a run.
#[derive(Debug)]
pub(super) struct Tally {
    /// Rows that were read.
    pub(super) rows: u64,
    /// Rows that were put aside.
    pub(super) quarantined: u64,
    /// Rows that are left.
    pub(super) totals: Totals,
    /// One for each expectation.
    findings: Vec<Findings>,
}

#[derive(Debug, Default, Clone)]
struct Findings {
    failed: u64,
    examples: Vec<Example>,
    /// Of a window.
    found: Option<String>,
}

impl Tally {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            rows: 0,
            quarantined: 0,
            totals: Totals::default(),
            findings: vec![Findings::default(); plan.expectations.len()],
        }
    }

    /// Counts rows of `batch` that fail an expectation. `shown` is what a row has that it should not.
    pub(super) fn fail(
        &mut self,
        plan: &Plan,
        expectation: usize,
        batch: &RecordBatch,
        rows: impl Iterator<Item = usize>,
        shown: impl Fn(usize) -> String,
    ) {
        let Some(findings) = self.findings.get_mut(expectation) else {
            return;
        };
        for row in rows {
            findings.failed += 1;
            if findings.examples.len() < EXAMPLES {
                findings
                    .examples
                    .push(example(plan, batch, row, shown(row)));
            }
        }
    }

    /// Makes the checks of the window.
    pub(super) fn judge(&mut self, plan: &Plan, window: &TimeRange) {
        for (findings, expectation) in self.findings.iter_mut().zip(&plan.expectations) {
            findings.found = self.totals.found(&expectation.check, &plan.strict, window);
        }
    }

    /// Whether the run fails, by what is known so far.
    pub(super) fn fails(&self, plan: &Plan) -> bool {
        self.findings
            .iter()
            .zip(&plan.expectations)
            .filter(|(_, expectation)| expectation.on_failure == OnFailure::Fail)
            .any(|(findings, _)| findings.failed > 0 || findings.found.is_some())
    }

    pub(super) fn report(&self, plan: &Plan) -> Report {
        let verdict = |(findings, expectation): (&Findings, &fs_core::Expectation)| Verdict {
            expectation: expectation.clone(),
            rows: if expectation.check.is_of_rows() {
                self.rows
            } else {
                self.totals.rows()
            },
            failed: findings.failed,
            examples: findings.examples.clone(),
            found: findings.found.clone(),
        };
        Report {
            view: plan.view.clone(),
            rows: self.rows,
            quarantined: self.quarantined,
            verdicts: self
                .findings
                .iter()
                .zip(&plan.expectations)
                .map(verdict)
                .collect(),
        }
    }
}

fn example(plan: &Plan, batch: &RecordBatch, row: usize, value: String) -> Example {
    let keys: Vec<usize> = (0..plan.keys).collect();
    let times = batch
        .column(plan.keys)
        .as_primitive::<TimestampMicrosecondType>();
    Example {
        key: shown(batch, &keys, row),
        time: times
            .is_valid(row)
            .then(|| EventTime::from_micros(times.value(row))),
        value,
    }
}
