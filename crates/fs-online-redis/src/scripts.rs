//! The scripts that run on the server.
//!
//! A script is called by its hash. A server that was restarted has forgotten it and answers
//! `NOSCRIPT`; then it is sent along, which also teaches it to the server.

use std::sync::LazyLock;

use bytes::Bytes;
use fs_core::Fence;
use fs_online::Error;
use redis::{Cmd, ServerErrorKind, Value};

use crate::connections::{Command, Connections};
use crate::lane::Lane;
use crate::reply::Replies;
use crate::stored::StoredRow;

/// A script, and the hash that it is called by.
pub(crate) struct Script {
    code: &'static str,
    hash: String,
}

/// The code of a script that compares fences.
macro_rules! with_fences {
    ($path:literal) => {
        concat!(include_str!("scripts/fences.lua"), include_str!($path))
    };
}

/// Stores and deletes rows of one bucket, newest first.
pub(crate) static WRITE: LazyLock<Script> =
    LazyLock::new(|| Script::new(with_fences!("scripts/write.lua")));

/// Lists keys and orders of one bucket.
pub(crate) static PAGE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("scripts/page.lua")));

/// Remembers a fence in a hash, if it is not smaller than the one there.
pub(crate) static RAISE: LazyLock<Script> =
    LazyLock::new(|| Script::new(with_fences!("scripts/raise.lua")));

/// Records how far a view has come, if it is where it was.
pub(crate) static PUBLISH: LazyLock<Script> =
    LazyLock::new(|| Script::new(with_fences!("scripts/publish.lua")));

/// One call of a script, on one key and perhaps another of its slot.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) slot: u16,
    pub(crate) key: String,
    pub(crate) second_key: Option<String>,
    pub(crate) arguments: Vec<Argument>,
}

/// What a script is called with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Argument {
    Bytes(Bytes),
    Row(StoredRow),
}

impl Script {
    fn new(code: &'static str) -> Self {
        let hash = redis::Script::new(code).get_hash().to_owned();
        Self { code, hash }
    }

    /// Makes `calls`, which do not depend on each other, in one round trip (two if a server must
    /// learn the script). One answer for each.
    pub(crate) async fn call<'a>(
        &self,
        connections: &'a Connections,
        operation: &'static str,
        calls: &[Call],
    ) -> Result<Replies<'a>, Error> {
        let by_hash = calls.iter().map(|call| call.command("EVALSHA", &self.hash));
        let sent = connections.send(operation, Lane::Write, by_hash.collect());
        let mut replies = sent.await?.into_values();
        let refused: Vec<usize> = (0..calls.len())
            .filter(|at| replies.get(*at).is_some_and(is_unknown_script))
            .collect();
        if !refused.is_empty() {
            let with_code = refused
                .iter()
                .map(|at| calls[*at].command("EVAL", self.code));
            let sent = connections.send(operation, Lane::Write, with_code.collect());
            for (at, reply) in refused.iter().zip(sent.await?.into_values()) {
                replies[*at] = reply;
            }
        }
        Ok(Replies::new(connections, operation, replies))
    }
}

impl Call {
    fn command(&self, eval: &str, script: &str) -> Command {
        let bytes: usize = self.arguments.iter().map(Argument::len).sum();
        let keys = [Some(&self.key), self.second_key.as_ref()];
        let keys = keys.into_iter().flatten();
        let names: usize = keys.clone().map(String::len).sum();
        let bytes = bytes + eval.len() + script.len() + names + 1;
        let mut cmd = Cmd::with_capacity(5 + self.arguments.len(), bytes);
        cmd.arg(eval).arg(script).arg(keys.clone().count());
        for key in keys {
            cmd.arg(key);
        }
        for argument in &self.arguments {
            match argument {
                Argument::Bytes(bytes) => cmd.arg(bytes.as_ref()),
                Argument::Row(row) => cmd.arg(row),
            };
        }
        let slot = self.slot;
        Command { slot, cmd }
    }
}

impl Argument {
    /// A fence as the scripts compare it; nothing for a writer that shows none.
    pub(crate) fn fence(fence: Option<Fence>) -> Self {
        Self::Bytes(fence.map_or_else(Bytes::new, |fence| Bytes::from(fence.to_string())))
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Row(row) => row.len(),
        }
    }
}

fn is_unknown_script(reply: &Value) -> bool {
    matches!(reply, Value::ServerError(error) if error.kind() == Some(ServerErrorKind::NoScript))
}
