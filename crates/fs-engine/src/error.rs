//! What goes wrong while sources are read.

use std::error::Error as StdError;

use datafusion::error::DataFusionError;
use fs_core::{Code, Coded, SourceName, ViewName};

use crate::{Report, SourceProblem};

/// An error of anybody.
pub(crate) type BoxError = Box<dyn StdError + Send + Sync>;

/// What goes wrong while sources are read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A path at which there is nothing to read.
    #[error(
        "source `{source_name}`: nothing matches path `{path}`, looked for at {resolved}; {hint}"
    )]
    NoFiles {
        /// The source.
        source_name: SourceName,
        /// The path as it was written.
        path: String,
        /// Where it was looked for.
        resolved: String,
        /// What to do.
        hint: String,
    },
    /// A file that is not what its format says.
    #[error("cannot read {file} as {format}; it is damaged, cut short or of another format")]
    Unreadable {
        /// The file.
        file: String,
        /// The format that was expected.
        format: &'static str,
        /// Why.
        #[source]
        cause: BoxError,
    },
    /// A path that names no place.
    #[error("source `{source_name}`: path `{path}` cannot be used")]
    BadPath {
        /// The source.
        source_name: SourceName,
        /// The path as it was written.
        path: String,
        /// Why.
        #[source]
        cause: BoxError,
    },
    /// A store that did not answer.
    #[error("cannot reach {location}")]
    Unreachable {
        /// What was being read.
        location: String,
        /// Why.
        #[source]
        cause: BoxError,
    },
    /// Files of one source that have a column with types that do not go together.
    #[error(
        "source `{source_name}`: column `{column}` is {first} in some files and {second} in {file}; \
         write it with one type, or split the source"
    )]
    MixedTypes {
        /// The source.
        source_name: SourceName,
        /// The column.
        column: String,
        /// Its type so far.
        first: String,
        /// Its type in `file`.
        second: String,
        /// The file that differs.
        file: String,
    },
    /// The definitions do not fit the sources.
    #[error("{}", problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Mismatch {
        /// Everything that does not fit; at least one.
        problems: Vec<SourceProblem>,
    },
    /// A value that is not of the declared type.
    #[error("{0}")]
    BadValue(Box<BadValue>),
    /// Rows without a join key or an event time.
    #[error("{0}")]
    BadRows(Box<BadRows>),
    /// A source that was replaced while it was read: what was read may be a mixture.
    #[error(
        "source `{source_name}` changed while it was read: {what} is not what it was; read it again"
    )]
    SourceChanged {
        /// The source.
        source_name: SourceName,
        /// The file or the table.
        what: String,
    },
    /// Rows that are not what the view expects.
    #[error("{0}")]
    Expectations(Box<Report>),
    /// A filter of an aggregation that is no condition over one event.
    #[error("view `{of}`: filter `{filter}`: {problem}")]
    BadFilter {
        /// The view.
        of: String,
        /// The filter.
        filter: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A filter of an aggregation that could not be computed for some event.
    #[error(
        "view `{of}`: filter `{filter}` cannot be computed for all events; write it so that it can, \
         with CASE or NULLIF where a part of it has no value"
    )]
    FailedFilter {
        /// The view.
        of: String,
        /// The filter.
        filter: String,
        /// Why.
        #[source]
        cause: DataFusionError,
    },
    /// Events that the aggregations of a view cannot take.
    #[error("the windows of view `{of}` have no answer")]
    Windows {
        /// The view.
        of: String,
        /// Why.
        #[source]
        cause: fs_pit::Error,
    },
    /// A name that no source has.
    #[error("there is no source `{source_name}`{hint}")]
    UnknownSource {
        /// The name.
        source_name: SourceName,
        /// The nearest one, or nothing.
        hint: String,
    },
    /// A sql source that selects from itself.
    #[error("source `{source_name}` selects from itself, by way of other sql sources")]
    Cycle {
        /// The source.
        source_name: SourceName,
    },
    /// SQL that says nothing that can be answered.
    #[error("{}: {problem}", place(*.position))]
    BadSql {
        /// The line and the column, counted from 1, where they are known.
        position: Option<(u64, u64)>,
        /// What is wrong.
        problem: String,
    },
    /// SQL that failed while it ran.
    #[error("reading the rows of {origin} failed")]
    Query {
        /// The source, view or file.
        origin: String,
        /// Why.
        #[source]
        cause: DataFusionError,
    },
    /// More memory needed than allowed, after spilling all that can be spilled.
    #[error(
        "reading the rows of {origin} needs more memory than the engine's memory_limit; raise it"
    )]
    OutOfMemory {
        /// The source, view or file.
        origin: String,
        /// Why.
        #[source]
        cause: DataFusionError,
    },
    /// The session could not be made.
    #[error("cannot start the query engine")]
    Start(#[source] DataFusionError),
}

