//! What can go wrong in the offline store.

use datafusion::error::DataFusionError;
use deltalake::DeltaTableError;
use fs_core::suggest::hint;
use fs_core::{Code, Coded, DatasetName, EventTime, Fence, TimeRange, ViewName};

/// Why an operation on the offline store failed. Nothing was changed unless the text says so.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The view has no table yet.
    #[error("view `{view}` has no offline table yet: materialize it first")]
    NotMaterialized {
        /// The view.
        view: ViewName,
    },
    /// The definition and the table disagree about a column.
    #[error(
        "column `{column}` of view `{view}` is {stored} in the offline table but {defined} in the \
         definition: give the feature another name, or drop the table with `fs teardown --views \
         {view}` and materialize it again"
    )]
    Incompatible {
        /// The view.
        view: ViewName,
        /// The column.
        column: String,
        /// What the table has, in words.
        stored: String,
        /// What the definition has, in words.
        defined: String,
    },
    /// A table that was made by something else, with features of Delta that are not handled here.
    #[error(
        "the offline table of `{table}` uses {feature}, which this store does not read: rewrite the \
         table without it"
    )]
    Foreign {
        /// The view, or `_runs`.
        table: String,
        /// What it uses.
        feature: &'static str,
    },
    /// A row outside the window that is being replaced.
    #[error("view `{view}`: a row with event time {at} was offered for the window {window}")]
    OutsideWindow {
        /// The view.
        view: ViewName,
        /// The window.
        window: TimeRange,
        /// The event time of the row.
        at: EventTime,
    },
    /// Rows that do not fit the table.
    #[error("view `{view}`: the rows do not fit the offline table: {problem}")]
    Misfit {
        /// The view.
        view: ViewName,
        /// What does not fit.
        problem: String,
    },
    /// The stream of rows to write broke off.
    #[error("view `{view}`: the rows could not be read to their end")]
    Rows {
        /// The view.
        view: ViewName,
        /// What the stream said.
        source: Box<DataFusionError>,
    },
    /// Somebody else committed to the table meanwhile.
    #[error(
        "view `{view}`: another writer committed to the offline table while this one was writing: \
         run again"
    )]
    Conflict {
        /// The view.
        view: ViewName,
    },
    /// Somebody else has taken over the view.
    #[error(
        "view `{view}`: fence {shown} came too late, the offline table has seen {seen}: another \
         process materializes the view now, and this one has changed nothing"
    )]
    Fenced {
        /// The view.
        view: ViewName,
        /// The fence of this writer.
        shown: Fence,
        /// The fence of who took over.
        seen: Fence,
    },
    /// The log or the files of a stretch of versions are gone.
    #[error(
        "view `{view}`: what changed in version {version} of the offline table can no longer be \
         told ({reason})"
    )]
    LogGone {
        /// The view.
        view: ViewName,
        /// The first version that is missing.
        version: i64,
        /// What is missing.
        reason: &'static str,
    },
    /// A version that the table does not have.
    #[error("view `{view}` has no version {version} in the offline store; the newest is {newest}")]
    NoSuchVersion {
        /// The view.
        view: ViewName,
        /// The version that was asked for.
        version: i64,
        /// The newest version.
        newest: i64,
    },
    /// A version that the table had and that can no longer be read.
    #[error(
        "version {version} of the offline table of view `{view}` is gone: {reason}; a newer version \
         holds other rows, so restore the table from a backup, or go on without its exact rows"
    )]
    VersionGone {
        /// The view.
        view: ViewName,
        /// The version that was asked for.
        version: i64,
        /// What happened to it.
        reason: &'static str,
    },
    /// A version of a table that was dropped since.
    #[error(
        "version {version} of the offline table of view `{view}` is gone: the table was dropped and \
         made again since, with other rows"
    )]
    Remade {
        /// The view.
        view: ViewName,
        /// The version that was asked for.
        version: i64,
    },
    /// A run that is not recorded.
    #[error("there is no run `{id}`: list the runs to see their ids")]
    NoSuchRun {
        /// The id that was asked for.
        id: String,
    },
    /// A name that a dataset has already.
    #[error(
        "there is a dataset `{name}` already: save under another name, or drop it with `fs datasets \
         drop {name}`"
    )]
    DatasetExists {
        /// The name.
        name: DatasetName,
    },
    /// A dataset that was never saved, or was dropped.
    #[error("there is no dataset `{name}`{}", hint(.nearest.as_deref()))]
    NoSuchDataset {
        /// The name.
        name: DatasetName,
        /// The nearest name that exists.
        nearest: Option<String>,
    },
    /// The rows to save broke off.
    #[error("dataset `{name}` was not saved: its rows broke off")]
    DatasetRows {
        /// The name.
        name: DatasetName,
        /// What the stream said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A column of a type that Delta does not have.
    #[error("column `{column}` is {found}, which a Delta table cannot hold: convert it first")]
    Unstorable {
        /// The column.
        column: String,
        /// Its type.
        found: String,
    },
    /// A column that would hide the one that keeps the order of rows.
    #[error("the training set has a column `_row`, which a dataset keeps its order in: rename it")]
    RowColumn,
    /// Values that a Delta table has no room for.
    #[error("column {column} cannot be stored in a Delta table as it is: convert it first")]
    Unfit {
        /// The column.
        column: String,
        /// Why not.
        source: arrow::error::ArrowError,
    },
    /// Data could not be read back.
    #[error("could not read the offline table of `{table}`")]
    Read {
        /// The view, or `_runs`.
        table: String,
        /// What the reader said.
        source: Box<DataFusionError>,
    },
    /// Files that were put together would hold other rows than before, and were not committed.
    #[error(
        "the files of the offline table of `{table}` were not put together: of {before} rows {after} \
         came out; check the disk, and report it if that is sound"
    )]
    Miscounted {
        /// The view, or `_runs`.
        table: String,
        /// Rows before.
        before: u64,
        /// Rows afterwards.
        after: u64,
    },
    /// Delta Lake or the storage below it failed.
    #[error("could not {operation} the offline table `{table}`")]
    Delta {
        /// What was being done.
        operation: &'static str,
        /// Where the table lives.
        table: String,
        /// What Delta Lake said.
        source: Box<DeltaTableError>,
    },
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::NotMaterialized { .. } | Self::Incompatible { .. } | Self::Foreign { .. } => {
                Code::FailedPrecondition
            }
            Self::DatasetExists { .. } => Code::FailedPrecondition,
            Self::OutsideWindow { .. }
            | Self::Misfit { .. }
            | Self::Rows { .. }
            | Self::Unstorable { .. }
            | Self::RowColumn
            | Self::Unfit { .. } => Code::InvalidArgument,
            Self::Conflict { .. } | Self::Fenced { .. } => Code::Conflict,
            Self::LogGone { .. }
            | Self::NoSuchVersion { .. }
            | Self::VersionGone { .. }
            | Self::Remade { .. }
            | Self::NoSuchRun { .. }
            | Self::NoSuchDataset { .. } => Code::NotFound,
            Self::DatasetRows { .. } | Self::Read { .. } | Self::Miscounted { .. } => {
                Code::Internal
            }
            Self::Delta { source, .. } => match source.as_ref() {
                DeltaTableError::ObjectStore { .. } | DeltaTableError::Io { .. } => {
                    Code::Unavailable
                }
                _ => Code::Internal,
            },
        }
    }
}
