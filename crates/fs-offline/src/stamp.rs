//! Rows on their way into a table: checked, brought into its columns, and numbered.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::cast;
use arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use arrow::error::ArrowError;
use fs_core::{EVENT_TIMESTAMP, EventTime, SEQUENCE, TimeRange, ViewName};

use crate::Error;
use crate::evolution::plain;
use crate::sequence::MAX_ROWS;

/// Checks and numbers the rows of one commit.
#[derive(Debug)]
pub(crate) struct Stamp {
    pub(crate) view: ViewName,
    /// Where the event times of all rows lie; anywhere if absent.
    pub(crate) window: Option<TimeRange>,
    /// The columns of the files to write.
    pub(crate) columns: SchemaRef,
    /// The `_sequence` of the first row.
    pub(crate) first: i64,
    /// Rows so far.
    pub(crate) rows: Arc<AtomicU64>,
}

impl Stamp {
    /// `batch` in the columns of the table, with `_sequence`.
    pub(crate) fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        let known = |name: &str| name != SEQUENCE && self.columns.index_of(name).is_ok();
        if let Some(field) = batch.schema().fields().iter().find(|f| !known(f.name())) {
            return Err(self.misfit(format!("there is no column `{}`", field.name())));
        }
        let before = self.count(batch.num_rows())?;
        let columns: Result<Vec<ArrayRef>, Error> = self
            .columns
            .fields()
            .iter()
            .map(|field| {
                if field.name() == SEQUENCE {
                    return Ok(self.numbers(before, batch.num_rows()));
                }
                let Some(column) = batch.column_by_name(field.name()) else {
                    if field.is_nullable() {
                        return Ok(new_null_array(field.data_type(), batch.num_rows()));
                    }
                    return Err(self.misfit(format!("column `{}` is missing", field.name())));
                };
                if !field.is_nullable() && column.null_count() > 0 {
                    return Err(self.misfit(format!("column `{}` has a null", field.name())));
                }
                if plain(column.data_type()) != plain(field.data_type()) {
                    return Err(self.misfit(format!(
                        "column `{}` is {} and not {}",
                        field.name(),
                        column.data_type(),
                        field.data_type()
                    )));
                }
                // At most the name of a list's item differs.
                cast(column, field.data_type()).map_err(|error| self.arrow(&error))
            })
            .collect();
        let batch = RecordBatch::try_new(Arc::clone(&self.columns), columns?)
            .map_err(|error| self.arrow(&error))?;
        self.check_window(&batch)?;
        Ok(batch)
    }

    /// Counts `rows` more; how many there were before.
    fn count(&self, rows: usize) -> Result<u64, Error> {
        let count = rows as u64;
        let before = self.rows.fetch_add(count, Ordering::Relaxed);
        if before + count > MAX_ROWS {
            let problem = format!("a window has at most {MAX_ROWS} rows; choose a shorter one");
            return Err(self.misfit(problem));
        }
        Ok(before)
    }

    fn numbers(&self, before: u64, rows: usize) -> ArrayRef {
        let first = self.first + before.cast_signed();
        let numbers = first..first + (rows as u64).cast_signed();
        Arc::new(Int64Array::from_iter_values(numbers))
    }

    fn check_window(&self, batch: &RecordBatch) -> Result<(), Error> {
        let Some(window) = self.window else {
            return Ok(());
        };
        let events: Option<&TimestampMicrosecondArray> = batch
            .column_by_name(EVENT_TIMESTAMP)
            .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
        let outside = events
            .into_iter()
            .flatten()
            .flatten()
            .map(EventTime::from_micros)
            .find(|at| !window.contains(*at));
        match outside {
            Some(at) => Err(Error::OutsideWindow {
                view: self.view.clone(),
                window,
                at,
            }),
            None => Ok(()),
        }
    }

    fn misfit(&self, problem: String) -> Error {
        Error::Misfit {
            view: self.view.clone(),
            problem,
        }
    }

    fn arrow(&self, error: &ArrowError) -> Error {
        self.misfit(error.to_string())
    }
}
