//! Getting hold of a lease.

use std::sync::Arc;
use std::time::Duration;

use fs_core::{Clock, ViewName};
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use super::held::Lease;
use super::keeper::Kept;
use super::process::Mark;
use super::register::{Numbered, Register};
use super::state::HolderInfo;
use super::store_time::StoreTime;
use super::{LeaseOptions, Leases};
use crate::Error;
use crate::objects::Objects;

/// How often a change is tried while others are faster.
pub(super) const ROUNDS: usize = 50;

/// What became of an attempt.
enum Attempt {
    Won(Box<Lease>),
    Held(HolderInfo),
}

impl Leases {
    pub(super) fn over(objects: Objects, clock: Arc<dyn Clock>) -> Self {
        let host = gethostname::gethostname();
        Self {
            objects,
            clock,
            options: LeaseOptions::default(),
            name: format!("{}:{}", host.to_string_lossy(), std::process::id()),
            process: Mark::own(),
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
        let until = Instant::now() + wait;
        let mut told = None;
        loop {
            let holder = match self.attempt(view, what).await? {
                Attempt::Won(lease) => return Ok(*lease),
                Attempt::Held(holder) => holder,
            };
            if Instant::now() >= until {
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
            sleep_until(until.min(Instant::now() + self.options.look())).await;
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
        let began = Instant::now();
        for round in 0..ROUNDS {
            let current = register.read().await?;
            let stood = self.watch.saw(view, current.number);
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
            let sent = Instant::now();
            let next = state.taken(me.clone());
            if let Some(written) = register.write_after(number, &next).await? {
                self.store_time
                    .learn(written.at, self.clock.as_ref(), sent.elapsed());
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
            // Everybody who lost comes back at another moment.
            sleep(jitter(round)).await;
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
            options: self.options,
            clock: Arc::clone(&self.clock),
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

/// A millisecond or so at first, at most 64, and another one for everybody.
fn jitter(round: usize) -> Duration {
    let most = 1_000_u64 << round.min(6);
    let (random, _) = Uuid::new_v4().as_u64_pair();
    Duration::from_micros(random % most)
}
