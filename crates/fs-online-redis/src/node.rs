//! One server, and the connections to it.
//!
//! A server that goes away breaks all connections together. The first to notice starts a new
//! *generation*, and the connections of the one before are replaced before they are used again.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use fs_online::Error;
use redis::{AsyncConnectionConfig, Client, Pipeline, ServerErrorKind, Value};

use crate::RedisOptions;
use crate::deadline::Deadline;
use crate::failure::{cannot_connect, failed};
use crate::lane::{Lane, Slots};
use crate::link::Link;
use crate::meter::Meter;

/// How many requests may wait to be written to a connection, which takes what waits in one go.
const QUEUE: usize = 1_024;

/// One server.
pub(crate) struct Node {
    /// What it is called in messages.
    pub(crate) store: String,
    client: Client,
    config: AsyncConnectionConfig,
    options: RedisOptions,
    reads: Slots,
    writes: Slots,
    generation: AtomicU64,
    alarm: Alarm,
    meter: Arc<Meter>,
}

/// Rings when a server does not answer: it may have been replaced by another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Alarm(Arc<AtomicBool>);

impl Alarm {
    pub(crate) fn ring(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it rang since it was last asked.
    pub(crate) fn rang(&self) -> bool {
        // The load is all there is to do nearly always.
        self.0.load(Ordering::Relaxed) && self.0.swap(false, Ordering::Relaxed)
    }
}

impl Node {
    /// Opens no connection yet.
    pub(crate) fn new(
        client: Client,
        store: String,
        options: &RedisOptions,
        alarm: Alarm,
        meter: Arc<Meter>,
    ) -> Self {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(options.connect_timeout))
            // Deadlines are kept in `send`, where the time spent on connecting counts too.
            .set_response_timeout(None)
            .set_pipeline_buffer_size(QUEUE);
        Self {
            store,
            client,
            config,
            reads: Slots::new(options.connections),
            writes: Slots::new(options.connections),
            options: options.clone(),
            generation: AtomicU64::new(0),
            alarm,
            meter,
        }
    }

    /// Sends `pipeline` in one round trip; one answer or server error for each of its commands.
    ///
    /// A pipeline may be sent a second time, when a connection turns out to be broken: all that is sent
    /// here is harmless to repeat.
    pub(crate) async fn send(
        &self,
        lane: Lane,
        deadline: Deadline,
        pipeline: &Pipeline,
    ) -> Result<Vec<Value>, Error> {
        let mut is_last = false;
        loop {
            let mut link = self.link(lane, deadline).await?;
            let sent = deadline.of(&self.store, link.send(pipeline)).await;
            match sent.inspect_err(|_late| self.alarm.ring())? {
                Ok(replies) if !replies.iter().any(is_demoted) => return Ok(replies),
                // The address leads to another server by now, or soon.
                Ok(replies) if is_last => return Ok(replies),
                Err(error) if is_last => {
                    self.give_up(&link);
                    return Err(failed(&self.store, deadline.operation, error));
                }
                Ok(_) | Err(_) => self.give_up(&link),
            }
            is_last = true;
        }
    }

    /// A connection that was good when it was last heard of, or a new one.
    async fn link(&self, lane: Lane, deadline: Deadline) -> Result<Link, Error> {
        let (slots, patience) = match lane {
            Lane::Read => (&self.reads, self.options.read_timeout),
            Lane::Write => (&self.writes, self.options.write_timeout),
        };
        let mut slot = slots.next(&self.store, deadline).await?;
        if let Some(link) = &slot.0 {
            let is_silent = link.is_silent(patience);
            if !is_silent && link.generation == self.generation.load(Ordering::Acquire) {
                return Ok(link.clone());
            }
            if is_silent {
                self.alarm.ring();
            }
        }
        slot.0 = None;
        let opened = deadline.of(&self.store, self.connect()).await;
        let link = opened.inspect_err(|_late| self.alarm.ring())??;
        slot.0 = Some(link.clone());
        Ok(link)
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
        Ok(Link::new(connection, generation, Arc::clone(&self.meter)))
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

/// Whether the server has become a replica.
fn is_demoted(reply: &Value) -> bool {
    matches!(reply, Value::ServerError(error) if error.kind() == Some(ServerErrorKind::ReadOnly))
}

impl fmt::Debug for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client knows the password.
        f.debug_struct("Node")
            .field("store", &self.store)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
