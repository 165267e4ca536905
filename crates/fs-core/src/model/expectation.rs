//! Expectations: what the rows of a view must be like before they are committed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::literal::Finite;
use crate::{Literal, Span};

/// What the rows of a view must be like, and what happens where they are not.
///
/// A column is a join key, `event_timestamp`, `created_timestamp` or a feature of the view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// What reports call it; once in its view. Where none is given it is that of the check and its column:
    /// `between_temp`, `row_count`.
    pub name: String,
    /// What must hold.
    pub check: Check,
    /// What happens where it does not.
    #[serde(default)]
    pub on_failure: OnFailure,
}

/// What must hold, of every row or of all rows of a window together.
///
/// A null passes all but [`NotNull`](Self::NotNull), and a predicate that is null passes, as with
/// `CHECK` in SQL.
///
/// | Check | Of | Fails |
/// |---|---|---|
/// | `not_null` | a row | where the column is null |
/// | `between` | a row | where the column is below `min` or above `max`, both inclusive |
/// | `in_set` | a row | where the column is none of the values |
/// | `unique` | a row | at every row after the first with its join keys and event time |
/// | `sql` | a row | where the predicate is false |
/// | `row_count` | the window | if there are fewer rows than `min`, or more than `max` |
/// | `null_fraction` | the window | if a greater part of the column than `max` is null |
/// | `max_age` | the window | if its newest event time is more than `max` before its end |
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "expect", rename_all = "snake_case", deny_unknown_fields)]
pub enum Check {
    /// The column is not null.
    NotNull {
        /// The column.
        column: String,
    },
    /// The column lies between two values, both inclusive; at least one of them is given.
    Between {
        /// The column.
        column: String,
        /// The least that is fine; no limit if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<Literal>,
        /// The greatest that is fine, not less than `min`; no limit if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<Literal>,
    },
    /// The column is one of these values.
    InSet {
        /// The column.
        column: String,
        /// At least one, each once.
        values: Vec<Literal>,
    },
    /// No two rows have the same join keys and event time.
    Unique {},
    /// There are so many rows; at least one limit is given.
    RowCount {
        /// The least that is fine; no limit if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<u64>,
        /// The most that is fine, not less than `min`; no limit if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<u64>,
    },
    /// At most this part of the column is null. No rows have no nulls.
    NullFraction {
        /// The column.
        column: String,
        /// The greatest part that is fine.
        max: Fraction,
    },
    /// The newest event time is at most so long before the end of the window.
    MaxAge {
        /// The greatest age that is fine.
        max: Span,
    },
    /// The predicate is true, or null.
    Sql {
        /// A condition over the columns of the view.
        predicate: String,
    },
}

/// What happens to rows, or to the window, that fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The run fails, and nothing is committed.
    #[default]
    Fail,
    /// The rows that fail go to the quarantine of the view, with the reason; the others are committed.
    /// Only for checks of a row.
    Quarantine,
    /// It is reported, and everything is committed.
    Warn,
}

impl Check {
    /// The word that definitions use.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NotNull { .. } => "not_null",
            Self::Between { .. } => "between",
            Self::InSet { .. } => "in_set",
            Self::Unique {} => "unique",
            Self::RowCount { .. } => "row_count",
            Self::NullFraction { .. } => "null_fraction",
            Self::MaxAge { .. } => "max_age",
            Self::Sql { .. } => "sql",
        }
    }

    /// The column that it looks at, if it is one.
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::NotNull { column }
            | Self::Between { column, .. }
            | Self::InSet { column, .. }
            | Self::NullFraction { column, .. } => Some(column),
            Self::Unique {} | Self::RowCount { .. } | Self::MaxAge { .. } | Self::Sql { .. } => {
                None
            }
        }
    }

    /// Whether it judges row by row, so that single rows can be put aside.
    pub const fn is_of_rows(&self) -> bool {
        match self {
            Self::NotNull { .. }
            | Self::Between { .. }
            | Self::InSet { .. }
            | Self::Unique {}
            | Self::Sql { .. } => true,
            Self::RowCount { .. } | Self::NullFraction { .. } | Self::MaxAge { .. } => false,
        }
    }
}

