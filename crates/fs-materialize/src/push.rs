//! Rows that clients hand in: straight to the online store, the offline table, or both.
//!
//! ```text
//!                 check                    offline: one Delta commit           online: newest wins
//!   rows ──► types, keys, times ──┬─────► rows with their `_sequence` ──┬───► the same rows, same order
//!                                 └─────────────────────────────────────┘
//!                                              online only: `_sequence` 0
//! ```
//!
//! | | |
//! |---|---|
//! | **Columns** | the join keys, `event_timestamp` (or the source's name for it), every feature; `created_timestamp` (or the source's name for it) may be missing |
//! | **Problems** | every column and the first bad row of each is named, and nothing is written |
//! | **Created time** | where none is given, the instant of receipt: that is when the fact became known. So a correction that is pushed later wins over an equal event time |
//! | **Newest wins** | by event time, created time, `_sequence`; of equal rows of one key in one push, the last. A row that was pushed online only gives way to an equal one of the table |
//! | **Visibility** | a row that may not be seen yet (`delay`, `known_at`, an event of the future) is not put in the place of one that may: a run publishes it when its time has come. Online only, where no run would, it is refused. Rows that are early by less than a second are waited for: clocks differ |
//! | **Together** | pushes to one view that come while another is being committed share the next commit |
//!
//! **An idempotency key** makes a push that is sent again count once, for a day:
//!
//! | Pushed | The key is | A push that is sent again |
//! |---|---|---|
//! | offline, or to both | an application transaction in the commit of the rows | adds nothing; its rows are read from the table and written online, so that a push that died between the two stores is completed |
//! | online only | claimed in the online store, for the instant of receipt | writes the same rows with the same times again, which changes nothing |
//!
//! The key decides, and not the rows: other rows under a known key are not looked at.
//!
//! **After a crash** between the two stores, the next run publishes what is missing: it asks the log of
//! the table what came since the last publication.

mod check;
mod offline;
mod online;
mod problems;
mod queue;
mod receipt;
mod target;
mod windows;

use std::sync::Arc;

use arrow::array::RecordBatch;
use fs_core::{Catalog, Clock, ViewName};
use fs_offline::OfflineStore;
use fs_online::{OnlineStore, TOKEN_BYTES};
use fs_pit::state::Limits;

use crate::Error;

pub use problems::{PushProblem, PushProblems};
pub use target::Target;

/// The longest idempotency key, in bytes.
pub const MAX_KEY_BYTES: usize = TOKEN_BYTES;

/// Where pushed rows go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PushTo {
    /// To the online store only: they are in no training set.
    Online,
    /// To the offline table only; the next run publishes them.
    Offline,
    /// To the offline table, and then, where the view is online, to the online store.
    #[default]
    Both,
}

/// What became of a pushed row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowOutcome {
    /// The online store holds it.
    Stored,
    /// The online store holds a newer row of its key, or one that is equal and was there before.
    Outdone,
    /// The offline table has it; a run publishes it.
    Appended,
    /// The offline table has it, and it may not be seen yet; a run publishes it when it may.
    Later,
    /// The key of the push is known, and the push that it is known of had fewer rows than this.
    Ignored,
}

/// What became of a push to one view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushReport {
    /// One for each row, in the order given.
    pub outcomes: Vec<RowOutcome>,
    /// Whether the key of the push was known already.
    pub repeated: bool,
}

impl PushReport {
    /// How many rows came to `outcome`.
    pub fn count(&self, outcome: RowOutcome) -> usize {
        let outcomes = self.outcomes.iter();
        outcomes.filter(|found| **found == outcome).count()
    }
}

/// What became of a push to a view or a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The views that took the rows, by name.
    pub views: Vec<(ViewName, PushReport)>,
    /// The views of the source that take none, and why.
    pub left_out: Vec<(ViewName, String)>,
}

/// Takes rows from clients. Cheap to clone; clones share what is waiting to be committed.
#[derive(Debug, Clone)]
pub struct Pusher {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    offline: Arc<OfflineStore>,
    online: Arc<dyn OnlineStore>,
    clock: Arc<dyn Clock>,
    queues: queue::Queues,
    turns: windows::Turns,
    /// How much is kept of every key of a windowed view.
    states: Limits,
}

impl Pusher {
    /// Into these stores. Where the clock does not show the time of the world, nothing that is written
    /// is ever forgotten: neither rows nor keys.
    pub fn new(
        offline: Arc<OfflineStore>,
        online: Arc<dyn OnlineStore>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let inner = Inner {
            offline,
            online,
            clock,
            queues: queue::Queues::default(),
            turns: windows::Turns::default(),
            states: Limits::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The same stores and clock, keeping so much of every key of a windowed view; for what is pushed from
    /// now on.
    #[must_use]
    pub fn with_states(&self, states: Limits) -> Self {
        let (offline, online) = (
            Arc::clone(&self.inner.offline),
            Arc::clone(&self.inner.online),
        );
        let inner = Inner {
            offline,
            online,
            clock: Arc::clone(&self.inner.clock),
            queues: queue::Queues::default(),
            turns: windows::Turns::default(),
            states,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Pushes rows to a view, by the rules of the [module](self).
    ///
    /// Goes on to its end also when whoever asked stops waiting for it. After an error of a store, some
    /// of the rows may be there; with a key, pushing them again completes it.
    pub async fn push(
        &self,
        catalog: &Catalog,
        view: &ViewName,
        rows: &RecordBatch,
        to: PushTo,
        key: Option<&str>,
    ) -> Result<PushReport, Error> {
        let target = Target::view(catalog, view)?;
        let mut pushed = self.push_to(catalog, &target, rows, to, key).await?;
        let report = pushed.views.pop().map(|(_, report)| report);
        report.ok_or_else(|| Error::UnknownView {
            view: view.clone(),
            nearest: None,
        })
    }

    /// Pushes rows to every view of a target, one after the other; the rows are checked for all of
    /// them first. The key counts once for each view.
    pub async fn push_to(
        &self,
        catalog: &Catalog,
        target: &Target<'_>,
        rows: &RecordBatch,
        to: PushTo,
        key: Option<&str>,
    ) -> Result<Pushed, Error> {
        if let Some(key) = key
            && (key.is_empty() || key.len() > MAX_KEY_BYTES)
        {
            return Err(Error::BadPushKey { bytes: key.len() });
        }
        let mut jobs = Vec::new();
        for view in &target.views {
            if to == PushTo::Online && !view.online {
                return Err(Error::NotOnline {
                    view: view.name.clone(),
                });
            }
            jobs.push(check::check(catalog, target, view, rows)?);
        }
        let (inner, key) = (Arc::clone(&self.inner), key.map(str::to_owned));
        let work = tokio::spawn(async move {
            let mut views = Vec::with_capacity(jobs.len());
            for job in jobs {
                let report = inner.push(&job, to, key.as_deref()).await?;
                views.push((job.view.name, report));
            }
            Ok(views)
        });
        let views = work
            .await
            .map_err(|source| Error::PushStopped { source })??;
        Ok(Pushed {
            views,
            left_out: target.left_out.clone(),
        })
    }
}
