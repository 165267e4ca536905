//! What can be wrong with a request in the words of Feast.

use fs_core::suggest::hint;
use fs_core::{Code, Coded, DataType, KeyType, ViewName};

use super::JsonError;

/// Why a request of a Feast client was refused.
#[derive(Debug, thiserror::Error)]
pub enum FeastError {
    /// A body that is not the JSON that the path takes.
    #[error("the body cannot be read")]
    Body(#[source] JsonError),
    /// A value that its column cannot hold.
    #[error("column `{column}`, row {row}: {given} is not of type {expected}")]
    Value {
        /// The column.
        column: String,
        /// The row, counted from 0.
        row: usize,
        /// What was given, as people write it.
        given: String,
        /// What the column holds.
        expected: DataType,
    },
    /// Columns of different lengths.
    #[error(
        "column `{column}` has {rows} rows, but `{first}` has {first_rows}: every column needs one \
         value per row"
    )]
    Ragged {
        /// The column.
        column: String,
        /// Its length.
        rows: usize,
        /// The column that came first.
        first: String,
        /// The length of that one.
        first_rows: usize,
    },
    /// Two columns of one name.
    #[error("column `{column}` is given twice")]
    Repeated {
        /// The column.
        column: String,
    },
    /// Columns without a row.
    #[error("there are no rows: give at least one value per column")]
    NoRows,
    /// A join key that the features need and the request lacks.
    #[error(
        "entity column `{column}` is missing: view `{view}` is looked up by it; give one {key_type} \
         per row{}",
        hint(.nearest.as_deref())
    )]
    MissingKey {
        /// The column.
        column: String,
        /// Its type.
        key_type: KeyType,
        /// A view that is looked up by it.
        view: ViewName,
        /// A column of the request that may have been meant.
        nearest: Option<String>,
    },
    /// A column that a row of the view needs.
    #[error(
        "column `{column}` of view `{view}` is missing: a row has all its keys, its time and all its \
         features, null where there is no value{}",
        hint(.nearest.as_deref())
    )]
    MissingColumn {
        /// The column.
        column: String,
        /// The view.
        view: ViewName,
        /// A column of the request that may have been meant.
        nearest: Option<String>,
    },
    /// A place to write to that does not exist.
    #[error("`{to}` is no place to push to: write `online`, `offline` or `online_and_offline`")]
    UnknownPlace {
        /// What was asked for.
        to: String,
    },
    /// A column that two views of a source take as two types.
    #[error(
        "column `{column}` would have to be {first_type} for view `{first}` and {second_type} for view \
         `{second}`: push to the views one by one"
    )]
    TwoTypes {
        /// The column.
        column: String,
        /// A view.
        first: ViewName,
        /// What it takes.
        first_type: DataType,
        /// Another view.
        second: ViewName,
        /// What that one takes.
        second_type: DataType,
    },
    /// A view that does not exist.
    #[error("there is no feature view `{name}`{}", hint(.nearest.as_deref()))]
    UnknownView {
        /// The name that was asked for.
        name: String,
        /// The nearest name that exists.
        nearest: Option<String>,
    },
    /// Columns that make no batch.
    #[error("the rows cannot be put together")]
    Rows(#[source] arrow::error::ArrowError),
    /// A row given in both of its forms.
    #[error("set either `features` or `typed_features`, and not both")]
    BothForms,
    /// An idempotency key that is no text.
    #[error("the idempotency key is no visible ASCII text")]
    BadKey(#[source] axum::http::header::ToStrError),
    /// An instant that cannot be read.
    #[error("`{field}` is no instant")]
    Instant {
        /// The field.
        field: &'static str,
        /// Why.
        source: fs_core::time::TimeError,
    },
    /// An instant that is not given.
    #[error("`{field}` is missing: write a date or a time such as 2013-03-31T23:00:00Z")]
    NoInstant {
        /// The field.
        field: &'static str,
    },
    /// A window without room.
    #[error("`start_ts` must be before `end_ts`")]
    EmptyWindow(#[source] fs_core::time::EmptyRange),
    /// A choice that is not offered.
    #[error("`version` is not offered: the newest definitions are materialized; leave it out")]
    Version,
    /// Views that are being materialized already.
    #[error(
        "these feature views are being materialized already: {}; wait until that is done",
        .views.iter().map(|view| format!("`{view}`")).collect::<Vec<_>>().join(", ")
    )]
    Busy {
        /// The views.
        views: Vec<ViewName>,
    },
    /// Rows could not be brought from the sources to the stores.
    #[error("the materialization failed")]
    Materialize(#[source] Box<fs_materialize::Error>),
    /// Nobody is there to run materializations.
    #[error("cannot start a thread for materializations")]
    NoThread(#[source] std::io::Error),
}

impl Coded for FeastError {
    fn code(&self) -> Code {
        match self {
            Self::Body(_)
            | Self::Value { .. }
            | Self::Ragged { .. }
            | Self::Repeated { .. }
            | Self::NoRows
            | Self::MissingKey { .. }
            | Self::MissingColumn { .. }
            | Self::UnknownPlace { .. }
            | Self::TwoTypes { .. }
            | Self::BothForms
            | Self::BadKey(_)
            | Self::Instant { .. }
            | Self::NoInstant { .. }
            | Self::EmptyWindow(_)
            | Self::Version => Code::InvalidArgument,
            Self::UnknownView { .. } => Code::NotFound,
            Self::Busy { .. } => Code::Conflict,
            Self::Materialize(error) => error.code(),
            Self::Rows(_) | Self::NoThread(_) => Code::Internal,
        }
    }
}
