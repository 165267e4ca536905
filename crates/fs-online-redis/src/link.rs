//! One connection, which many requests share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Pipeline, RedisError, Value};
use tokio::time::Instant;

use crate::meter::{Meter, Metered};

/// A connection, and since when it owes an answer. Clones are the same connection.
#[derive(Clone)]
pub(crate) struct Link {
    connection: MultiplexedConnection,
    /// Which generation of connections it belongs to: see [`Node`](crate::node::Node).
    pub(crate) generation: u64,
    shared: Arc<Shared>,
}

/// What all clones of a connection know of it.
#[derive(Debug)]
struct Shared {
    opened: Instant,
    /// When something was asked and nothing answered since, in milliseconds after `opened` and 1; 0
    /// if nothing is owed.
    owing_since: AtomicU64,
    metered: Metered,
}

impl Link {
    pub(crate) fn new(
        connection: MultiplexedConnection,
        generation: u64,
        meter: Arc<Meter>,
    ) -> Self {
        let shared = Shared {
            opened: Instant::now(),
            owing_since: AtomicU64::new(0),
            metered: Metered::new(meter),
        };
        Self {
            connection,
            generation,
            shared: Arc::new(shared),
        }
    }

    /// One answer or server error for each command; an error if the connection is of no more use.
    pub(crate) async fn send(&mut self, pipeline: &Pipeline) -> Result<Vec<Value>, RedisError> {
        let _waiting = self.shared.metered.wait();
        let asked = self.shared.now();
        // Failing means that it owes an answer already.
        self.shared
            .owing_since
            .compare_exchange(0, asked, Ordering::Relaxed, Ordering::Relaxed)
            .ok();
        let answers = self
            .connection
            .req_packed_commands(pipeline, 0, pipeline.len())
            .await?;
        self.shared.owing_since.store(0, Ordering::Relaxed);
        Ok(answers)
    }

    /// Whether it has owed an answer for `patience`: the server hangs, or is out of reach.
    ///
    /// A request that is given up tells nobody that there was no answer. If all requests are given up
    /// early, this alone gets them off a connection that leads nowhere.
    pub(crate) fn is_silent(&self, patience: Duration) -> bool {
        let since = self.shared.owing_since.load(Ordering::Relaxed);
        if since == 0 {
            return false;
        }
        let patience = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        self.shared.now().saturating_sub(since) >= patience
    }
}

impl Shared {
    fn now(&self) -> u64 {
        let millis = self.opened.elapsed().as_millis();
        u64::try_from(millis).unwrap_or(u64::MAX).saturating_add(1)
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link(generation {})", self.generation)
    }
}
