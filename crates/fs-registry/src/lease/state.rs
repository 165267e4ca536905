//! What is known of a lease: who holds it, and what the schedule remembers.

use std::time::Duration;

use fs_core::{EventTime, Fence, ViewName};
use serde_json::Value;
use uuid::Uuid;

use super::process::Mark;

/// A lease as it is recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct LeaseState {
    /// The view that it is about.
    pub view: ViewName,
    /// The greatest fence that was handed out.
    pub fence: Fence,
    /// Grows with every change.
    pub beat: u64,
    /// Who holds it.
    pub holder: Option<HolderInfo>,
    /// What the schedule remembers of the view; `null` before there was one.
    pub job: Value,
}

/// Who holds a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolderInfo {
    /// Tells holders apart.
    pub id: Uuid,
    /// The host and the process: `worker-3:4711`.
    pub name: String,
    /// Since when, by the holder's clock.
    pub since: EventTime,
    /// What the holder does, for people.
    pub what: String,
    /// Whether somebody asked the holder to stop.
    pub cancel: bool,
    /// How long the lease stands without a change.
    pub(super) ttl: Duration,
    /// Whether the holder has let go of it without saying that its work is whole.
    pub(super) gone: bool,
    pub(super) process: Option<Mark>,
}

impl HolderInfo {
    /// Whether the holder cannot come back, so that nobody has to wait for it.
    pub fn is_gone(&self) -> bool {
        self.gone || self.process.as_ref().is_some_and(Mark::is_dead)
    }
}

/// The states that follow. Each is one change of the register.
impl LeaseState {
    /// Before anybody held it.
    pub(super) const fn new(view: ViewName) -> Self {
        Self {
            view,
            fence: Fence::new(0),
            beat: 0,
            holder: None,
            job: Value::Null,
        }
    }

    /// Taken by `holder`, whoever held it before.
    pub(super) fn taken(mut self, holder: HolderInfo) -> Self {
        self.fence = Fence::new(self.fence.number().saturating_add(1));
        self.holder = Some(holder);
        self.beaten()
    }

    /// The same, once more.
    pub(super) const fn beaten(mut self) -> Self {
        self.beat = self.beat.saturating_add(1);
        self
    }

    /// With what the schedule remembers.
    pub(super) fn with_job(mut self, job: Value) -> Self {
        self.job = job;
        self.beaten()
    }

    /// With a fence above `seen`.
    pub(super) fn above(mut self, seen: Fence) -> Self {
        let next = Fence::new(seen.number().saturating_add(1));
        self.fence = self.fence.max(next);
        self.beaten()
    }

    /// With the holder asked to stop.
    pub(super) fn cancelled(mut self) -> Self {
        if let Some(holder) = &mut self.holder {
            holder.cancel = true;
        }
        self.beaten()
    }

    /// Free, the work of the holder being whole.
    pub(super) fn released(mut self) -> Self {
        self.holder = None;
        self.beaten()
    }

    /// Free to take over from the holder, whose work is not known to be whole.
    pub(super) fn left(mut self) -> Self {
        if let Some(holder) = &mut self.holder {
            holder.gone = true;
        }
        self.beaten()
    }

    /// Whether somebody asked its holder to stop.
    pub(super) fn is_to_be_cancelled(&self) -> bool {
        self.holder.as_ref().is_some_and(|holder| holder.cancel)
    }

    /// Whether `id` holds it.
    pub(super) fn is_held_by(&self, id: Uuid) -> bool {
        let holder = self.holder.as_ref();
        holder.is_some_and(|holder| holder.id == id && !holder.gone)
    }
}
