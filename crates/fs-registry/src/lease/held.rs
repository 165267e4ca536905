//! [`Lease`]: the lease of a view, held.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use fs_core::{Fence, ViewName};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::keeper::{self, Asked, Kept};
use super::state::HolderInfo;
use crate::Error;

/// Requests that wait for the keeper; it answers one after the other.
const QUEUED: usize = 4;

/// The right to materialize a view, renewed until it is released or dropped.
///
/// ```text
///   let lease = leases.acquire(&view, "run …", wait, |holder| …).await?;
///   if lease.taken_over() { /* make the stores see lease.fence() before anything else */ }
///   … show lease.fence() with every write, and break off when lease.stop() is cancelled …
///   lease.release().await?;
/// ```
/// A task renews it; it ends by itself soon after the lease is dropped. Dropping it, as opposed to
/// releasing it, tells the next holder that the work may not be whole.
#[derive(Debug)]
pub struct Lease {
    id: Uuid,
    view: ViewName,
    predecessor: Option<HolderInfo>,
    shared: Arc<Shared>,
    keeper: mpsc::Sender<Asked>,
    task: JoinHandle<()>,
}

/// Why the work is to be broken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// Somebody asked for it.
    Cancelled = 1,
    /// Somebody else holds the lease, or it could not be renewed in time.
    Lost = 2,
}

/// What the keeper lets the holder know.
#[derive(Debug)]
pub(super) struct Shared {
    fence: AtomicU64,
    job: Mutex<Value>,
    stop: CancellationToken,
    /// A [`Stopped`], or 0. It only grows: what is lost is not merely to be cancelled.
    why: AtomicU8,
}

impl Lease {
    /// Holds what was won; from here on a task renews it.
    pub(super) fn keep(kept: Kept, predecessor: Option<HolderInfo>) -> Self {
        let shared = Arc::new(Shared {
            fence: AtomicU64::new(kept.state.fence.number()),
            job: Mutex::new(kept.state.job.clone()),
            stop: CancellationToken::new(),
            why: AtomicU8::new(0),
        });
        let (keeper, asked) = mpsc::channel(QUEUED);
        let (id, view) = (kept.id, kept.state.view.clone());
        let task = tokio::spawn(keeper::run(kept, Arc::clone(&shared), asked));
        Self {
            id,
            view,
            predecessor,
            shared,
            keeper,
            task,
        }
    }

    /// The view.
    pub const fn view(&self) -> &ViewName {
        &self.view
    }

    /// Tells this holding of the lease from all others, as in [`HolderInfo::id`].
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// What to show with every write.
    pub fn fence(&self) -> Fence {
        Fence::new(self.shared.fence.load(Ordering::Acquire))
    }

    /// Whether the holder before did not release it: it may still be writing, so the stores have to see
    /// this fence before anything is read from them.
    pub const fn taken_over(&self) -> bool {
        self.predecessor.is_some()
    }

    /// The holder before, if it did not release the lease.
    pub const fn predecessor(&self) -> Option<&HolderInfo> {
        self.predecessor.as_ref()
    }

    /// Cancelled when the lease is lost, and when somebody asked to cancel.
    pub fn stop(&self) -> &CancellationToken {
        &self.shared.stop
    }

    /// Why it was; `None` while the work may go on. A lease that is lost stays lost; one that is to be
    /// cancelled may be lost later.
    pub fn why_stopped(&self) -> Option<Stopped> {
        self.shared.why()
    }

    /// Asks the work to stop, as if somebody had asked to cancel it; the registry does not hear of it.
    pub fn ask_to_stop(&self) {
        self.shared.stop(Stopped::Cancelled);
    }

    /// What the schedule remembers of the view: what was recorded when the lease was taken, or set
    /// since.
    pub fn job(&self) -> Value {
        self.shared.job().clone()
    }

    /// Records what the schedule is to remember of the view.
    ///
    /// [`Error::LeaseLost`] if somebody else holds the lease by now; nothing is recorded then.
    pub async fn set_job(&self, job: Value) -> Result<(), Error> {
        self.ask(|answer| Asked::SetJob(job, answer)).await
    }

    /// Goes beyond `seen`, which a store has seen although nobody but this process holds the lease: a
    /// registry was restored from a backup, or made anew, under stores that were not.
    ///
    /// [`Error::LeaseLost`] if somebody else holds it, which is the usual reason for a greater fence.
    pub async fn outgrow(&self, seen: Fence) -> Result<Fence, Error> {
        self.ask(|answer| Asked::Outgrow(seen, answer)).await?;
        Ok(self.fence())
    }

    /// Gives it back, the work being whole: the next holder need not suspect anything.
    pub async fn release(self) -> Result<(), Error> {
        let released = self.ask(Asked::Release).await;
        let Self { keeper, task, .. } = self;
        drop(keeper);
        // It does not panic, and nobody but `abandon` aborts it.
        task.await.ok();
        released
    }

    /// Stops renewing it and tells nobody, as a process does that dies: for tests, and for a process
    /// that is about to end.
    pub fn abandon(self) {
        self.task.abort();
    }

    async fn ask(
        &self,
        ask: impl FnOnce(oneshot::Sender<Result<(), Error>>) -> Asked + Send,
    ) -> Result<(), Error> {
        let lost = || Error::LeaseLost {
            view: self.view.clone(),
        };
        let (answer, answered) = oneshot::channel();
        if self.keeper.send(ask(answer)).await.is_err() {
            return Err(lost());
        }
        answered.await.unwrap_or_else(|_gone| Err(lost()))
    }
}

impl Shared {
    pub(super) fn set_fence(&self, fence: Fence) {
        self.fence.store(fence.number(), Ordering::Release);
    }

    pub(super) fn set_job(&self, job: &Value) {
        self.job().clone_from(job);
    }

    /// Lets the holder know that it is to stop.
    pub(super) fn stop(&self, why: Stopped) {
        self.why.fetch_max(why as u8, Ordering::AcqRel);
        self.stop.cancel();
    }

    pub(super) fn why(&self) -> Option<Stopped> {
        match self.why.load(Ordering::Acquire) {
            0 => None,
            why if why == Stopped::Cancelled as u8 => Some(Stopped::Cancelled),
            _ => Some(Stopped::Lost),
        }
    }

    fn job(&self) -> std::sync::MutexGuard<'_, Value> {
        self.job.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
