//! Which node owns which slot.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use fs_online::Error;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use redis::{
    Client, ConnectionAddr, ErrorKind, FromRedisValue as _, RedisError, Value, from_redis_value,
    pipe,
};

use crate::deadline::Deadline;
use crate::failure::failed;
use crate::keyspace::SLOTS;
use crate::lane::Lane;
use crate::node::Node;

/// How many nodes are asked at once.
const ASKED_AT_ONCE: usize = 3;

/// Host and port of a node.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Place {
    host: String,
    port: u16,
}

/// Which node owns which slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Topology {
    places: Vec<Place>,
    /// The owner of each slot, as 1 and its position in `places`; 0 if there is none.
    owners: Vec<u16>,
}

impl Place {
    pub(super) fn new(host: &str, port: u16) -> Self {
        let host = host.to_owned();
        Self { host, port }
    }

    /// `HOST:PORT`; without a host, that of `from`.
    pub(super) fn parse(address: &str, from: &Self) -> Option<Self> {
        let (host, port) = address.rsplit_once(':')?;
        let host = if host.is_empty() { &from.host } else { host };
        Some(Self::new(host, port.parse().ok()?))
    }

    /// Where `client` leads to.
    pub(super) fn of(client: &Client) -> Option<Self> {
        match client.get_connection_info().addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                Some(Self::new(host, *port))
            }
            _ => None,
        }
    }

    /// A client to this place that is otherwise like `model`.
    pub(super) fn client_like(&self, model: &Client) -> Result<Client, RedisError> {
        let info = model.get_connection_info().clone();
        let addr = match info.addr().clone() {
            ConnectionAddr::TcpTls {
                insecure,
                tls_params,
                ..
            } => ConnectionAddr::TcpTls {
                host: self.host.clone(),
                port: self.port,
                insecure,
                tls_params,
            },
            _ => ConnectionAddr::Tcp(self.host.clone(), self.port),
        };
        Client::open(info.set_addr(addr))
    }
}

impl Topology {
    /// The owner of a slot.
    pub(super) fn owner(&self, slot: u16) -> Option<&Place> {
        let owner = usize::from(*self.owners.get(usize::from(slot))?);
        self.places.get(owner.checked_sub(1)?)
    }

    /// All that own slots.
    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    /// The same with another owner of one slot.
    pub(super) fn with_owner(&self, slot: u16, place: &Place) -> Self {
        let mut changed = self.clone();
        changed.own(slot..=slot, place);
        changed
    }

    /// What `from` answered to `CLUSTER SLOTS`:
    ///
    /// ```text
    ///   [[first slot, last slot, [host, port, …] of the owner, [host, port, …] of a replica, …], …]
    /// ```
    ///
    /// A host that is empty or null is that of whoever answers; one that is `?` is not known.
    fn from_reply(reply: Value, from: &Place) -> Result<Self, RedisError> {
        let mut topology = Self {
            places: Vec::new(),
            owners: vec![0; usize::from(SLOTS)],
        };
        for range in Vec::<Vec<Value>>::from_redis_value(reply)? {
            let mut range = range.into_iter();
            let (Some(first), Some(last), Some(owner)) = (range.next(), range.next(), range.next())
            else {
                return Err(malformed());
            };
            let (first, last): (u16, u16) = (from_redis_value(first)?, from_redis_value(last)?);
            let mut owner = Vec::<Value>::from_redis_value(owner)?.into_iter();
            let (Some(host), Some(port)) = (owner.next(), owner.next()) else {
                return Err(malformed());
            };
            let (host, port): (Option<String>, u16) =
                (from_redis_value(host)?, from_redis_value(port)?);
            if last >= SLOTS {
                return Err(malformed());
            }
            let host = match host.as_deref() {
                Some("?") => continue,
                None | Some("") => &from.host,
                Some(host) => host,
            };
            topology.own(first..=last, &Place::new(host, port));
        }
        Ok(topology)
    }

    fn own(&mut self, slots: RangeInclusive<u16>, place: &Place) {
        let known = self.places.iter().position(|known| known == place);
        let at = known.unwrap_or_else(|| {
            self.places.push(place.clone());
            self.places.len() - 1
        });
        // There are no more owners than slots.
        let owner = u16::try_from(at + 1).unwrap_or_default();
        for slot in slots {
            self.owners[usize::from(slot)] = owner;
        }
    }
}

/// Asks `nodes`, a few at a time, who owns what; the first answer counts.
pub(super) async fn ask(
    nodes: &[(Place, Arc<Node>)],
    patience: Duration,
    deadline: Deadline,
) -> Result<Topology, Error> {
    let mut last = None;
    for some in nodes.chunks(ASKED_AT_ONCE) {
        let deadline = deadline.at_most(patience);
        let mut asked: FuturesUnordered<_> = some
            .iter()
            .map(|(place, node)| ask_one(place, node, deadline))
            .collect();
        while let Some(outcome) = asked.next().await {
            match outcome {
                Ok(topology) => return Ok(topology),
                Err(error) => last = Some(error),
            }
        }
    }
    Err(last.unwrap_or_else(|| Error::Unavailable {
        store: "redis cluster".to_owned(),
        source: "none of its nodes is known".into(),
    }))
}

async fn ask_one(place: &Place, node: &Node, deadline: Deadline) -> Result<Topology, Error> {
    let mut slots = pipe();
    slots.cmd("CLUSTER").arg("SLOTS");
    let mut replies = node.send(Lane::Read, deadline, &slots).await?;
    let reply = replies.pop().unwrap_or_default().extract_error();
    reply
        .and_then(|reply| Topology::from_reply(reply, place))
        .map_err(|error| failed(&node.store, deadline.operation, error))
}

fn malformed() -> RedisError {
    let error = (
        ErrorKind::UnexpectedReturnType,
        "the server gave slots of an unexpected shape",
    );
    error.into()
}

#[cfg(test)]
mod tests;
