//! Connections: pooled, replaced when they break, never waited for past a deadline.
//!
//! The pool (bb8) hands out *slots*; a slot connects when it is used. A pool of connections proper
//! would keep dialling a server that is down behind the caller's back, and leave the caller waiting
//! for nothing but "timed out". This way whoever needs the connection gets the reason, at once.
//!
//! A server that goes away breaks all connections together. The first to notice starts a new
//! *generation*, and the connections of the one before are replaced before they are used again.

use std::convert::Infallible;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bb8::{ManageConnection, Pool, RunError};
use fs_online::Error;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Client, Pipeline, RedisError, ServerErrorKind, Value};
use tokio::time::{Instant, timeout_at};

use crate::failure::{cannot_connect, failed};
use crate::{RedisOptions, address};

/// The way to one Redis.
pub(crate) struct Connections {
    /// What the store is called in messages.
    pub(crate) store: String,
    pub(crate) options: RedisOptions,
    client: Client,
    config: AsyncConnectionConfig,
    slots: Pool<Slots>,
    generation: AtomicU64,
}

/// A place for one connection.
#[derive(Debug, Default)]
struct Slot(Option<Link>);

struct Link {
    connection: MultiplexedConnection,
    generation: u64,
}

/// Makes slots, which cannot fail.
#[derive(Debug)]
struct Slots;

/// An answer, or the error of a connection that is of no more use.
type Attempt = Result<Vec<Value>, RedisError>;

impl Connections {
    /// Opens no connection yet.
    pub(crate) fn new(url: &str, options: RedisOptions) -> Result<Self, Error> {
        let (client, store) = address::open(url)?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(options.connect_timeout))
            // Deadlines are kept in `send`, where the time spent on connecting counts too.
            .set_response_timeout(None);
        let slots = Pool::builder()
            .max_size(options.connections.max(1))
            .test_on_check_out(false)
            // Without these the pool needs no task, and can be built outside a runtime.
            .idle_timeout(None)
            .max_lifetime(None)
            .build_unchecked(Slots);
        Ok(Self {
            store,
            options,
            client,
            config,
            slots,
            generation: AtomicU64::new(0),
        })
    }

    /// Sends `pipeline` in one round trip; one answer or server error for each of its commands.
    ///
    /// A pipeline may be sent a second time, when a connection turns out to be broken: all that is sent
    /// here is harmless to repeat.
    pub(crate) async fn send(
        &self,
        operation: &'static str,
        within: Duration,
        pipeline: &Pipeline,
    ) -> Result<Vec<Value>, Error> {
        let late = || Error::Timeout {
            store: self.store.clone(),
            operation,
            after: within,
        };
        let deadline = Instant::now() + within;
        let mut slot = match timeout_at(deadline, self.slots.get()).await {
            Ok(Ok(slot)) => slot,
            Ok(Err(RunError::User(never))) => match never {},
            Ok(Err(RunError::TimedOut)) | Err(_) => return Err(late()),
        };
        let mut retried = false;
        loop {
            // Out of the slot while it is used: a call that is given up leaves no connection behind on
            // which somebody else would wait.
            let reused = slot.0.take().filter(|link| self.is_current(link));
            let mut link = match reused {
                Some(link) => link,
                None => match timeout_at(deadline, self.connect()).await {
                    Ok(link) => link?,
                    Err(_) => return Err(late()),
                },
            };
            match timeout_at(deadline, link.send(pipeline)).await {
                Ok(Ok(replies)) => {
                    if replies.iter().any(is_demoted) {
                        self.give_up(&link);
                    } else {
                        slot.0 = Some(link);
                    }
                    return Ok(replies);
                }
                Ok(Err(error)) => {
                    self.give_up(&link);
                    if retried {
                        return Err(failed(&self.store, operation, error));
                    }
                    retried = true;
                }
                Err(_) => return Err(late()),
            }
        }
    }

    async fn connect(&self) -> Result<Link, Error> {
        // Read before dialling: a server that goes away meanwhile outdates this connection too.
        let generation = self.generation.load(Ordering::Acquire);
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&self.config)
            .await
            .map_err(|error| cannot_connect(&self.store, error))?;
        tracing::debug!(store = self.store, generation, "connected");
        Ok(Link {
            connection,
            generation,
        })
    }

    fn is_current(&self, link: &Link) -> bool {
        link.generation == self.generation.load(Ordering::Acquire)
    }

    /// Starts a new generation, unless somebody has done so since `link` was made.
    fn give_up(&self, link: &Link) {
        let (old, new) = (link.generation, link.generation + 1);
        // Failing means that another was faster.
        self.generation
            .compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire)
            .ok();
    }
}

impl Link {
    async fn send(&mut self, pipeline: &Pipeline) -> Attempt {
        self.connection
            .req_packed_commands(pipeline, 0, pipeline.len())
            .await
    }
}

/// Whether the server has become a replica: the address leads to another one now.
fn is_demoted(reply: &Value) -> bool {
    matches!(reply, Value::ServerError(error) if error.kind() == Some(ServerErrorKind::ReadOnly))
}

impl ManageConnection for Slots {
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

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client knows the password.
        f.debug_struct("Connections")
            .field("store", &self.store)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Link(generation {})", self.generation)
    }
}
