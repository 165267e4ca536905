//! One batch of rows becomes those that are left and those that are put aside.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, StringArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::filter_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::DataFusionError;

use super::plan::Plan;
use super::tally::Tally;

/// The column with the name of the expectation that a row failed.
const EXPECTATION: &str = "_expectation";
/// The column that says why, in words.
const REASON: &str = "_reason";

/// What becomes of a batch.
#[derive(Debug)]
pub(super) struct Split {
    /// The rows that are left, as the offline table takes them.
    pub(super) left: RecordBatch,
    /// The rows that are put aside, with the reason.
    pub(super) aside: Option<RecordBatch>,
}

impl Plan {
    /// The columns of rows that are put aside: those of the view, all nullable, then which expectation
    /// failed, and why.
    pub(super) fn aside_schema(&self) -> SchemaRef {
        let nullable = |field: &Arc<Field>| field.as_ref().clone().with_nullable(true);
        let own = self.strict.fields().iter().map(nullable);
        let more = [EXPECTATION, REASON].map(|name| Field::new(name, DataType::Utf8, false));
        Arc::new(Schema::new(own.chain(more).collect::<Vec<_>>()))
    }

    /// Holds rows against the checks of single rows.
    ///
    /// Each stream of a run has the rows without an event time again, so only the `first` counts them.
    pub(super) fn split(
        &self,
        tally: &mut Tally,
        batch: &RecordBatch,
        first: bool,
    ) -> Result<Split, DataFusionError> {
        let times = batch.column(self.keys);
        let counted = |row: usize| first || times.is_valid(row);
        tally.rows += count(batch.num_rows(), counted);
        let mut reasons = Reasons::new(batch.num_rows());
        for (at, check) in self.row_checks.iter().enumerate() {
            let Some(check) = check else { continue };
            let failing = check.failing(batch)?;
            let rows = || failing.set_indices();
            let shown = |row| check.shown(batch, row);
            tally.fail(self, at, batch, rows().filter(|row| counted(*row)), shown);
            if self.quarantines(at) {
                for row in rows() {
                    reasons.add(row, at, || self.reason(at, &shown(row)));
                }
            }
        }
        tally.quarantined += count(batch.num_rows(), |row| reasons.has(row) && counted(row));
        let missing = self.missing(batch);
        if reasons.by_row.is_empty() && missing.is_none() {
            return Ok(Split {
                left: self.strict(batch)?,
                aside: None,
            });
        }
        let left = BooleanBuffer::collect_bool(batch.num_rows(), |row| {
            !reasons.has(row) && !missing.as_ref().is_some_and(|missing| missing.value(row))
        });
        Ok(Split {
            left: self.strict(&filtered(batch, left)?)?,
            aside: self.aside(batch, &reasons)?,
        })
    }

    /// Puts rows aside because of one expectation.
    pub(super) fn split_off(
        &self,
        tally: &mut Tally,
        batch: &RecordBatch,
        rows: &BooleanBuffer,
        expectation: usize,
    ) -> Result<Split, DataFusionError> {
        let mut reasons = Reasons::new(batch.num_rows());
        for row in rows.set_indices() {
            reasons.add(row, expectation, || self.reason(expectation, ""));
        }
        tally.quarantined += rows.count_set_bits() as u64;
        Ok(Split {
            left: filtered(batch, !rows)?,
            aside: self.aside(batch, &reasons)?,
        })
    }

    fn reason(&self, expectation: usize, shown: &str) -> String {
        let check = self.expectations.get(expectation).map(|e| &e.check);
        let check = check.map(ToString::to_string).unwrap_or_default();
        match shown {
            "" => check,
            shown => format!("{check}: {shown}"),
        }
    }

    /// The rows without a key or an event time, which no table can take.
    fn missing(&self, batch: &RecordBatch) -> Option<BooleanBuffer> {
        let nulls = batch.columns().iter().take(self.keys + 1);
        let nulls = nulls
            .filter_map(Array::logical_nulls)
            .filter(|nulls| nulls.null_count() > 0);
        nulls
            .map(|nulls| !nulls.inner())
            .reduce(|one, other| &one | &other)
    }

    /// The same rows, none of which lacks a key or an event time.
    fn strict(&self, batch: &RecordBatch) -> Result<RecordBatch, DataFusionError> {
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let columns = batch.columns().to_vec();
        let schema = Arc::clone(&self.strict);
        Ok(RecordBatch::try_new_with_options(
            schema, columns, &options,
        )?)
    }

    fn aside(
        &self,
        batch: &RecordBatch,
        reasons: &Reasons,
    ) -> Result<Option<RecordBatch>, DataFusionError> {
        if reasons.by_row.is_empty() {
            return Ok(None);
        }
        let mask = BooleanBuffer::collect_bool(batch.num_rows(), |row| reasons.has(row));
        let rows = filtered(batch, mask)?;
        let name = |at: usize| self.expectations.get(at).map(|e| e.name.as_str());
        let names = reasons
            .by_row
            .values()
            .map(|(at, _)| name(*at).unwrap_or_default());
        let names: StringArray = names.map(Some).collect();
        let texts: StringArray = reasons
            .by_row
            .values()
            .map(|(_, text)| Some(text))
            .collect();
        let mut columns = rows.columns().to_vec();
        columns.extend([Arc::new(names) as ArrayRef, Arc::new(texts) as ArrayRef]);
        Ok(Some(RecordBatch::try_new(self.aside_schema(), columns)?))
    }
}

/// Why rows are put aside: the first expectation that they fail, and all of them in words.
#[derive(Debug)]
struct Reasons {
    by_row: std::collections::BTreeMap<usize, (usize, String)>,
    /// Quick to ask.
    aside: Vec<bool>,
}

impl Reasons {
    fn new(rows: usize) -> Self {
        Self {
            by_row: std::collections::BTreeMap::new(),
            aside: vec![false; rows],
        }
    }

    fn add(&mut self, row: usize, expectation: usize, reason: impl Fn() -> String) {
        if let Some(aside) = self.aside.get_mut(row) {
            *aside = true;
        }
        self.by_row
            .entry(row)
            .and_modify(|(_, text)| {
                text.push_str("; ");
                text.push_str(&reason());
            })
            .or_insert_with(|| (expectation, reason()));
    }

    fn has(&self, row: usize) -> bool {
        self.aside.get(row).copied().unwrap_or_default()
    }
}

fn count(rows: usize, is_it: impl Fn(usize) -> bool) -> u64 {
    (0..rows).filter(|row| is_it(*row)).count() as u64
}

fn filtered(batch: &RecordBatch, rows: BooleanBuffer) -> Result<RecordBatch, DataFusionError> {
    if rows.count_set_bits() == batch.num_rows() {
        return Ok(batch.clone());
    }
    Ok(filter_record_batch(batch, &BooleanArray::new(rows, None))?)
}
