//! The way to Redis: one server, or a cluster of them.

use std::sync::Arc;
use std::time::Duration;

use fs_online::{Error, StoreUsage};
use redis::{Cmd, Pipeline};

use crate::address::{self, Address};
use crate::cluster::Cluster;
use crate::deadline::Deadline;
use crate::keyspace::slot;
use crate::lane::Lane;
use crate::meter::Meter;
use crate::node::{Alarm, Node};
use crate::{RedisOptions, reply::Replies};

/// A command on one key, and the slot of that key.
#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) slot: u16,
    pub(crate) cmd: Cmd,
}

impl Command {
    /// `name` on `key`: add the other arguments.
    pub(crate) fn on(name: &str, key: &str) -> Self {
        let mut cmd = redis::cmd(name);
        cmd.arg(key);
        let slot = slot(key.as_bytes());
        Self { slot, cmd }
    }

    pub(crate) fn arg(mut self, argument: impl redis::ToRedisArgs) -> Self {
        self.cmd.arg(argument);
        self
    }
}

/// The way to one Redis.
#[derive(Debug)]
pub(crate) struct Connections {
    /// What the store is called in messages.
    pub(crate) store: String,
    pub(crate) options: RedisOptions,
    servers: Servers,
    meter: Arc<Meter>,
}

#[derive(Debug)]
enum Servers {
    One(Node),
    Cluster(Cluster),
}

impl Connections {
    /// Opens no connection yet.
    pub(crate) fn new(url: &str, options: RedisOptions) -> Result<Self, Error> {
        let address = address::open(url, &options)?;
        let store = address.store.clone();
        let meter = Arc::new(Meter::default());
        let servers = if options.cluster {
            Servers::Cluster(Cluster::new(address, &options, Arc::clone(&meter)))
        } else {
            let Address { store, server, .. } = address;
            let node = Node::new(
                server,
                store,
                &options,
                Alarm::default(),
                Arc::clone(&meter),
            );
            Servers::One(node)
        };
        Ok(Self {
            store,
            options,
            servers,
            meter,
        })
    }

    /// Sends `commands` in one round trip to each server that they concern; one answer or server error
    /// for each. They do not depend on each other, unless they concern the same key.
    pub(crate) async fn send(
        &self,
        operation: &'static str,
        lane: Lane,
        commands: Vec<Command>,
    ) -> Result<Replies<'_>, Error> {
        let deadline = Deadline::new(operation, self.patience(lane));
        let replies = match &self.servers {
            Servers::One(node) => {
                let mut pipeline = Pipeline::with_capacity(commands.len());
                for command in commands {
                    pipeline.add_command(command.cmd);
                }
                node.send(lane, deadline, &pipeline).await?
            }
            Servers::Cluster(cluster) => cluster.send(lane, deadline, commands).await?,
        };
        Ok(Replies::new(self, operation, replies))
    }

    /// Asks whether there is an answer, in a cluster from any node.
    pub(crate) async fn ping(&self) -> Result<(), Error> {
        const OPERATION: &str = "answer";
        let deadline = Deadline::new(OPERATION, self.patience(Lane::Read));
        let mut ping = redis::pipe();
        ping.cmd("PING");
        let pongs = match &self.servers {
            Servers::One(node) => node.send(Lane::Read, deadline, &ping).await?,
            Servers::Cluster(cluster) => cluster.ask_any(deadline, &ping).await?,
        };
        let _pong: String = Replies::new(self, OPERATION, pongs).next()?;
        Ok(())
    }

    /// The connections to all servers.
    pub(crate) fn usage(&self) -> StoreUsage {
        self.meter.usage()
    }

    fn patience(&self, lane: Lane) -> Duration {
        match lane {
            Lane::Read => self.options.read_timeout,
            Lane::Write => self.options.write_timeout,
        }
    }
}
