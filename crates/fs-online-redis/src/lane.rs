//! A few connections to one server, for one kind of work.
//!
//! The pool (bb8) hands out *slots*, and a slot is held only for as long as it takes to clone its
//! connection, or to open one. A pool of connections proper would keep dialling a server that is down
//! behind the caller's back, and leave the caller waiting for nothing but "timed out". This way
//! whoever needs the connection gets the reason, at once.

use std::convert::Infallible;

use bb8::{ManageConnection, Pool, PooledConnection, RunError};
use fs_online::Error;
use tokio::sync::OnceCell;

use crate::deadline::Deadline;
use crate::link::Link;

/// Which connections a request takes: large writes do not stand in the way of reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    Read,
    Write,
}

/// A place for one connection.
#[derive(Debug, Default)]
pub(crate) struct Slot(pub(crate) Option<Link>);

/// The connections of one lane, filled when they are first used.
#[derive(Debug)]
pub(crate) struct Slots {
    size: u32,
    // Made in the first request: a pool that is full from the start needs a runtime.
    pool: OnceCell<Pool<Empty>>,
}

/// Makes slots, which cannot fail.
#[derive(Debug)]
pub(crate) struct Empty;

impl Slots {
    pub(crate) fn new(size: u32) -> Self {
        Self {
            size: size.max(1),
            pool: OnceCell::new(),
        }
    }

    /// A slot, in turn.
    pub(crate) async fn next(
        &self,
        store: &str,
        deadline: Deadline,
    ) -> Result<PooledConnection<'_, Empty>, Error> {
        let slot = deadline.of(store, async {
            let pool = self.pool.get_or_init(|| self.fill()).await;
            loop {
                match pool.get().await {
                    Ok(slot) => return slot,
                    Err(RunError::User(never)) => match never {},
                    // Its patience, which says nothing about ours.
                    Err(RunError::TimedOut) => {}
                }
            }
        });
        slot.await
    }

    async fn fill(&self) -> Pool<Empty> {
        let pool = Pool::builder()
            .max_size(self.size)
            .min_idle(self.size)
            .test_on_check_out(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .build(Empty)
            .await;
        match pool {
            Ok(pool) => pool,
            Err(never) => match never {},
        }
    }
}

impl ManageConnection for Empty {
    type Connection = Slot;
    type Error = Infallible;

    async fn connect(&self) -> Result<Slot, Infallible> {
        Ok(Slot::default())
    }

    async fn is_valid(&self, _slot: &mut Slot) -> Result<(), Infallible> {
        Ok(())
    }

    fn has_broken(&self, _slot: &mut Slot) -> bool {
        false
    }
}
