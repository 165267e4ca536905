//! Leases: who may materialize a view now, without a server and without clocks that agree.
//!
//! A lease is a [register](register) in the registry's object store. Its value says who holds the
//! lease and under which [`Fence`]; whoever changes it writes the next number with put-if-absent.
//!
//! ```text
//!   free ──────── acquire ───────► held, fence + 1 ──── release ───► free
//!                                    │   ▲
//!                  heartbeat: ttl/4  └───┘ renewed, beat + 1
//!
//!   held ── unchanged for a ttl, by the watcher's own stopwatch ── acquire ──► held, fence + 1: taken over
//! ```
//!
//! **Clocks are never compared.** A watcher counts, by its own monotonic clock, for how long the number
//! of the register has stood still since it first saw it. The holder counts from before it sent what it
//! wrote. So a holder that cannot renew knows that it is lost before any watcher may take over, wherever
//! the clocks on the walls stand. Who dies on the watcher's own machine is known to be dead at once
//! ([process]).
//!
//! **Nothing depends on being in time.** A process that was frozen, and writes long after it was taken
//! over, shows its fence to a store that has seen a greater one: the write is refused. A holder shows
//! its fence with every write; whoever takes over ([`Lease::taken_over`]) first makes the stores see its
//! own.
//!
//! | The holder dies, or stops for long | What is there | Then |
//! |---|---|---|
//! | before its number is created | the lease as it was | nothing happened |
//! | when it is created, before it knows | held by nobody alive | taken over after a ttl |
//! | while it works | the last heartbeat | taken over after a ttl; fence + 1; the stores are fenced first |
//! | while it works, and wakes up later | held by somebody else | its next renewal finds that: [`Stopped::Lost`]; its writes are refused |
//! | between its last write and the release | held, all work whole | taken over after a ttl, which finds nothing to do |
//! | when the release is written | free | nothing is lost |
//! | while it removes old numbers | some are left | the next who writes removes them |
//! | the registry cannot be reached | the last heartbeat | [`Stopped::Lost`] when the ttl is over; until then it works on |
//!
//! A lease that is dropped without [`Lease::release`] (the work was broken off) is marked as left, so
//! that the next holder need not wait, but fences the stores first all the same.

mod acquire;
mod format;
mod held;
mod keeper;
mod process;
mod register;
mod state;
mod store_time;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use fs_core::{Clock, EventTime, ViewName};

pub use self::held::{Lease, Stopped};
use self::process::Mark;
use self::register::{Register, Wrote};
pub use self::state::{HolderInfo, LeaseState};
use self::store_time::StoreTime;
use self::watch::Watch;
use crate::objects::Objects;
use crate::{Error, Registry, Timer};

/// How long leases stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseOptions {
    /// Who holds a lease and does not renew it for so long may be taken over.
    pub ttl: Duration,
    /// How often it is renewed.
    pub heartbeat: Duration,
}

impl LeaseOptions {
    /// Renewed four times in a `ttl`.
    pub fn with_ttl(ttl: Duration) -> Self {
        Self {
            ttl,
            heartbeat: ttl / 4,
        }
    }

    /// How often a holder looks whether it was asked to stop, and a waiter whether the lease is free.
    fn look(&self) -> Duration {
        self.heartbeat.min(Duration::from_secs(1))
    }
}

impl Default for LeaseOptions {
    fn default() -> Self {
        Self::with_ttl(Duration::from_secs(30))
    }
}

/// The leases of the views of a project. Clones share what they have watched.
#[derive(Debug, Clone)]
pub struct Leases {
    objects: Objects,
    clock: Arc<dyn Clock>,
    options: LeaseOptions,
    /// Host and process, as others are told.
    name: String,
    process: Option<Mark>,
    timer: Arc<dyn Timer>,
    watch: Arc<Watch>,
    store_time: Arc<StoreTime>,
}

