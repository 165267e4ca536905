//! A Redis Cluster of our own.

use ::redis::{Cmd, Connection, FromRedisValue, cmd};
use anyhow::{Context, Result};

use super::server::RedisProcess;
use crate::net::{PATIENCE, free_port, wait_until};

/// How many slots a cluster has.
const SLOTS: u16 = 16_384;

/// A few `redis-server`s on free loopback ports that form a cluster, without replicas.
///
/// Nodes are numbered from 0, and each owns an equal range of the slots, in that order. They end when
/// this is dropped.
#[derive(Debug)]
pub struct TestRedisCluster {
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    server: RedisProcess,
    /// The port on which nodes talk to each other.
    bus: u16,
}

/// A range of slots: first, last, and host, port, id and other names of the owner.
type Range = (u16, u16, (String, u16, String, Vec<String>));

impl TestRedisCluster {
    /// A cluster of `count` nodes that answers.
    pub fn start(count: u16) -> Result<Self> {
        let nodes = (0..count).map(|_| start_node()).collect::<Result<_>>()?;
        let cluster = Self { nodes };
        cluster.meet()?;
        cluster.share_out()?;
        cluster.wait_until_whole()?;
        Ok(cluster)
    }

    /// The URL of all nodes: `redis://127.0.0.1:40123,127.0.0.1:40124`.
    pub fn url(&self) -> String {
        let nodes = self.nodes.iter().map(|node| node.server.address());
        format!("redis://{}", nodes.collect::<Vec<_>>().join(","))
    }

    /// Host and port of a node, as messages show them.
    pub fn address(&self, node: usize) -> Result<String> {
        Ok(self.node(node)?.server.address())
    }

    /// A connection to a node.
    pub fn connect(&self, node: usize) -> Result<Connection> {
        let client = ::redis::Client::open(self.node(node)?.server.url())?;
        Ok(client.get_connection_with_timeout(PATIENCE)?)
    }

    /// The node that owns `slot`, as far as the first node knows.
    pub fn owner(&self, slot: u16) -> Result<usize> {
        let ranges: Vec<Range> = self.ask(0, &["CLUSTER", "SLOTS"])?;
        let range = ranges
            .into_iter()
            .find(|(first, last, _)| (*first..=*last).contains(&slot));
        let (_, _, (_, port, ..)) = range.with_context(|| format!("no node owns slot {slot}"))?;
        let owner = self
            .nodes
            .iter()
            .position(|node| node.server.port() == port);
        owner.with_context(|| format!("port {port} is of no node"))
    }

    /// Begins to move `slot` to the node `to`: keys that are not there any more are asked for there.
    pub fn begin_move(&self, slot: u16, to: usize) -> Result<()> {
        let from = self.owner(slot)?;
        let slot = slot.to_string();
        let (from_id, to_id) = (self.id(from)?, self.id(to)?);
        let set = |node, state, id: &str| -> Result<()> {
            let _ok: String = self.ask(node, &["CLUSTER", "SETSLOT", &slot, state, id])?;
            Ok(())
        };
        set(to, "IMPORTING", &from_id)?;
        set(from, "MIGRATING", &to_id)
    }

    /// Moves at most `count` keys of a slot that is on its way; how many there were.
    pub fn move_keys(&self, slot: u16, to: usize, count: usize) -> Result<usize> {
        let from = self.owner(slot)?;
        let (slot, count) = (slot.to_string(), count.to_string());
        let keys: Vec<Vec<u8>> = self.ask(from, &["CLUSTER", "GETKEYSINSLOT", &slot, &count])?;
        let mut connection = self.connect(from)?;
        for key in &keys {
            cmd("MIGRATE")
                .arg("127.0.0.1")
                .arg(self.node(to)?.server.port())
                .arg(key)
                .arg(0)
                .arg(5_000)
                .exec(&mut connection)?;
        }
        Ok(keys.len())
    }

    /// Ends a move whose keys have all been moved: `slot` belongs to the node `to`.
    pub fn end_move(&self, slot: u16, to: usize) -> Result<()> {
        let id = self.id(to)?;
        let number = slot.to_string();
        // The new owner first, so that there always is one.
        let others = (0..self.nodes.len()).filter(|node| *node != to);
        for node in [to].into_iter().chain(others) {
            let _ok: String = self.ask(node, &["CLUSTER", "SETSLOT", &number, "NODE", &id])?;
        }
        Ok(())
    }

    /// Makes `node` a replica of the node `of`, which takes over once `of` has gone.
    pub fn replicate(&self, node: usize, of: usize) -> Result<()> {
        let id = self.id(of)?;
        wait_until(PATIENCE, || {
            let told: Result<String> = self.ask(node, &["CLUSTER", "REPLICATE", &id]);
            Ok(told.is_ok().then_some(()))
        })
        .context("it cannot become a replica")?;
        wait_until(PATIENCE, || {
            let state: String = self.ask(node, &["INFO", "replication"])?;
            Ok(state.contains("master_link_status:up").then_some(()))
        })
        .context("the replica does not follow")
    }

