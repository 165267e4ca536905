//! What is wrong with pushed rows: everything at once.

use std::fmt;

use fs_core::suggest::hint;

/// How many problems are told one by one.
const SHOWN: usize = 10;

/// What is wrong with a column of pushed rows. Rows are counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushProblem {
    /// It is not there.
    Missing {
        /// The column.
        column: String,
        /// The other name that it may have.
        or: Option<String>,
    },
    /// The view does not have it.
    Unknown {
        /// The column.
        column: String,
        /// The nearest that the view has.
        nearest: Option<String>,
    },
    /// It is there twice.
    Twice {
        /// The column.
        column: String,
    },
    /// It is of another type.
    Type {
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// The declared type.
        expected: String,
    },
    /// A value that the declared type does not have.
    Value {
        /// The column.
        column: String,
        /// The first such row.
        row: usize,
        /// The value.
        value: String,
        /// The declared type.
        expected: String,
    },
    /// Nulls where there may be none.
    Null {
        /// The column.
        column: String,
        /// The first such row.
        row: usize,
        /// How many there are.
        count: usize,
    },
}

impl fmt::Display for PushProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { column, or: None } => write!(f, "column `{column}` is missing"),
            Self::Missing {
                column,
                or: Some(or),
            } => write!(f, "column `{column}` (or `{or}`) is missing"),
            Self::Unknown { column, nearest } => {
                write!(
                    f,
                    "there is no column `{column}`{}",
                    hint(nearest.as_deref())
                )
            }
            Self::Twice { column } => write!(f, "column `{column}` is there twice"),
            Self::Type {
                column,
                found,
                expected,
            } => write!(f, "column `{column}` is {found} and not {expected}"),
            Self::Value {
                column,
                row,
                value,
                expected,
            } => write!(
                f,
                "column `{column}` holds `{value}` in row {row}, which is not a value of type {expected}"
            ),
            Self::Null {
                column,
                row,
                count: 1,
            } => write!(f, "column `{column}` is null in row {row}"),
            Self::Null { column, row, count } => {
                write!(
                    f,
                    "column `{column}` is null in {count} rows, row {row} first"
                )
            }
        }
    }
}

/// All that is wrong with pushed rows; at least one thing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PushProblems(pub Vec<PushProblem>);

impl fmt::Display for PushProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().take(SHOWN).enumerate() {
            write!(f, "{}{problem}", if at == 0 { "" } else { "; " })?;
        }
        match self.0.len().checked_sub(SHOWN) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, "; and {more} more problems"),
        }
    }
}
