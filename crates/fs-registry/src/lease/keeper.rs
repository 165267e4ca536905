//! The task that renews a lease, and does all else that changes it while it is held.
//!
//! ```text
//!   every ttl/4        a heartbeat
//!   every second       whether somebody wrote in between: a wish to cancel, or a new holder
//!   when asked         the job's state, a greater fence, the release
//!   dropped            marks the lease as left, and ends
//! ```
//! It is lost when the register says that somebody else holds it, or when the ttl is over, counted from
//! before the last successful write was sent, and another one fails. A task that only wakes up late
//! first tries: if nobody has taken over, nothing is lost.

use std::sync::Arc;
use std::time::Duration;

use fs_core::code::report;
use fs_core::{Clock, Fence};
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use uuid::Uuid;

use super::LeaseOptions;
use super::acquire::ROUNDS;
use super::held::{Shared, Stopped};
use super::register::{Numbered, Register, Wrote};
use super::state::LeaseState;
use super::store_time::StoreTime;
use crate::Error;
use crate::timer::{Timer, until};

/// How long the register may take over what the holder asks for.
const PATIENCE: Duration = Duration::from_secs(10);

/// What the holder asks for.
#[derive(Debug)]
pub(super) enum Asked {
    SetJob(Value, oneshot::Sender<Result<(), Error>>),
    Outgrow(Fence, oneshot::Sender<Result<(), Error>>),
    Release(oneshot::Sender<Result<(), Error>>),
}

/// A lease that this process holds.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) register: Register,
    pub(super) number: u64,
    pub(super) state: LeaseState,
    pub(super) id: Uuid,
    /// A moment before which the last successful write was not sent.
    pub(super) renewed: Instant,
    /// Whether the last write took effect, and somebody has written since.
    pub(super) overtaken: bool,
    pub(super) options: LeaseOptions,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) timer: Arc<dyn Timer>,
    pub(super) store_time: Arc<StoreTime>,
}

/// Keeps it until it is released or dropped.
pub(super) async fn run(mut kept: Kept, shared: Arc<Shared>, mut asked: mpsc::Receiver<Asked>) {
    let look = kept.options.look();
    let mut next_beat = kept.renewed + kept.options.heartbeat;
    let mut next_look = kept.timer.now() + look;
    loop {
        let lost = shared.why() == Some(Stopped::Lost);
        tokio::select! {
            biased;
            request = asked.recv() => match request {
                Some(Asked::SetJob(job, answer)) => {
                    answer.send(kept.set_job(&shared, &job).await).ok();
                }
                Some(Asked::Outgrow(seen, answer)) => {
                    answer.send(kept.outgrow(&shared, seen).await).ok();
                }
                Some(Asked::Release(answer)) => {
                    answer.send(kept.release(&shared).await).ok();
                    return;
                }
                None => {
                    kept.leave(&shared).await;
                    return;
                }
            },
            () = kept.timer.sleep_until(next_beat.min(next_look)), if !lost => {
                if kept.timer.now() >= next_beat || kept.has_changed().await {
                    next_beat = kept.beat(&shared).await;
                }
                next_look = kept.timer.now() + look;
            }
        }
    }
}

impl Kept {
    /// Renews it, and says when to do so again.
    async fn beat(&mut self, shared: &Shared) -> Instant {
        // A call that hangs is given up early enough to try again, and soon after it is all over.
        let left = (self.renewed + self.options.ttl).duration_since(self.timer.now());
        let most = self.options.heartbeat / 2;
        let patience = left.max(self.options.look()).min(most);
        match self.change(shared, patience, LeaseState::beaten).await {
            Ok(()) => self.renewed + self.options.heartbeat,
            Err(error) => {
                let view = &self.state.view;
                tracing::warn!(error = report(&error), %view, "a lease was not renewed");
                self.timer.now() + self.options.look()
            }
        }
    }

