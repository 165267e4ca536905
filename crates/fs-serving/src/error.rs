//! What can be wrong with an online request, or with what it meets in the store.

use fs_core::suggest::hint;
use fs_core::{Code, Coded, KeyType, SchemaError, SelectionError, ViewName};
use fs_online::ViewId;

/// Why feature vectors could not be given.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The features could not be resolved.
    #[error(transparent)]
    Selection(Box<SelectionError>),
    /// A view that is not published.
    #[error(
        "feature view `{view}` is not online: set `online: true`, apply and materialize it, or ask \
         for a training set instead"
    )]
    NotOnline {
        /// The view.
        view: ViewName,
    },
    /// A key column that the features need and the request lacks.
    #[error(
        "entity column `{column}` is missing: view `{view}` is looked up by it; give one {key_type} \
         per row"
    )]
    MissingColumn {
        /// The column.
        column: String,
        /// Its type.
        key_type: KeyType,
        /// A view that is looked up by it.
        view: ViewName,
    },
    /// A column that no feature is looked up by.
    #[error(
        "there is no entity column `{column}` in this request{}; its features are looked up by {}",
        hint(.nearest.as_deref()),
        list(.expected)
    )]
    UnknownColumn {
        /// The column.
        column: String,
        /// The nearest column that is looked up by.
        nearest: Option<String>,
        /// All columns that are looked up by.
        expected: Vec<String>,
    },
    /// Two columns of one name.
    #[error("entity column `{column}` is given twice")]
    RepeatedColumn {
        /// The column.
        column: String,
    },
    /// A column of another type than its join key has.
    #[error("entity column `{column}` must be of type {expected}, and is {found}")]
    WrongType {
        /// The column.
        column: String,
        /// The type of the join key.
        expected: KeyType,
        /// The Arrow type that came.
        found: String,
    },
    /// Columns of different lengths.
    #[error(
        "entity column `{column}` has {rows} rows, but `{first}` has {first_rows}: every entity \
         column needs one value per row"
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
    /// The store did not answer, or not well.
    #[error("cannot read from the online store")]
    Store(#[source] fs_online::Error),
    /// A view whose aggregations do not fit its columns.
    #[error("the aggregations of view `{view}` cannot be computed; apply its definition again")]
    Windows {
        /// The view.
        view: ViewName,
        /// What does not fit.
        source: SchemaError,
    },
    /// What is stored for a key of a windowed view has no answer.
    #[error("cannot compute the windows of view {view}")]
    State {
        /// The view.
        view: ViewId,
        /// Why not.
        source: Box<fs_pit::Error>,
    },
    /// A stored row cannot be read.
    #[error("cannot read a row of view {view}")]
    Row {
        /// The view.
        view: ViewId,
        /// What is wrong with it.
        source: Box<fs_online::Error>,
    },
    /// The store answered with another number of rows than it was asked for.
    #[error("the online store {store} gave {found} rows of view {view}, not {expected}")]
    RowCount {
        /// Which store.
        store: String,
        /// Which view.
        view: ViewId,
        /// The number of keys.
        expected: usize,
        /// The number of rows.
        found: usize,
    },
    /// The task that decodes a large answer was cancelled.
    #[error("the answer could not be assembled")]
    Cancelled(#[source] tokio::task::JoinError),
}

impl From<SelectionError> for Error {
    fn from(error: SelectionError) -> Self {
        Self::Selection(Box::new(error))
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Selection(error) => error.code(),
            Self::NotOnline { .. } => Code::FailedPrecondition,
            Self::MissingColumn { .. }
            | Self::UnknownColumn { .. }
            | Self::RepeatedColumn { .. }
            | Self::WrongType { .. }
            | Self::Ragged { .. } => Code::InvalidArgument,
            Self::Store(error) => error.code(),
            Self::Row { source, .. } => source.code(),
            Self::State { source, .. } => source.code(),
            Self::Windows { .. } | Self::RowCount { .. } | Self::Cancelled(_) => Code::Internal,
        }
    }
}

fn list(columns: &[String]) -> String {
    if columns.is_empty() {
        return "no entity".to_owned();
    }
    let quoted: Vec<String> = columns.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
