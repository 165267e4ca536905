//! What can go wrong in a materialization.

use fs_core::suggest::hint;
use fs_core::{Code, Coded, EventTime, ViewName};

use crate::RunSummary;

/// Why a materialization failed. The stores hold what they held, or what a run made of it before.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such view.
    #[error("there is no feature view `{view}`{}", hint(.nearest.as_deref()))]
    UnknownView {
        /// The name that was asked for.
        view: ViewName,
        /// The nearest name that exists.
        nearest: Option<String>,
    },
    /// An incremental run up to an instant that has not come yet.
    #[error(
        "the end {end} lies in the future, it is {now}: rows that arrive before it would be skipped \
         by later runs; leave the end out to run up to now"
    )]
    EndInFuture {
        /// The end that was asked for.
        end: EventTime,
        /// Now.
        now: EventTime,
    },
    /// The source could not be read.
    #[error("view `{view}` could not be read from its source")]
    Source {
        /// The view.
        view: ViewName,
        /// Why.
        source: Box<fs_engine::Error>,
    },
    /// The offline store failed, or refused the rows.
    #[error("view `{view}` could not be brought up to date in the offline store")]
    Offline {
        /// The view.
        view: ViewName,
        /// Why.
        source: Box<fs_offline::Error>,
    },
    /// The online store failed.
    #[error("view `{view}` could not be published to {store}; the offline store has its rows")]
    Online {
        /// The view.
        view: ViewName,
        /// Which online store.
        store: String,
        /// Why.
        source: Box<fs_online::Error>,
    },
    /// Rows of the offline table that make no sense.
    #[error("view `{view}`: the rows of the offline table cannot be ranked")]
    Rank {
        /// The view.
        view: ViewName,
        /// Why.
        source: fs_pit::Error,
    },
    /// Others published the same view again and again while this run did.
    #[error("view `{view}` is being published by somebody else: run again when they are done")]
    Contended {
        /// The view.
        view: ViewName,
    },
    /// Some views failed; the others are up to date.
    #[error(
        "{} of {} views failed: {}",
        failed.len(),
        runs.len(),
        failed.iter().map(|view| format!("`{view}`")).collect::<Vec<_>>().join(", ")
    )]
    Failed {
        /// What became of every view, in order.
        runs: Vec<RunSummary>,
        /// Those that failed, in order.
        failed: Vec<ViewName>,
        /// Why the first of them failed.
        source: Box<Error>,
    },
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::UnknownView { .. } => Code::NotFound,
            Self::EndInFuture { .. } => Code::InvalidArgument,
            Self::Source { source, .. } => source.code(),
            Self::Offline { source, .. } => match source.as_ref() {
                // The rows broke off: what the engine says about them decides.
                fs_offline::Error::Rows { source: cause, .. } => {
                    fs_engine::Error::from_datafusion(cause)
                        .map_or_else(|| source.code(), Coded::code)
                }
                _ => source.code(),
            },
            Self::Online { source, .. } => source.code(),
            Self::Rank { .. } => Code::Internal,
            Self::Contended { .. } => Code::Conflict,
            Self::Failed { source, .. } => source.code(),
        }
    }
}
