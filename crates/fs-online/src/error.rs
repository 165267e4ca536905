//! What can go wrong online.

use std::error::Error as StdError;
use std::time::Duration;

use fs_core::{Code, Coded, DataType, Fence};

use crate::ViewId;

/// The cause that a foreign crate gave.
pub type Cause = Box<dyn StdError + Send + Sync>;

/// Why an online store, or the bytes in it, could not be used.
///
/// `store` is what [`OnlineStore::describe`](crate::OnlineStore::describe) says.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing answers; trying again may help.
    #[error("the online store {store} is not available")]
    Unavailable {
        /// Which store.
        store: String,
        /// What the client of the store says.
        source: Cause,
    },
    /// No answer in the time allowed.
    #[error("the online store {store} did not {operation} within {} ms", after.as_millis())]
    Timeout {
        /// Which store.
        store: String,
        /// What it was asked to do, as a verb: `read`, `write`.
        operation: &'static str,
        /// The time allowed.
        after: Duration,
    },
    /// The store answered, and the answer was a refusal.
    #[error("the online store {store} could not {operation}")]
    Failed {
        /// Which store.
        store: String,
        /// What it was asked to do, as a verb: `read`, `write`.
        operation: &'static str,
        /// What the store says.
        source: Cause,
    },
    /// The store has no room left.
    #[error("the online store {store} is full: {hint}")]
    Full {
        /// Which store.
        store: String,
        /// What to do about it.
        hint: String,
    },
    /// Somebody with a greater fence has taken over the view.
    #[error(
        "another run has taken over view {view}: its fence is {seen}, and this one shows {shown}; what \
         it does stands, and this one is to stop"
    )]
    Fenced {
        /// The view.
        view: ViewId,
        /// The fence that was shown.
        shown: Fence,
        /// The greatest that the store has seen.
        seen: Fence,
    },
    /// The store's address or folder cannot be used as it is.
    #[error("cannot open the online store {store}: {hint}")]
    CannotOpen {
        /// Which store.
        store: String,
        /// What to do about it.
        hint: &'static str,
        /// What the system says.
        source: Cause,
    },
    /// A later release wrote the store.
    #[error(
        "the online store {store} has format {found}, written by a newer release of fs; this one \
         reads up to format {known}: upgrade, or publish to another place"
    )]
    NewerFormat {
        /// Which store.
        store: String,
        /// The format that was found.
        found: u32,
        /// The newest format that this release reads.
        known: u32,
    },
    /// What the store remembers about a view cannot be read.
    #[error(
        "the online store {store} is damaged: its {what} of view {view} cannot be read; drop the \
         view and publish it again"
    )]
    CorruptState {
        /// Which store.
        store: String,
        /// Of which view.
        view: ViewId,
        /// `layout` or `published state`.
        what: &'static str,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// Bytes that are no row.
    #[error("a stored row is damaged: {problem}; publish the view again")]
    CorruptRow {
        /// What is wrong with it.
        problem: RowProblem,
    },
    /// Bytes that are no key.
    #[error("a stored key is damaged: {problem}; publish the view again")]
    CorruptKey {
        /// What is wrong with it.
        problem: KeyProblem,
    },
    /// A row of a layout that is not among the known ones: read the layouts of the view again.
    #[error("a stored row has layout {layout:08x}, which its view does not list")]
    UnknownLayout {
        /// The layout of the row.
        layout: u32,
    },
    /// Two layouts of one view with the same id.
    #[error(
        "layout {layout:08x} of view {view} is taken by other features: drop the view and publish \
         it again"
    )]
    LayoutClash {
        /// The view.
        view: ViewId,
        /// The id that both have.
        layout: u32,
    },
    /// A column that is not of the declared type.
    #[error("column `{column}` must be of type {expected}, and is {found}")]
    ColumnType {
        /// The feature, or the position of the key.
        column: String,
        /// The declared type.
        expected: DataType,
        /// The Arrow type that came.
        found: String,
    },
    /// Too few or too many columns, or rows.
    #[error("expected {expected} {what}, got {found}")]
    Count {
        /// `columns` or `rows`, and of what.
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there were.
        found: usize,
    },
    /// A row whose strings, bytes and arrays take more than 4 GiB.
    #[error("row {row} is larger than 4 GiB and cannot be stored online")]
    RowTooLarge {
        /// The row, counted from 0.
        row: usize,
    },
}

/// What is wrong with the bytes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// It ends before its header, or a value, does.
    #[error("it is {length} bytes long and needs {needed}")]
    TooShort {
        /// Its length.
        length: usize,
        /// What its header calls for.
        needed: usize,
    },
    /// Its first byte is no format of this release.
    #[error(
        "its format is {format}, and this release knows {}",
        crate::row::FORMAT
    )]
    UnknownFormat {
        /// The first byte.
        format: u8,
    },
    /// Its parts do not add up to its length.
    #[error("feature {feature} of its layout does not fit its bounds")]
    BadBounds {
        /// The feature, by position in the layout.
        feature: usize,
    },
    /// Bytes after its end.
    #[error("{extra} bytes follow its end")]
    TrailingBytes {
        /// How many.
        extra: usize,
    },
    /// A string that is not UTF-8.
    #[error("feature {feature} of its layout is a string that is not UTF-8")]
    NotUtf8 {
        /// The feature, by position in the layout.
        feature: usize,
    },
    /// A bool that is neither 0 nor 1.
    #[error("feature {feature} of its layout is a bool that is neither 0 nor 1")]
    NotBool {
        /// The feature, by position in the layout.
        feature: usize,
    },
}

/// What is wrong with the bytes of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// Its first byte is no format of this release.
    #[error(
        "its format is {format:?}, and this release knows {}",
        crate::key::FORMAT
    )]
    UnknownFormat {
        /// The first byte, if it has one.
        format: Option<u8>,
    },
    /// A part is missing, cut off, or not of its type.
    #[error("part {part} is not a {expected}")]
    BadPart {
        /// The part, counted from 0.
        part: usize,
        /// Its type.
        expected: fs_core::KeyType,
    },
    /// Bytes after the last part.
    #[error("{extra} bytes follow its last part")]
    TrailingBytes {
        /// How many.
        extra: usize,
    },
}

impl From<RowProblem> for Error {
    fn from(problem: RowProblem) -> Self {
        Self::CorruptRow { problem }
    }
}

impl From<KeyProblem> for Error {
    fn from(problem: KeyProblem) -> Self {
        Self::CorruptKey { problem }
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::Unavailable { .. } => Code::Unavailable,
            Self::Timeout { .. } => Code::DeadlineExceeded,
            Self::Full { .. } => Code::ResourceExhausted,
            Self::Fenced { .. } => Code::Conflict,
            Self::CannotOpen { .. } | Self::NewerFormat { .. } | Self::LayoutClash { .. } => {
                Code::FailedPrecondition
            }
            Self::ColumnType { .. } | Self::Count { .. } | Self::RowTooLarge { .. } => {
                Code::InvalidArgument
            }
            Self::Failed { .. }
            | Self::CorruptState { .. }
            | Self::CorruptRow { .. }
            | Self::CorruptKey { .. }
            | Self::UnknownLayout { .. } => Code::Internal,
        }
    }
}
