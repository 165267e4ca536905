//! Checks of a window: what is counted while its rows pass, and what is said of it at the end.

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::compute::max;
use arrow::datatypes::{Schema, TimestampMicrosecondType};
use fs_core::{Check, EventTime, Span, TimeRange};

use super::row_check::position;

/// What is counted of the rows that are left after quarantine.
#[derive(Debug, Default)]
pub(super) struct Totals {
    rows: u64,
    /// For each column of the schema how many values are null.
    nulls: Vec<u64>,
    newest: Option<i64>,
}

impl Totals {
    pub(super) const fn rows(&self) -> u64 {
        self.rows
    }

    /// Counts rows; `event` is the position of the event time.
    pub(super) fn add(&mut self, batch: &RecordBatch, event: usize) {
        self.rows += batch.num_rows() as u64;
        self.nulls.resize(batch.num_columns(), 0);
        for (total, column) in self.nulls.iter_mut().zip(batch.columns()) {
            *total += column.logical_null_count() as u64;
        }
        let times = batch
            .column(event)
            .as_primitive::<TimestampMicrosecondType>();
        self.newest = self.newest.max(max(times));
    }

    /// What is found in `window` that `check` does not allow; `None` where it is met, or a check of
    /// rows.
    ///
    /// | Check | Of no rows |
    /// |---|---|
    /// | `row_count` | fails if there is a `min` |
    /// | `null_fraction` | is met |
    /// | `max_age` | fails if the window is longer than `max`; a shorter one says nothing of what is before it |
    pub(super) fn found(
        &self,
        check: &Check,
        schema: &Schema,
        window: &TimeRange,
    ) -> Option<String> {
        match check {
            Check::RowCount { min, max } => {
                let few = min.is_some_and(|min| self.rows < min);
                let many = max.is_some_and(|max| self.rows > max);
                (few || many).then(|| format!("{} rows", self.rows))
            }
            Check::NullFraction { column, max } => {
                let nulls = position(schema, column).ok();
                let nulls = nulls.and_then(|at| self.nulls.get(at)).copied();
                let (nulls, rows) = (nulls.unwrap_or_default(), self.rows);
                (ratio(nulls, rows) > max.get()).then(|| format!("{nulls} of {rows} rows are null"))
            }
            Check::MaxAge { max } => self.too_old(*max, window),
            Check::NotNull { .. }
            | Check::Between { .. }
            | Check::InSet { .. }
            | Check::Unique {}
            | Check::Sql { .. } => None,
        }
    }

    fn too_old(&self, max: Span, window: &TimeRange) -> Option<String> {
        let end = window.end();
        let oldest = end.as_micros().saturating_sub(max.as_micros());
        let Some(newest) = self.newest else {
            let reaches = |start: EventTime| start.as_micros() <= oldest;
            let covered = window.start().is_none_or(reaches);
            return covered.then(|| format!("no rows, and the window ends at {end}"));
        };
        (newest < oldest).then(|| {
            let newest = EventTime::from_micros(newest);
            format!("the newest event time is {newest}, and the window ends at {end}")
        })
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "above 2^53 rows a fraction is off by less than anybody writes"
)]
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}
