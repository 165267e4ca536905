//! Getting hold of a lease.

use std::sync::Arc;
use std::time::Duration;

use fs_core::{Clock, ViewName};
use tokio::time::Instant;
use uuid::Uuid;

use super::held::Lease;
use super::keeper::Kept;
use super::process::{self, Mark};
use super::register::{Numbered, Register, Wrote};
use super::state::HolderInfo;
use super::store_time::StoreTime;
use super::{LeaseOptions, Leases};
use crate::objects::Objects;
use crate::{Error, SystemTimer};

/// How often a change is tried while others are faster.
pub(super) const ROUNDS: usize = 50;

/// What became of an attempt.
enum Attempt {
    Won(Box<Lease>),
    Held(HolderInfo),
}

impl Leases {
    pub(super) fn over(objects: Objects, clock: Arc<dyn Clock>) -> Self {
        Self {
            objects,
            clock,
            options: LeaseOptions::default(),
            name: format!("{}:{}", process::host(), std::process::id()),
            process: Mark::own(),
            timer: Arc::new(SystemTimer),
            watch: Arc::default(),
            store_time: Arc::new(StoreTime::new()),
        }
    }

    /// Takes the lease of `view`, waiting at most `wait` for whoever holds it; [`Error::Held`] then.
    ///
    /// `what` is what others are told about it. `waiting` is told who holds the lease, once for each
    /// holder that is waited for.
    pub async fn acquire(
        &self,
        view: &ViewName,
        what: &str,
        wait: Duration,
        waiting: impl Fn(&HolderInfo) + Send + Sync,
    ) -> Result<Lease, Error> {
        let until = self.timer.now() + wait;
        let mut told = None;
        loop {
            let holder = match self.attempt(view, what).await? {
                Attempt::Won(lease) => return Ok(*lease),
                Attempt::Held(holder) => holder,
            };
            let now = self.timer.now();
            if now >= until {
                return Err(Error::Held {
                    view: view.clone(),
                    holder: holder.name,
                    what: holder.what,
                    since: holder.since,
                });
            }
            if told != Some(holder.id) {
                waiting(&holder);
                told = Some(holder.id);
            }
            let look = until.min(now + self.options.look());
            self.timer.sleep_until(look).await;
        }
    }

    /// Takes the lease of `view` if it is free, or if its holder was not heard of for its ttl.
    ///
    /// A holder is only heard of, or not, by those who look: whoever wants to take over calls this, or
    /// [`read`](Self::read), again and again.
    pub async fn try_acquire(&self, view: &ViewName, what: &str) -> Result<Option<Lease>, Error> {
        match self.attempt(view, what).await? {
            Attempt::Won(lease) => Ok(Some(*lease)),
            Attempt::Held(_) => Ok(None),
        }
    }

    async fn attempt(&self, view: &ViewName, what: &str) -> Result<Attempt, Error> {
        let register = self.register(view);
        let me = self.introduce(what);
        let began = self.timer.now();
        for round in 0..ROUNDS {
            let current = register.read().await?;
            let stood = self.watch.saw(view, current.number, self.timer.now());
            let Numbered { number, state } = current;
            if state.is_held_by(me.id) {
                // A write whose answer was lost.
                return Ok(self.won(register, Numbered { number, state }, me.id, None, began));
            }
            let before = state.holder.clone();
            if let Some(holder) = &before
                && !holder.is_gone()
                && stood < holder.ttl
            {
                return Ok(Attempt::Held(holder.clone()));
            }
            let sent = self.timer.now();
            let next = state.taken(me.clone());
            if let Wrote::Newest(written) = register.write_after(number, &next).await? {
                let took = self.timer.now().duration_since(sent);
                self.store_time.learn(written.at, self.clock.as_ref(), took);
                return Ok(self.won(
                    register,
                    Numbered {
                        number: written.number,
                        state: next,
                    },
                    me.id,
                    before,
                    sent,
                ));
            }
            // Somebody won. Everybody who lost comes back at another moment.
            if let Some(pause) = jitter(round) {
                self.timer.sleep_until(self.timer.now() + pause).await;
            }
        }
        Err(Error::LeaseContended { view: view.clone() })
    }

    fn won(
        &self,
        register: Register,
        Numbered { number, state }: Numbered,
        id: Uuid,
        before: Option<HolderInfo>,
        renewed: Instant,
    ) -> Attempt {
        let kept = Kept {
            register,
            number,
            state,
            id,
            renewed,
            overtaken: false,
            options: self.options,
            clock: Arc::clone(&self.clock),
            timer: Arc::clone(&self.timer),
            store_time: Arc::clone(&self.store_time),
        };
        Attempt::Won(Box::new(Lease::keep(kept, before)))
    }

    fn introduce(&self, what: &str) -> HolderInfo {
        HolderInfo {
            id: Uuid::new_v4(),
            name: self.name.clone(),
            since: self.clock.now(),
            what: what.to_owned(),
            cancel: false,
            ttl: self.options.ttl,
            gone: false,
            process: self.process.clone(),
        }
    }
}

/// Nothing after the first two rounds, then up to 64 ms, and another one for everybody.
fn jitter(round: usize) -> Option<Duration> {
    let doubled = round.checked_sub(2)?.min(6);
    let (random, _) = Uuid::new_v4().as_u64_pair();
    Some(Duration::from_micros(random % (1_000 << doubled)))
}