/// As in `between temp min -80 max 140`.
impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())?;
        if let Some(column) = self.column() {
            write!(f, " {column}")?;
        }
        let mut limits = |min: Option<&dyn fmt::Display>, max: Option<&dyn fmt::Display>| {
            min.map_or(Ok(()), |min| write!(f, " min {min}"))?;
            max.map_or(Ok(()), |max| write!(f, " max {max}"))
        };
        match self {
            Self::Between { min, max, .. } => limits(
                min.as_ref().map(|min| min as _),
                max.as_ref().map(|max| max as _),
            ),
            Self::RowCount { min, max } => limits(
                min.as_ref().map(|min| min as _),
                max.as_ref().map(|max| max as _),
            ),
            Self::NullFraction { max, .. } => limits(None, Some(max)),
            Self::MaxAge { max } => limits(None, Some(max)),
            Self::InSet { values, .. } => {
                let values: Vec<String> = values.iter().map(Literal::to_string).collect();
                write!(f, " [{}]", values.join(", "))
            }
            Self::Sql { predicate } => write!(f, " {predicate}"),
            Self::NotNull { .. } | Self::Unique {} => Ok(()),
        }
    }
}

impl OnFailure {
    /// The word that definitions use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Quarantine => "quarantine",
            Self::Warn => "warn",
        }
    }
}

impl fmt::Display for OnFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A part of a whole, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Finite", into = "Finite")]
pub struct Fraction(Finite);

/// A number that is no part of a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a fraction: write a number from 0 to 1, such as 0.05")]
pub struct NoFraction {
    /// The text that was refused.
    pub text: String,
}

impl Fraction {
    /// The part as a number.
    pub const fn get(self) -> f64 {
        self.0.get()
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<Finite> for Fraction {
    type Error = NoFraction;

    fn try_from(number: Finite) -> Result<Self, NoFraction> {
        if (0.0..=1.0).contains(&number.get()) {
            Ok(Self(number))
        } else {
            Err(NoFraction {
                text: number.to_string(),
            })
        }
    }
}

impl From<Fraction> for Finite {
    fn from(fraction: Fraction) -> Self {
        fraction.0
    }
}

impl std::str::FromStr for Fraction {
    type Err = NoFraction;

    fn from_str(text: &str) -> Result<Self, NoFraction> {
        let number = text.parse::<Finite>().ok();
        let fraction = number.and_then(|number| Self::try_from(number).ok());
        fraction.ok_or_else(|| NoFraction {
            text: text.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between() -> Expectation {
        Expectation {
            name: "between_temp".to_owned(),
            check: Check::Between {
                column: "temp".to_owned(),
                min: Some(Literal::Int(-80)),
                max: None,
            },
            on_failure: OnFailure::Quarantine,
        }
    }

    #[test]
    fn an_expectation_reads_back_as_it_was_written() {
        for check in [
            between().check,
            Check::Unique {},
            Check::NullFraction {
                column: "temp".to_owned(),
                max: "0.05".parse().unwrap(),
            },
        ] {
            let expectation = Expectation { check, ..between() };
            let json = serde_json::to_string(&expectation).unwrap();
            let back: Expectation = serde_json::from_str(&json).unwrap();
            assert_eq!(back, expectation, "{json}");
        }
    }

    #[test]
    fn a_check_is_printed_as_it_would_be_said() {
        assert_eq!(between().check.to_string(), "between temp min -80");
        let count = Check::RowCount {
            min: Some(1),
            max: Some(9),
        };
        assert_eq!(count.to_string(), "row_count min 1 max 9");
        let age = Check::MaxAge {
            max: "2d".parse().unwrap(),
        };
        assert_eq!(age.to_string(), "max_age max 2d");
    }

    #[test]
    fn a_fraction_lies_between_0_and_1() {
        for text in ["0", "0.05", "1"] {
            assert!(text.parse::<Fraction>().is_ok(), "{text}");
        }
        for text in ["-0.1", "1.01", "5%", "NaN"] {
            assert!(text.parse::<Fraction>().is_err(), "{text}");
        }
    }
}