    /// Whether somebody wrote in between; if that cannot be told, the next heartbeat will.
    async fn has_changed(&self) -> bool {
        let asked = self.register.has_changed(self.number);
        let patience = self.timer.now() + self.options.look();
        matches!(
            until(self.timer.as_ref(), patience, asked).await,
            Some(Ok(true))
        )
    }

    async fn set_job(&mut self, shared: &Shared, job: &Value) -> Result<(), Error> {
        self.change(shared, PATIENCE, |state| state.with_job(job.clone()))
            .await?;
        shared.set_job(job);
        Ok(())
    }

    async fn outgrow(&mut self, shared: &Shared, seen: Fence) -> Result<(), Error> {
        self.change(shared, PATIENCE, |state| state.above(seen))
            .await?;
        shared.set_fence(self.state.fence);
        Ok(())
    }

    async fn release(&mut self, shared: &Shared) -> Result<(), Error> {
        let fence = self.state.fence;
        match self.change(shared, PATIENCE, LeaseState::released).await {
            // It was free for a moment, and somebody has it now.
            Err(Error::LeaseLost { .. }) if self.overtaken => Ok(()),
            // A release whose answer was lost: nobody else frees what this process holds.
            Err(Error::LeaseLost { .. })
                if self.state.holder.is_none() && self.state.fence == fence =>
            {
                Ok(())
            }
            done => done,
        }
    }

    async fn leave(&mut self, shared: &Shared) {
        if shared.why() != Some(Stopped::Lost)
            && let Err(error) = self.change(shared, PATIENCE, LeaseState::left).await
        {
            let view = &self.state.view;
            tracing::debug!(error = report(&error), %view, "a lease was left without a word");
        }
    }

    /// Makes one change, as long as the lease is held; takes note of what others changed.
    async fn change(
        &mut self,
        shared: &Shared,
        patience: Duration,
        next: impl Fn(LeaseState) -> LeaseState + Send + Sync,
    ) -> Result<(), Error> {
        let timer = Arc::clone(&self.timer);
        let deadline = timer.now() + patience;
        let tried = until(timer.as_ref(), deadline, self.try_change(shared, next)).await;
        let changed = tried.unwrap_or_else(|| Err(self.register.timeout(patience)));
        let over = self.renewed + self.options.ttl;
        if changed.is_err() && self.timer.now() >= over {
            shared.stop(Stopped::Lost);
        }
        changed
    }

    async fn try_change(
        &mut self,
        shared: &Shared,
        next: impl Fn(LeaseState) -> LeaseState + Send + Sync,
    ) -> Result<(), Error> {
        self.overtaken = false;
        for _ in 0..ROUNDS {
            // What others hold is not to be changed, also not with the number that was read.
            if !self.state.is_held_by(self.id) {
                shared.stop(Stopped::Lost);
                return Err(self.lost());
            }
            let sent = self.timer.now();
            let state = next(self.state.clone());
            let wrote = self.register.write_after(self.number, &state).await?;
            // Within the ttl nobody was allowed to take over, so nobody had before this was written.
            let in_time = self.timer.now() < self.renewed + self.options.ttl;
            self.overtaken = in_time && matches!(wrote, Wrote::Passed);
            if let Wrote::Newest(written) = wrote {
                let took = self.timer.now().duration_since(sent);
                self.store_time.learn(written.at, self.clock.as_ref(), took);
                (self.number, self.state, self.renewed) = (written.number, state, sent);
                return Ok(());
            }
            let Numbered { number, state } = self.register.read().await?;
            (self.number, self.state) = (number, state);
            // A wish to cancel, or a write of ours whose answer was lost.
            if self.state.is_held_by(self.id) && self.state.is_to_be_cancelled() {
                shared.stop(Stopped::Cancelled);
            }
        }
        Err(Error::LeaseContended {
            view: self.state.view.clone(),
        })
    }

    fn lost(&self) -> Error {
        Error::LeaseLost {
            view: self.state.view.clone(),
        }
    }
}
