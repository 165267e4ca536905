//! What is wrong with SQL, in our words: where, and what may have been meant.

use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;
use fs_core::suggest::{did_you_mean, hint};

use crate::Error;

/// The error that planning `SQL` ended with.
pub(crate) fn of_plan(error: &DataFusionError) -> Error {
    let span = error.diagnostic().and_then(|note| note.span);
    let found = span.and_then(|span| position(span.start.line, span.start.column));
    let (problem, written) = match error.find_root() {
        DataFusionError::SchemaError(error, _) => (of_columns(error), None),
        DataFusionError::SQL(error, _) => placed(&error.to_string()),
        root => (root.message().into_owned(), None),
    };
    Error::BadSql {
        position: found.or(written),
        problem,
    }
}

/// Whether this is something that the words of a query can cause.
pub(super) fn is_of_sql(error: &DataFusionError) -> bool {
    matches!(
        error.find_root(),
        DataFusionError::SQL(..)
            | DataFusionError::Plan(_)
            | DataFusionError::SchemaError(..)
            | DataFusionError::NotImplemented(_)
            | DataFusionError::Configuration(_)
            | DataFusionError::Execution(_)
            | DataFusionError::ArrowError(..)
    )
}

/// Lines and columns count from 1; line 0 is no place.
pub(super) fn position(line: u64, column: u64) -> Option<(u64, u64)> {
    (line > 0).then_some((line, column))
}

fn of_columns(error: &SchemaError) -> String {
    let SchemaError::FieldNotFound {
        field,
        valid_fields,
    } = error
    else {
        return error.to_string();
    };
    let known: Vec<&str> = valid_fields.iter().map(Column::name).collect();
    let near = did_you_mean(field.name(), known.iter().copied());
    let all = match known.as_slice() {
        [] => "nothing has columns here".to_owned(),
        known => format!("there are {}", known.join(", ")),
    };
    format!(
        "there is no column `{}`{}; {all}",
        field.flat_name(),
        hint(near)
    )
}

/// What the parser says, without the place that it writes behind it.
fn placed(text: &str) -> (String, Option<(u64, u64)>) {
    let text = text.trim_start_matches("sql parser error: ");
    let split = || {
        let (problem, place) = text.rsplit_once(" at Line: ")?;
        let (line, column) = place.split_once(", Column: ")?;
        let place = position(line.trim().parse().ok()?, column.trim().parse().ok()?)?;
        Some((problem.to_owned(), Some(place)))
    };
    split().unwrap_or_else(|| (text.to_owned(), None))
}
