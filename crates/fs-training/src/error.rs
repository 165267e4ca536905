//! Why there is no training set.

mod code;
mod of_query;

use std::path::PathBuf;

use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use fs_core::suggest::hint;
use fs_core::time::TimeError;
use fs_core::{FeatureRef, KeyType, ProjectName, SelectionError, ViewName};
use parquet::errors::ParquetError;

pub use of_query::Carried;

/// Why a spine was refused, or its features could not be found.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The features asked for do not resolve.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// A file with a name that says nothing about its contents.
    #[error("`{}` is neither Parquet nor CSV: name it *.parquet or *.csv", .path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// A file that cannot be opened, written or moved into place.
    #[error("cannot {operation} `{}`", .path.display())]
    File {
        /// What was being done.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file that is not the Parquet that its name promises.
    #[error("`{}` is not a readable Parquet file", .path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        source: ParquetError,
    },
    /// A file that is not the CSV that its name promises.
    #[error("`{}` is not a readable CSV file", .path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        source: ArrowError,
    },
    /// The connection to the server that makes the training set broke off.
    #[error("the training set did not arrive")]
    Received(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A training set that could not be encoded.
    #[error("cannot write `{}`", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the writer says.
        source: ArrowError,
    },
    /// A column that CSV cannot hold.
    #[error("column `{column}` is {found}, which CSV cannot hold: write *.parquet")]
    NotCsv {
        /// The column.
        column: String,
        /// Its type.
        found: DataType,
    },
    /// A batch with other columns than the first.
    #[error("batch {batch} of the spine has the columns {found} instead of {expected}")]
    OtherColumns {
        /// The batch, counted from 0.
        batch: usize,
        /// The columns of the spine.
        expected: String,
        /// The columns of the batch.
        found: String,
    },
    /// Two columns of one name.
    #[error("the spine has two columns called `{column}`: rename one of them")]
    RepeatedColumn {
        /// The column.
        column: String,
    },
    /// A key column that the spine does not have.
    #[error(
        "the spine has no column `{column}`, a key of view `{view}`; its columns are {columns}{}",
        hint(.nearest.as_deref())
    )]
    MissingKey {
        /// The column.
        column: String,
        /// A view that needs it.
        view: ViewName,
        /// The nearest column.
        nearest: Option<String>,
        /// What the spine has.
        columns: String,
    },
    /// A key column of a type that cannot be the key's.
    #[error(
        "the key column `{column}` of the spine is {found}, but view `{view}` needs {expected}"
    )]
    KeyType {
        /// The column.
        column: String,
        /// A view that needs it.
        view: ViewName,
        /// The type of the join key.
        expected: KeyType,
        /// The type that the spine has.
        found: DataType,
    },
    /// A key value that the key's type cannot hold.
    #[error(
        "row {} of the spine has `{value}` in the key column `{column}`, which is not a value of \
         type {expected}",
        row + 1
    )]
    KeyValue {
        /// The column.
        column: String,
        /// The row, counted from 0; the message counts from 1.
        row: usize,
        /// What it holds.
        value: String,
        /// The type of the join key.
        expected: KeyType,
    },
    /// A timestamp column that was named and is not there.
    #[error(
        "the spine has no timestamp column `{column}`; its columns are {columns}{}",
        hint(.nearest.as_deref())
    )]
    UnknownTimestamp {
        /// The name that was asked for.
        column: String,
        /// The nearest column.
        nearest: Option<String>,
        /// What the spine has.
        columns: String,
    },
    /// No column, or several, could hold the event time.
    #[error(
        "cannot tell which column of the spine holds the event time: {found} timestamp columns \
         among {columns}; call it `event_timestamp`, or name it as the timestamp field"
    )]
    WhichTimestamp {
        /// How many timestamp columns there are.
        found: usize,
        /// What the spine has.
        columns: String,
    },
    /// A timestamp column that holds something else.
    #[error("the timestamp column `{column}` of the spine is {found}, which holds no timestamps")]
    NotATimestamp {
        /// The column.
        column: String,
        /// Its type.
        found: DataType,
    },
    /// A row without a time.
    #[error("row {} of the spine has no time in `{column}`: every row needs one", row + 1)]
    NullTime {
        /// The column.
        column: String,
        /// The row, counted from 0; the message counts from 1.
        row: usize,
    },
    /// A text that is no timestamp.
    #[error("row {} of the spine has no timestamp in `{column}`", row + 1)]
    BadTime {
        /// The column.
        column: String,
        /// The row, counted from 0; the message counts from 1.
        row: usize,
        /// What is wrong with it.
        source: TimeError,
    },
    /// An instant that 64 bits of microseconds cannot hold.
    #[error("row {} of the spine has a time in `{column}` beyond the range of timestamps", row + 1)]
    TimeOutOfRange {
        /// The column.
        column: String,
        /// The row, counted from 0; the message counts from 1.
        row: usize,
    },
    /// A feature that would hide a column of the spine.
    #[error(
        "feature `{feature}` and a column of the spine would both be called `{column}`: ask for \
         full feature names, or rename the column"
    )]
    NameClash {
        /// The feature.
        feature: FeatureRef,
        /// The column.
        column: String,
    },
    /// Views that have different keys, and no spine.
    #[error(
        "view `{first}` is looked up by {first_keys}, and view `{second}` by {second_keys}: there is \
         no spine of every key for both, give one"
    )]
    DifferentKeys {
        /// A view.
        first: ViewName,
        /// Its key columns.
        first_keys: String,
        /// Another view.
        second: ViewName,
        /// Its key columns.
        second_keys: String,
    },
    /// A view without an offline table.
    #[error(
        "view `{view}` has never been materialized: run `fs materialize START END --views {view}` \
         first"
    )]
    NotMaterialized {
        /// The view.
        view: ViewName,
    },
    /// A training set that could not be kept under its name.
    #[error("the training set was not saved")]
    Dataset(#[source] Box<fs_offline::Error>),
    /// A file without a record of how it was made.
    #[error(
        "`{}` carries no record of the versions it was made of: give a training set that `fs \
         get-historical-features` wrote as Parquet, or the record itself as JSON",
        .path.display()
    )]
    NoRecord {
        /// The file.
        path: PathBuf,
    },
    /// A record that cannot be read.
    #[error("the record of {place} cannot be read")]
    BadRecord {
        /// What carries it.
        place: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A record of a newer `fs`.
    #[error(
        "the record of {place} is written in format {format}, and this fs reads formats up to \
         {newest}: upgrade fs"
    )]
    NewerRecord {
        /// What carries it.
        place: String,
        /// The format that it is written in.
        format: u64,
        /// The newest format that this build reads.
        newest: u64,
    },
    /// A record without the rows.
    #[error(
        "`{}` is a record without rows: give the rows with `--spine FILE`, or the Parquet file of \
         the training set instead of its record",
        .path.display()
    )]
    NoRows {
        /// The file.
        path: PathBuf,
    },
    /// A training set that lost columns of its spine.
    #[error(
        "`{}` does not have all columns of its spine any more ({columns}): give the rows with \
         `--spine FILE`",
        .path.display()
    )]
    SpineGone {
        /// The file.
        path: PathBuf,
        /// The columns of the spine.
        columns: String,
    },
    /// A record of another project.
    #[error(
        "the record is of project `{recorded}`, and this is project `{project}`: go to the repo \
         that made the training set"
    )]
    OtherProject {
        /// The project of the record.
        recorded: ProjectName,
        /// The project that is asked.
        project: ProjectName,
    },
    /// A view whose table has no version among those that were asked for.
    #[error(
        "no version of the table of view `{view}` is recorded: ask for features of the views that \
         the record has, or leave the recorded versions out to read the newest"
    )]
    NotPinned {
        /// The view.
        view: ViewName,
    },
    /// The offline table of a view could not be read.
    #[error("cannot read the history of view `{view}`")]
    History {
        /// The view.
        view: ViewName,
        /// What the offline store says.
        source: Box<fs_offline::Error>,
    },
    /// The rows of a view could not be joined.
    #[error("cannot join the history of view `{view}`")]
    Join {
        /// The view.
        view: ViewName,
        /// What the kernel says.
        source: fs_pit::Error,
    },
    /// A column of the offline table is missing.
    #[error("the offline table of view `{view}` has no usable column `{column}`")]
    BadHistory {
        /// The view.
        view: ViewName,
        /// The column.
        column: String,
    },
    /// An offline table could not be read.
    #[error(transparent)]
    Offline(Box<fs_offline::Error>),
    /// The query engine failed, or a source that it read.
    #[error(transparent)]
    Engine(Box<fs_engine::Error>),
    /// An error that several branches of a plan met.
    #[error(transparent)]
    Carried(Carried),
    /// Arrow could not put columns together.
    #[error("cannot assemble the training set")]
    Assemble(#[from] ArrowError),
    /// The threads that do the work could not be started.
    #[error("cannot start the worker threads")]
    Workers(#[source] std::io::Error),
    /// The work stopped before its end.
    #[error("the training set broke off before its end")]
    Interrupted,
}

impl Error {
    /// What the offline store says about the history of `view`.
    pub(crate) fn history(view: &ViewName, source: fs_offline::Error) -> Self {
        match source {
            fs_offline::Error::NotMaterialized { view } => Self::NotMaterialized { view },
            source => Self::History {
                view: view.clone(),
                source: Box::new(source),
            },
        }
    }
}