/// A place in the SQL.
fn place(position: Option<(u64, u64)>) -> String {
    match position {
        Some((line, column)) => format!("line {line}, column {column} of the SQL"),
        None => "the SQL".to_owned(),
    }
}

/// A value that is not of the declared type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{origin}: column `{column}` holds `{value}` in row {row}, which is not a value of type \
     {expected}; fix it there, or leave such rows out"
)]
pub struct BadValue {
    /// The view and its source, or the file.
    pub origin: String,
    /// The column.
    pub column: String,
    /// The value, as text.
    pub value: String,
    /// Counted from 1 among the rows that were read.
    pub row: u64,
    /// The type that it should have.
    pub expected: String,
}

/// Rows without a join key or an event time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "view `{view}`: {count} row(s) of source `{source_name}` have no join key or no event time; the \
     first is row {row}, where `{column}` is null: {first}. Fix the source, or leave such rows out \
     with a `query:`"
)]
pub struct BadRows {
    /// The view.
    pub view: ViewName,
    /// Its source.
    pub source_name: SourceName,
    /// The column that is null in the first of them.
    pub column: String,
    /// How many there are.
    pub count: u64,
    /// The number of the first, counted from 1 among the rows that were read.
    pub row: u64,
    /// The keys and times of the first.
    pub first: String,
}

impl Error {
    /// What a failed query means: the error of ours behind it, or how it failed.
    pub fn of_query(origin: String, cause: DataFusionError) -> Self {
        match into_ours(cause) {
            Ok(ours) => ours,
            Err(cause) => Self::of_foreign(origin, cause),
        }
    }

    fn of_foreign(origin: String, cause: DataFusionError) -> Self {
        match cause.find_root() {
            DataFusionError::ResourcesExhausted(_) => Self::OutOfMemory { origin, cause },
            DataFusionError::ObjectStore(_) => Self::Unreachable {
                location: origin,
                cause: Box::new(cause),
            },
            _ => Self::Query { origin, cause },
        }
    }

    /// The error behind what a stream of this crate yields, if it is one of ours.
    pub fn from_datafusion(error: &DataFusionError) -> Option<&Self> {
        let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(error) = cause {
            if let Some(ours) = error.downcast_ref::<Self>() {
                return Some(ours);
            }
            cause = error.source();
        }
        None
    }
}

/// The error of ours that a query carried to us, or the foreign one.
fn into_ours(error: DataFusionError) -> Result<Error, DataFusionError> {
    match error {
        DataFusionError::External(inner) => inner
            .downcast::<Error>()
            .map(|ours| *ours)
            .map_err(DataFusionError::External),
        DataFusionError::Context(message, inner) => {
            into_ours(*inner).map_err(|inner| DataFusionError::Context(message, Box::new(inner)))
        }
        DataFusionError::Diagnostic(note, inner) => {
            into_ours(*inner).map_err(|inner| DataFusionError::Diagnostic(note, Box::new(inner)))
        }
        other => Err(other),
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::NoFiles { .. } | Self::UnknownSource { .. } => Code::NotFound,
            Self::Unreachable { .. } | Self::SourceChanged { .. } => Code::Unavailable,
            Self::OutOfMemory { .. } => Code::ResourceExhausted,
            Self::Start(_) => Code::Internal,
            Self::Windows { cause, .. } => cause.code(),
            Self::Mismatch { problems } => problems
                .first()
                .map_or(Code::InvalidArgument, |problem| problem.code),
            _ => Code::InvalidArgument,
        }
    }
}
