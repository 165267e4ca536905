//! What can go wrong in a materialization.

use std::sync::Arc;

use fs_core::suggest::hint;
use fs_core::{
    Code, Coded, EventTime, FeatureName, FeatureView, Fence, SchemaError, SourceName, ViewName,
};
use fs_engine::Report;
use fs_registry::Stopped;

use crate::RunSummary;
use crate::push::{MAX_KEY_BYTES, PushProblems};

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
    /// No view of the run has such a feature.
    #[error("none of these feature views has a feature `{feature}`{}", hint(.nearest.as_deref()))]
    UnknownFeature {
        /// The name that was asked for.
        feature: FeatureName,
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
    /// Somebody else materializes the view, or the registry could not be asked.
    #[error("view `{view}` was not materialized; nothing was changed")]
    Lease {
        /// The view.
        view: ViewName,
        /// Why.
        source: Box<fs_registry::Error>,
    },
    /// The run was broken off; what it had committed stays.
    #[error("the run of view `{view}` was stopped: {}", because(*.why))]
    Stopped {
        /// The view.
        view: ViewName,
        /// Why.
        why: Stopped,
    },
    /// Rows that are not what the view expects.
    #[error("{report}")]
    Unexpected {
        /// What was found.
        report: Box<Report>,
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
    /// Aggregations that do not fit the columns that they read: the definitions were not checked.
    #[error("the aggregations of view `{view}` cannot be computed: apply its definition again")]
    Windows {
        /// The view.
        view: ViewName,
        /// Why.
        source: SchemaError,
    },
    /// The filter of an aggregation failed for some event.
    #[error("the filters of view `{view}` cannot be evaluated for some of its events")]
    Filter {
        /// The view.
        view: ViewName,
        /// Why.
        source: Box<fs_engine::Error>,
    },
    /// What is stored online of a windowed view, or what is to be, makes no sense.
    #[error("what windows of view `{view}` are computed from cannot be brought up to date")]
    State {
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
    /// A push to something that does not exist.
    #[error("there is no feature view or source `{name}`{}", hint(.nearest.as_deref()))]
    UnknownTarget {
        /// The name that was given.
        name: String,
        /// The nearest name that exists.
        nearest: Option<String>,
    },
    /// A push to a source none of whose views takes rows.
    #[error(
        "no feature view takes rows that are pushed to source `{source_name}`{}",
        computed(left_out)
    )]
    NoViewOfSource {
        /// The source.
        source_name: SourceName,
        /// Its views, all of which are computed by a query.
        left_out: Vec<ViewName>,
    },
    /// A push to the online store for a view that has no part in it.
    #[error(
        "view `{view}` is not online: push to the offline store, or set `online: true` and apply"
    )]
    NotOnline {
        /// The view.
        view: ViewName,
    },
    /// Pushed rows that do not fit their view; nothing was written.
    #[error("the rows pushed to view `{view}` do not fit it: {problems}; nothing was written")]
    BadPush {
        /// The view.
        view: ViewName,
        /// All that is wrong with them.
        problems: PushProblems,
    },
    /// An idempotency key that is empty or too long.
    #[error("an idempotency key has 1 to {MAX_KEY_BYTES} bytes, and this one has {bytes}")]
    BadPushKey {
        /// How long it is.
        bytes: usize,
    },
    /// A row pushed online only that may not be seen yet.
    #[error(
        "row {row} pushed to view `{view}` may be seen from {from} on and not before, and nothing would \
         publish it then: push it to both stores, or later; nothing was written"
    )]
    NotVisibleYet {
        /// The view.
        view: ViewName,
        /// The row, counted from 0.
        row: usize,
        /// When it may be seen.
        from: EventTime,
    },
    /// The offline store failed while it took pushed rows.
    #[error("the rows pushed to view `{view}` could not be added to its offline table")]
    Append {
        /// The view.
        view: ViewName,
        /// Why; pushes that were committed together share it.
        source: Arc<fs_offline::Error>,
    },
    /// The online store failed while it took rows that go nowhere else.
    #[error("the rows pushed to view `{view}` could not be written to {store}: push them again")]
    NotStored {
        /// The view.
        view: ViewName,
        /// Which online store.
        store: String,
        /// Why.
        source: Box<fs_online::Error>,
    },
    /// Others keep changing what is stored for the keys of pushed rows.
    #[error(
        "the events pushed to view `{view}` could not be added online, because others keep adding to the \
         same keys: push them again, with the same key if they had one"
    )]
    Busy {
        /// The view.
        view: ViewName,
    },
    /// The process is going away.
    #[error("the push was broken off because the process is going away: push again")]
    PushStopped {
        /// What the runtime says.
        source: tokio::task::JoinError,
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

fn computed(views: &[ViewName]) -> String {
    let views: Vec<String> = views.iter().map(|view| format!("`{view}`")).collect();
    match views.as_slice() {
        [] => ": it has none".to_owned(),
        _ => format!(
            ": what comes of a row is for their queries to say ({}); push rows with their columns to \
             the views themselves",
            views.join(", ")
        ),
    }
}

const fn because(why: Stopped) -> &'static str {
    match why {
        Stopped::Cancelled => "somebody asked for it; run it again to go on where it was",
        Stopped::Lost => {
            "its lease was lost, because the registry could not be reached in time or somebody took \
             over; run it again"
        }
    }
}