impl Leases {
    /// The leases of the registry's project.
    ///
    /// `clock` is what others are told about since when a lease is held; nothing is decided by it.
    pub fn of(registry: &Registry, clock: Arc<dyn Clock>) -> Self {
        Self::over(registry.objects().clone(), clock)
    }

    /// Leases that only this value and its clones see. Clocks other than the real one are taken for
    /// that of the store, too.
    pub fn in_memory(clock: Arc<dyn Clock>) -> Self {
        let real = clock.is_real();
        let leases = Self::over(Objects::in_memory(), Arc::clone(&clock));
        if real {
            leases
        } else {
            leases.with_store_clock(clock)
        }
    }

    /// The same, with other options.
    #[must_use]
    pub const fn with_options(mut self, options: LeaseOptions) -> Self {
        self.options = options;
        self
    }

    /// The same, by another timer.
    #[must_use]
    pub fn with_timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.timer = timer;
        self
    }

    /// The same, as another process would have them: it has watched nothing yet.
    ///
    /// `name` is what others are told; `clock` its clock.
    #[must_use]
    pub fn as_process(&self, name: &str, clock: Arc<dyn Clock>) -> Self {
        Self {
            name: name.to_owned(),
            clock,
            watch: Arc::default(),
            store_time: Arc::new(self.store_time.unmeasured()),
            ..self.clone()
        }
    }

    /// The same, where the store's own clock is `clock`, not what it says about its objects.
    #[must_use]
    pub fn with_store_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.store_time = Arc::new(StoreTime::shown_by(clock));
        self
    }

    /// What measures time for these leases.
    pub fn timer(&self) -> Arc<dyn Timer> {
        Arc::clone(&self.timer)
    }

    /// How long leases stand.
    pub const fn options(&self) -> LeaseOptions {
        self.options
    }

    /// The present by this clock, or by the store's where that is behind.
    ///
    /// Known once a lease was written; kept up to date with every one. Replicas whose clocks run ahead
    /// do nothing too early by it.
    pub fn agreed_now(&self) -> EventTime {
        self.store_time.earlier_of(self.clock.now())
    }

    /// What is recorded of `view`; `None` if it never had a lease.
    pub async fn read(&self, view: &ViewName) -> Result<Option<LeaseState>, Error> {
        let current = self.register(view).read().await?;
        self.watch.saw(view, current.number, self.timer.now());
        Ok((current.number > 0).then_some(current.state))
    }

    /// What is recorded of every view that ever had a lease, by name.
    pub async fn list(&self) -> Result<Vec<LeaseState>, Error> {
        let mut states = Vec::new();
        for view in self.objects.leased_views().await? {
            states.extend(self.read(&view).await?);
        }
        Ok(states)
    }

    /// Asks who holds the lease of `view` to stop; `None` if nobody does.
    ///
    /// The holder hears of it within a second or so, and stops where it safely can.
    pub async fn ask_to_cancel(&self, view: &ViewName) -> Result<Option<HolderInfo>, Error> {
        let register = self.register(view);
        for _ in 0..acquire::ROUNDS {
            let current = register.read().await?;
            self.watch.saw(view, current.number, self.timer.now());
            let held = current.state.holder.as_ref();
            let Some(holder) = held.filter(|holder| !holder.is_gone()).cloned() else {
                return Ok(None);
            };
            if holder.cancel {
                return Ok(Some(holder));
            }
            let next = current.state.cancelled();
            let wrote = register.write_after(current.number, &next).await?;
            if matches!(wrote, Wrote::Newest(_)) {
                return Ok(next.holder);
            }
        }
        Err(Error::LeaseContended { view: view.clone() })
    }

    /// Forgets the leases of all views, for a project that is torn down.
    pub async fn remove_all(&self) -> Result<(), Error> {
        for view in self.objects.leased_views().await? {
            self.register(&view).remove().await?;
        }
        Ok(())
    }

    fn register(&self, view: &ViewName) -> Register {
        Register::new(&self.objects, view)
    }
}

#[cfg(test)]
mod tests;
