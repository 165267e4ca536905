//! What one node is asked in one round trip.

use std::sync::Arc;

use fs_online::Error;
use redis::{Cmd, Pipeline, Value, cmd};

use super::topology::Place;
use crate::connections::Command;
use crate::deadline::Deadline;
use crate::lane::Lane;
use crate::node::Node;

/// A command on its way.
#[derive(Debug)]
pub(super) struct Errand {
    /// Which of the answers is its.
    pub(super) position: usize,
    pub(super) slot: u16,
    pub(super) to: To,
    cmd: Cmd,
}

/// Where a command goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum To {
    /// Whoever owns its slot.
    Owner,
    /// The node that is said to own it.
    Place(Place),
    /// The node that is about to own it: say `ASKING` first.
    Asking(Place),
}

/// The commands for one node.
#[derive(Debug)]
pub(super) struct Round {
    place: Place,
    node: Arc<Node>,
    pipeline: Pipeline,
    /// One for each command of the pipeline.
    errands: Vec<Sent>,
}

/// A command of a round.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sent {
    pub(super) position: usize,
    pub(super) slot: u16,
    /// Its place in the pipeline.
    at: usize,
}

impl Errand {
    pub(super) fn first((position, command): (usize, Command)) -> Self {
        Self {
            position,
            slot: command.slot,
            to: To::Owner,
            cmd: command.cmd,
        }
    }
}

/// The errands by node; within a node, in their order.
pub(super) fn rounds<'a>(
    errands: Vec<Errand>,
    owner: impl Fn(u16) -> Result<&'a Place, Error>,
    node: impl Fn(&Place) -> Result<Arc<Node>, Error>,
) -> Result<Vec<Round>, Error> {
    let mut rounds: Vec<Round> = Vec::new();
    for errand in errands {
        let place = match &errand.to {
            To::Owner => owner(errand.slot)?,
            To::Place(place) | To::Asking(place) => place,
        };
        let round = match rounds.iter().position(|round| round.place == *place) {
            Some(at) => &mut rounds[at],
            None => rounds.push_mut(Round {
                place: place.clone(),
                node: node(place)?,
                pipeline: Pipeline::new(),
                errands: Vec::new(),
            }),
        };
        if matches!(errand.to, To::Asking(_)) {
            round.pipeline.add_command(cmd("ASKING"));
        }
        round.errands.push(Sent {
            position: errand.position,
            slot: errand.slot,
            at: round.pipeline.len(),
        });
        round.pipeline.add_command(errand.cmd);
    }
    Ok(rounds)
}

impl Round {
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    pub(super) async fn send(&self, lane: Lane, deadline: Deadline) -> Result<Vec<Value>, Error> {
        self.node.send(lane, deadline, &self.pipeline).await
    }

    /// The errands with their answers.
    pub(super) fn answered(&self, mut replies: Vec<Value>) -> Vec<(Sent, Value)> {
        let answer = |sent: &Sent| {
            let reply = replies.get_mut(sent.at).map(std::mem::take);
            (*sent, reply.unwrap_or_default())
        };
        self.errands.iter().map(answer).collect()
    }

    /// An errand once more, to another place.
    pub(super) fn again(&self, sent: &Sent, to: To) -> Errand {
        let cmd = self.pipeline.cmd_iter().nth(sent.at).cloned();
        Errand {
            position: sent.position,
            slot: sent.slot,
            to,
            cmd: cmd.unwrap_or_default(),
        }
    }

    /// All errands once more, to whoever owns their slots now.
    pub(super) fn all_again(&self) -> Vec<Errand> {
        let again = |sent| self.again(sent, To::Owner);
        self.errands.iter().map(again).collect()
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = u16> {
        self.errands.iter().map(|sent| sent.slot)
    }
}
