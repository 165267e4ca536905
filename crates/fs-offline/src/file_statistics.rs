//! What DataFusion is told about a data file, and which files that rules out.
//!
//! A scan drops files by it twice: when it is planned, and again when a file is opened, by the filters
//! that other operators have found meanwhile. Both look only at bounds that are called exact, so the
//! bounds of one file are, though a bound of event time is as wide as
//! [`data_file`](crate::data_file) says. They must not be taken for the least and greatest value:
//! a scan as a whole calls none of them exact.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::pruning::PrunableStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, ScalarValue, Statistics};
use datafusion::error::DataFusionError;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use fs_core::data_type::UTC;
use fs_core::{CREATED_TIMESTAMP, EVENT_TIMESTAMP, SEQUENCE};

use crate::data_file::{Bounds, DataFile};

/// What is known of `file`, as a file of `columns`.
pub(crate) fn of_file(file: &DataFile, columns: &Schema) -> Statistics {
    let mut statistics = Statistics::new_unknown(columns);
    let rows = rows(file);
    statistics.num_rows = rows;
    let known = statistics.column_statistics.iter_mut();
    for (field, column) in columns.fields().iter().zip(known) {
        if !field.is_nullable() {
            column.null_count = Precision::Exact(0);
        }
        match field.name().as_str() {
            EVENT_TIMESTAMP => set_times(column, file.event),
            CREATED_TIMESTAMP => match file.created {
                Some(bounds) => set_times(column, bounds),
                None => column.null_count = rows,
            },
            SEQUENCE => set_numbers(column, file.sequence),
            _ => {}
        }
    }
    statistics
}

/// What is known of all `files` together, as rows of `columns`: how many there are.
pub(crate) fn of_files<'a>(
    files: impl Iterator<Item = &'a DataFile>,
    columns: &Schema,
) -> Statistics {
    let none = Precision::Exact(0);
    Statistics {
        num_rows: files.fold(none, |sum, file| sum.add(&rows(file))),
        ..Statistics::new_unknown(columns)
    }
}

/// For each of `files` whether a row of it may meet `predicate`, which is over `columns`.
pub(crate) fn may_hold(
    files: &[DataFile],
    columns: &SchemaRef,
    predicate: Arc<dyn PhysicalExpr>,
) -> Result<Vec<bool>, DataFusionError> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let statistics = files.iter().map(|file| Arc::new(of_file(file, columns)));
    let statistics = PrunableStatistics::new(statistics.collect(), Arc::clone(columns));
    PruningPredicateBuilder::new()
        .with_file_schema(Arc::clone(columns))
        .try_build(predicate)?
        .prune(&statistics)
}

/// No file is empty, so 0 stands for a file without statistics.
fn rows(file: &DataFile) -> Precision<usize> {
    match usize::try_from(file.rows) {
        Ok(0) | Err(_) => Precision::Absent,
        Ok(rows) => Precision::Exact(rows),
    }
}

fn set_numbers(column: &mut ColumnStatistics, bounds: Bounds) {
    let number = |number| Precision::Exact(ScalarValue::Int64(Some(number)));
    if bounds.min != i64::MIN {
        column.min_value = number(bounds.min);
    }
    if bounds.max != i64::MAX {
        column.max_value = number(bounds.max);
    }
}

fn set_times(column: &mut ColumnStatistics, bounds: Bounds) {
    let time = |micros| {
        let time = ScalarValue::TimestampMicrosecond(Some(micros), Some(Arc::from(UTC)));
        Precision::Exact(time)
    };
    if bounds.min != i64::MIN {
        column.min_value = time(bounds.min);
    }
    if bounds.max != i64::MAX {
        column.max_value = time(bounds.max);
    }
}
