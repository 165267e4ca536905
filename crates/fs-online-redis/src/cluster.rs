//! A Redis Cluster: commands go to the nodes that own their slots, all nodes at once.
//!
//! ```text
//!   commands ─► by owner of the slot ─► one pipeline per node, concurrently ─► answers, in order
//!                     ▲                                     │
//!                     └── MOVED: the owner is another ──────┤  only the commands concerned
//!                         ASK: once to another, ASKING ─────┤
//!                         a node is gone: ask who owns ─────┘
//! ```
//!
//! The `redis` crate's own client of clusters is not used: it sends a pipeline to *one* node, and
//! repeats all of it at the address in the first `MOVED` or `ASK`, where the other slots of the pipeline
//! do not live and `ASKING` covers the first command only; and it holds up every request to
//! every node while it learns who owns what.

mod learning;
mod redirect;
mod round;
mod topology;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use std::{fmt, iter};

use arc_swap::ArcSwapOption;
use fs_online::Error;
use futures::StreamExt as _;
use futures::future::join_all;
use futures::stream::FuturesUnordered;
use redis::{Client, Pipeline, Value};
use tokio::time::Instant;

use crate::RedisOptions;
use crate::address::{Address, address_of};
use crate::connections::Command;
use crate::deadline::Deadline;
use crate::failure::cannot_connect;
use crate::lane::Lane;
use crate::meter::Meter;
use crate::node::{Alarm, Node};
use redirect::Redirect;
use round::{Errand, Round, rounds};
use topology::{Place, Topology};

/// How often a command is sent on before it is given up. A slot that moves takes two or three.
const ATTEMPTS: usize = 8;

/// How long to wait when two nodes are about to agree on a slot.
const PAUSE: Duration = Duration::from_millis(10);

/// A cluster, as far as it is known.
pub(crate) struct Cluster {
    store: String,
    options: RedisOptions,
    /// The servers that the URL names.
    seeds: Vec<Place>,
    /// A client to one of them: those to the others differ in the place only.
    model: Client,
    alarm: Alarm,
    meter: Arc<Meter>,
    /// Every node that was heard of lately.
    nodes: Mutex<HashMap<Place, Arc<Node>>>,
    topology: ArcSwapOption<Topology>,
    /// Held by the one who finds out who owns what; when that was last done.
    learning: tokio::sync::Mutex<Option<Instant>>,
}

impl Cluster {
    pub(crate) fn new(address: Address, options: &RedisOptions, meter: Arc<Meter>) -> Self {
        let servers = iter::once(&address.server).chain(&address.others);
        Self {
            seeds: servers.filter_map(Place::of).collect(),
            store: address.store,
            options: options.clone(),
            model: address.server,
            alarm: Alarm::default(),
            meter,
            nodes: Mutex::default(),
            topology: ArcSwapOption::empty(),
            learning: tokio::sync::Mutex::default(),
        }
    }

    /// One answer or server error for each command, in their order.
    pub(crate) async fn send(
        &self,
        lane: Lane,
        deadline: Deadline,
        commands: Vec<Command>,
    ) -> Result<Vec<Value>, Error> {
        let mut answers = vec![Value::Nil; commands.len()];
        let mut errands: Vec<Errand> = (0..).zip(commands).map(Errand::first).collect();
        for attempt in 1..=ATTEMPTS {
            let topology = self.topology(deadline).await?;
            let owner = |slot| topology.owner(slot).ok_or_else(|| self.unowned(slot));
            let rounds = rounds(errands, owner, |place| self.node(place))?;
            let sent = rounds.iter().map(|round| round.send(lane, deadline));
            let outcomes = join_all(sent).await;
            errands = Vec::new();
            let mut pause = None;
            for (round, outcome) in rounds.into_iter().zip(outcomes) {
                match outcome {
                    Ok(replies) => {
                        for (errand, reply) in round.answered(replies) {
                            match Redirect::of(&reply, errand.slot, round.place()) {
                                Some(redirect) if attempt < ATTEMPTS => {
                                    pause = pause.max(self.follow(&redirect));
                                    errands.push(round.again(&errand, redirect.to()));
                                }
                                _ => answers[errand.position] = reply,
                            }
                        }
                    }
                    Err(error) => {
                        errands.extend(self.elsewhere(&topology, round, error, deadline).await?);
                    }
                }
            }
            if errands.is_empty() {
                break;
            }
            if let Some(pause) = pause {
                deadline.of(&self.store, tokio::time::sleep(pause)).await?;
            }
        }
        Ok(answers)
    }

    /// What the first node that answers says; an error if none does.
    ///
    /// A cluster that has lost a node is there: it serves all other slots.
    pub(crate) async fn ask_any(
        &self,
        deadline: Deadline,
        pipeline: &Pipeline,
    ) -> Result<Vec<Value>, Error> {
        let topology = self.topology(deadline).await?;
        let nodes = topology.places().iter().map(|place| self.node(place));
        let nodes: Vec<Arc<Node>> = nodes.collect::<Result<_, _>>()?;
        let mut asked: FuturesUnordered<_> = nodes
            .iter()
            .map(|node| node.send(Lane::Read, deadline, pipeline))
            .collect();
        let mut last = None;
        while let Some(outcome) = asked.next().await {
            match outcome {
                Ok(replies) => return Ok(replies),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| self.unowned(0)))
    }

    /// Takes note of a redirection; how long to wait before it is followed.
    fn follow(&self, redirect: &Redirect) -> Option<Duration> {
        match redirect {
            Redirect::Moved { slot, place } => {
                self.topology.rcu(|known| {
                    let known = known.as_deref()?;
                    Some(Arc::new(known.with_owner(*slot, place)))
                });
                None
            }
            Redirect::Ask { .. } => None,
            Redirect::TryAgain => Some(PAUSE),
        }
    }

    /// The errands of a node that failed, for the node that has taken its place; else its error.
    async fn elsewhere(
        &self,
        topology: &Arc<Topology>,
        round: Round,
        error: Error,
        deadline: Deadline,
    ) -> Result<Vec<Errand>, Error> {
        if !matches!(error, Error::Unavailable { .. }) {
            return Err(error);
        }
        let Ok(now) = self.learn(Some(round.place()), deadline).await else {
            return Err(error);
        };
        let has_moved = |slot| now.owner(slot) != Some(round.place());
        if Arc::ptr_eq(topology, &now) || !round.slots().all(has_moved) {
            return Err(error);
        }
        Ok(round.all_again())
    }

    fn node(&self, place: &Place) -> Result<Arc<Node>, Error> {
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(node) = nodes.get(place) {
            return Ok(Arc::clone(node));
        }
        let client = place
            .client_like(&self.model)
            .map_err(|error| cannot_connect(&self.store, error))?;
        let store = format!("redis at {}, of the {}", address_of(&client), self.store);
        let (alarm, meter) = (self.alarm.clone(), Arc::clone(&self.meter));
        let node = Arc::new(Node::new(client, store, &self.options, alarm, meter));
        nodes.insert(place.clone(), Arc::clone(&node));
        Ok(node)
    }

    fn unowned(&self, slot: u16) -> Error {
        self.alarm.ring();
        Error::Unavailable {
            store: self.store.clone(),
            source: format!("no node owns slot {slot}").into(),
        }
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The clients know the password.
        f.debug_struct("Cluster")
            .field("store", &self.store)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