impl Error {
    /// What the engine says of the source of `view`.
    pub(crate) fn of_source(view: &ViewName, source: fs_engine::Error) -> Self {
        match source {
            fs_engine::Error::Expectations(report) => Self::Unexpected { report },
            source => Self::Source {
                view: view.clone(),
                source: Box::new(source),
            },
        }
    }

    /// What the engine says of the filters of `view`.
    pub(crate) fn of_filters(view: &FeatureView, source: fs_engine::Error) -> Self {
        Self::Filter {
            view: view.name.clone(),
            source: Box::new(source),
        }
    }

    /// The fence that a store has seen which refused a smaller one.
    pub(crate) fn fenced_by(&self) -> Option<Fence> {
        match self {
            Self::Offline { source, .. } => match source.as_ref() {
                fs_offline::Error::Fenced { seen, .. } => Some(*seen),
                _ => None,
            },
            Self::Online { source, .. } => match source.as_ref() {
                fs_online::Error::Fenced { seen, .. } => Some(*seen),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Coded for Error {
    fn code(&self) -> Code {
        match self {
            Self::UnknownView { .. } | Self::UnknownFeature { .. } | Self::UnknownTarget { .. } => {
                Code::NotFound
            }
            Self::EndInFuture { .. } | Self::BadPush { .. } | Self::BadPushKey { .. } => {
                Code::InvalidArgument
            }
            Self::NoViewOfSource { .. } | Self::NotOnline { .. } | Self::NotVisibleYet { .. } => {
                Code::FailedPrecondition
            }
            Self::Append { source, .. } => source.code(),
            Self::Lease { source, .. } => source.code(),
            Self::Unexpected { .. } => Code::InvalidArgument,
            Self::PushStopped { .. } => Code::Unavailable,
            Self::Source { source, .. } | Self::Filter { source, .. } => source.code(),
            Self::Offline { source, .. } => match source.as_ref() {
                // The rows broke off: what the engine says about them decides.
                fs_offline::Error::Rows { source: cause, .. } => {
                    fs_engine::Error::from_datafusion(cause)
                        .map_or_else(|| source.code(), Coded::code)
                }
                _ => source.code(),
            },
            Self::Online { source, .. } | Self::NotStored { source, .. } => source.code(),
            Self::State { source, .. } => source.code(),
            Self::Rank { .. } | Self::Windows { .. } => Code::Internal,
            Self::Busy { .. } | Self::Contended { .. } | Self::Stopped { .. } => Code::Conflict,
            Self::Failed { source, .. } => source.code(),
        }
    }
}
