//! Expectations in format 1, and between them and the model.
//!
//! ```json
//! { "name": "between_temp",
//!   "check": { "expect": "between", "column": "temp", "min": { "float": "-80" } },
//!   "on_failure": "quarantine" }
//! ```

use fs_core::{self as core, EventTime, Finite, Fraction, Span};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expectation {
    name: String,
    check: Check,
    on_failure: OnFailure,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "expect", rename_all = "snake_case", deny_unknown_fields)]
enum Check {
    NotNull {
        column: String,
    },
    Between {
        column: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<Literal>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<Literal>,
    },
    InSet {
        column: String,
        values: Vec<Literal>,
    },
    Unique {},
    RowCount {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<u64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<u64>,
    },
    NullFraction {
        column: String,
        /// As text, which no reader of JSON rounds.
        max: Fraction,
    },
    MaxAge {
        max: Span,
    },
    Sql {
        predicate: String,
    },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OnFailure {
    Fail,
    Quarantine,
    Warn,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Literal {
    Bool(bool),
    Int(i64),
    /// As text, which no reader of JSON rounds.
    Float(Finite),
    String(String),
    /// Microseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
}

/// Conversions both ways between an enum of the model and the frozen one with the same variants and
/// fields; a field is moved, or converted where `some` (an option) or `each` (a list) follows it.
macro_rules! same_variants {
    ($($name:ident { $($variant:ident $({ $($field:ident $($how:ident)?),* })?),* $(,)? })*) => {$(
        impl From<core::$name> for $name {
            fn from(model: core::$name) -> Self {
                match model {
                    $(core::$name::$variant $({ $($field),* })? =>
                        Self::$variant $({ $($field: same_variants!(@ $field $($how)?)),* })?,)*
                }
            }
        }

        impl From<$name> for core::$name {
            fn from(frozen: $name) -> Self {
                match frozen {
                    $($name::$variant $({ $($field),* })? =>
                        Self::$variant $({ $($field: same_variants!(@ $field $($how)?)),* })?,)*
                }
            }
        }
    )*};
    (@ $field:ident) => { $field };
    (@ $field:ident some) => { $field.map(Into::into) };
    (@ $field:ident each) => { $field.into_iter().map(Into::into).collect() };
}

same_variants! {
    Check {
        NotNull { column },
        Between { column, min some, max some },
        InSet { column, values each },
        Unique {},
        RowCount { min, max },
        NullFraction { column, max },
        MaxAge { max },
        Sql { predicate },
    }
    OnFailure { Fail, Quarantine, Warn }
}

impl From<core::Expectation> for Expectation {
    fn from(model: core::Expectation) -> Self {
        let core::Expectation {
            name,
            check,
            on_failure,
        } = model;
        Self {
            name,
            check: check.into(),
            on_failure: on_failure.into(),
        }
    }
}

impl From<Expectation> for core::Expectation {
    fn from(frozen: Expectation) -> Self {
        let Expectation {
            name,
            check,
            on_failure,
        } = frozen;
        Self {
            name,
            check: check.into(),
            on_failure: on_failure.into(),
        }
    }
}

impl From<core::Literal> for Literal {
    fn from(model: core::Literal) -> Self {
        match model {
            core::Literal::Bool(value) => Self::Bool(value),
            core::Literal::Int(value) => Self::Int(value),
            core::Literal::Float(value) => Self::Float(value),
            core::Literal::String(value) => Self::String(value),
            core::Literal::Timestamp(value) => Self::Timestamp(value.as_micros()),
        }
    }
}

impl From<Literal> for core::Literal {
    fn from(frozen: Literal) -> Self {
        match frozen {
            Literal::Bool(value) => Self::Bool(value),
            Literal::Int(value) => Self::Int(value),
            Literal::Float(value) => Self::Float(value),
            Literal::String(value) => Self::String(value),
            Literal::Timestamp(value) => Self::Timestamp(EventTime::from_micros(value)),
        }
    }
}