    /// Returns once the replicas of `node` have all that it has.
    pub fn wait_until_followed(&self, node: usize) -> Result<()> {
        let number = |info: &str, name: &str| {
            let (_, rest) = info.split_once(name)?;
            let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
            digits.parse::<u64>().ok()
        };
        wait_until(PATIENCE, || {
            let info: String = self.ask(node, &["INFO", "replication"])?;
            let has = number(&info, "master_repl_offset:");
            // slave0:ip=127.0.0.1,port=40123,state=online,offset=560,lag=0
            let followed = number(&info, ",offset=");
            Ok(followed
                .filter(|followed| Some(*followed) >= has)
                .map(|_| ()))
        })
        .with_context(|| format!("nobody follows node {node}"))
    }

    /// Adds a node that owns no slots.
    pub fn add(&mut self) -> Result<usize> {
        self.nodes.push(start_node()?);
        self.meet()?;
        Ok(self.nodes.len() - 1)
    }

    /// Ends a node; what it held is lost, and that it is one of a cluster is not.
    pub fn stop(&mut self, node: usize) -> Result<()> {
        self.server(node)?.stop()
    }

    /// Starts a node again, on the port that it had.
    pub fn restart(&mut self, node: usize) -> Result<()> {
        self.server(node)?.restart()
    }

    /// Makes a node hang.
    pub fn freeze(&mut self, node: usize) -> Result<()> {
        self.server(node)?.signal("STOP")
    }

    /// Lets a frozen node go on.
    pub fn thaw(&mut self, node: usize) -> Result<()> {
        self.server(node)?.signal("CONT")
    }

    /// Returns once all nodes know of all slots who serves them.
    pub fn wait_until_whole(&self) -> Result<()> {
        for node in 0..self.nodes.len() {
            wait_until(PATIENCE, || {
                let info: String = self.ask(node, &["CLUSTER", "INFO"])?;
                let is_whole = ["cluster_state:ok", "cluster_slots_ok:16384"];
                Ok(is_whole
                    .iter()
                    .all(|line| info.contains(line))
                    .then_some(()))
            })
            .with_context(|| format!("node {node} never had a whole cluster"))?;
        }
        Ok(())
    }

    /// Makes all nodes know each other.
    fn meet(&self) -> Result<()> {
        for node in 1..self.nodes.len() {
            let Node { server, bus } = self.node(node)?;
            let (port, bus) = (server.port().to_string(), bus.to_string());
            let _ok: String = self.ask(0, &["CLUSTER", "MEET", "127.0.0.1", &port, &bus])?;
        }
        for node in 0..self.nodes.len() {
            wait_until(PATIENCE, || {
                let nodes: String = self.ask(node, &["CLUSTER", "NODES"])?;
                let known = nodes.lines().filter(|line| !line.contains("handshake"));
                Ok((known.count() == self.nodes.len()).then_some(()))
            })
            .with_context(|| format!("node {node} never met the others"))?;
        }
        Ok(())
    }

    fn share_out(&self) -> Result<()> {
        let count = self.nodes.len();
        let bound = |node: usize| usize::from(SLOTS) * node / count;
        for node in 0..count {
            let (first, last) = (bound(node).to_string(), (bound(node + 1) - 1).to_string());
            let add = ["CLUSTER", "ADDSLOTSRANGE", &first, &last];
            let _ok: String = self.ask(node, &add)?;
        }
        Ok(())
    }

    fn id(&self, node: usize) -> Result<String> {
        self.ask(node, &["CLUSTER", "MYID"])
    }

    fn ask<T: FromRedisValue>(&self, node: usize, words: &[&str]) -> Result<T> {
        let mut connection = self.connect(node)?;
        let mut command = Cmd::new();
        for word in words {
            command.arg(*word);
        }
        let asked = command.query(&mut connection);
        asked.with_context(|| format!("node {node} refused `{}`", words.join(" ")))
    }

    fn node(&self, node: usize) -> Result<&Node> {
        self.nodes.get(node).context("there is no such node")
    }

    fn server(&mut self, node: usize) -> Result<&mut RedisProcess> {
        let node = self.nodes.get_mut(node).context("there is no such node")?;
        Ok(&mut node.server)
    }
}

fn start_node() -> Result<Node> {
    let bus = free_port()?;
    let port = bus.to_string();
    let words = [
        "--cluster-enabled",
        "yes",
        "--cluster-port",
        &port,
        // A node is given up soon, and slots that are not served do not stop the others.
        "--cluster-node-timeout",
        "500",
        "--cluster-require-full-coverage",
        "no",
        "--cluster-allow-replica-migration",
        "no",
        "--cluster-replica-validity-factor",
        "0",
    ];
    let server = RedisProcess::start(&words.map(str::to_owned))?;
    Ok(Node { server, bus })
}
