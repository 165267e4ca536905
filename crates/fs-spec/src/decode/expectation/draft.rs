//! An expectation as far as it could be read.

use fs_core::{
    Catalog, Check, DataType, Expectation, FeatureView, Fraction, Literal, OnFailure, Span,
};

use super::kind::Kind;
use crate::position::At;

/// An expectation as far as it could be read.
#[derive(Debug)]
pub(crate) struct ExpectationDraft {
    pub(crate) kind: At<Kind>,
    /// The name that it was given.
    pub(crate) name: Option<At<String>>,
    pub(crate) check: CheckDraft,
    pub(crate) on_failure: Option<OnFailure>,
}

/// A check whose values are text still.
#[derive(Debug)]
pub(crate) enum CheckDraft {
    NotNull {
        column: At<String>,
    },
    Between {
        column: At<String>,
        min: Option<At<String>>,
        max: Option<At<String>>,
    },
    InSet {
        column: At<String>,
        values: Vec<At<String>>,
    },
    Unique,
    RowCount {
        min: Option<At<u64>>,
        max: Option<At<u64>>,
    },
    NullFraction {
        column: At<String>,
        max: At<Fraction>,
    },
    MaxAge {
        max: At<Span>,
    },
    Sql {
        predicate: At<String>,
    },
}

impl CheckDraft {
    /// The column that it looks at, if it is one.
    pub(crate) const fn column(&self) -> Option<&At<String>> {
        match self {
            Self::NotNull { column }
            | Self::Between { column, .. }
            | Self::InSet { column, .. }
            | Self::NullFraction { column, .. } => Some(column),
            Self::Unique | Self::RowCount { .. } | Self::MaxAge { .. } | Self::Sql { .. } => None,
        }
    }

    /// The check; `None` only if a problem was reported. `type_of` knows the columns of the view.
    fn check(&self, type_of: &dyn Fn(&str) -> Option<DataType>) -> Option<Check> {
        let column = || self.column().map(|column| column.value.clone());
        let literal = |text: &At<String>| match type_of(&column()?)? {
            DataType::Scalar(scalar) => Literal::parse(scalar, &text.value).ok(),
            DataType::Array(_) => None,
        };
        let limit = |text: &Option<At<String>>| match text {
            Some(text) => literal(text).map(Some),
            None => Some(None),
        };
        Some(match self {
            Self::NotNull { .. } => Check::NotNull { column: column()? },
            Self::Between { min, max, .. } => Check::Between {
                column: column()?,
                min: limit(min)?,
                max: limit(max)?,
            },
            Self::InSet { values, .. } => Check::InSet {
                column: column()?,
                values: values.iter().map(literal).collect::<Option<_>>()?,
            },
            Self::Unique => Check::Unique {},
            Self::RowCount { min, max } => Check::RowCount {
                min: min.as_ref().map(|min| min.value),
                max: max.as_ref().map(|max| max.value),
            },
            Self::NullFraction { max, .. } => Check::NullFraction {
                column: column()?,
                max: max.value,
            },
            Self::MaxAge { max } => Check::MaxAge { max: max.value },
            Self::Sql { predicate } => Check::Sql {
                predicate: predicate.value.clone(),
            },
        })
    }
}

impl ExpectationDraft {
    /// The name, given or not: `not_null_temp`, `row_count`.
    pub(crate) fn name(&self) -> String {
        if let Some(name) = &self.name {
            return name.value.clone();
        }
        let kind = self.kind.value.as_str();
        match self.check.column() {
            Some(column) => format!("{kind}_{}", column.value),
            None => kind.to_owned(),
        }
    }

    /// The expectation of `view`, whose entities `catalog` has; `None` only if a problem was reported.
    pub(crate) fn finish(&self, catalog: &Catalog, view: &FeatureView) -> Option<Expectation> {
        let check = self
            .check
            .check(&|column| catalog.column_type(view, column))?;
        Some(Expectation {
            name: self.name(),
            check,
            on_failure: self.on_failure.unwrap_or_default(),
        })
    }
}
