//! The scripts that run on the server.
//!
//! A script is called by its hash. A server that was restarted has forgotten it and answers
//! `NOSCRIPT`; then it is loaded, and the calls that were refused are made again.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use fs_online::Error;
use redis::{Cmd, Pipeline, ServerErrorKind, Value, cmd, pipe};

use crate::connections::Connections;

/// A script, and the hash that it is called by.
pub(crate) struct Script {
    code: &'static str,
    hash: String,
}

/// Stores and deletes rows of one bucket, newest first.
pub(crate) static WRITE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("scripts/write.lua")));

/// Lists keys and orders of one bucket.
pub(crate) static PAGE: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("scripts/page.lua")));

/// One call of a script, on one key.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) key: String,
    pub(crate) arguments: Vec<Bytes>,
}

impl Script {
    fn new(code: &'static str) -> Self {
        let hash = redis::Script::new(code).get_hash().to_owned();
        Self { code, hash }
    }

    /// Makes `calls`, which do not depend on each other, in one round trip (two if the server must
    /// learn the script). One answer for each.
    pub(crate) async fn call(
        &self,
        connections: &Connections,
        operation: &'static str,
        within: Duration,
        calls: &[Call],
    ) -> Result<Vec<Value>, Error> {
        let mut pipeline = Pipeline::with_capacity(calls.len());
        for call in calls {
            pipeline.add_command(self.command(call));
        }
        let mut replies = connections.send(operation, within, &pipeline).await?;
        let refused: Vec<usize> = (0..calls.len())
            .filter(|at| replies.get(*at).is_some_and(is_unknown_script))
            .collect();
        if refused.is_empty() {
            return Ok(replies);
        }
        let mut again = pipe();
        again.cmd("SCRIPT").arg("LOAD").arg(self.code);
        for at in &refused {
            again.add_command(self.command(&calls[*at]));
        }
        let mut second = connections
            .send(operation, within, &again)
            .await?
            .into_iter();
        // If loading failed, so did the calls, and theirs is the error that is reported.
        second.next();
        for (at, reply) in refused.into_iter().zip(second) {
            replies[at] = reply;
        }
        Ok(replies)
    }

    fn command(&self, call: &Call) -> Cmd {
        let mut command = cmd("EVALSHA");
        command.arg(&self.hash).arg(1).arg(&call.key);
        for argument in &call.arguments {
            command.arg(argument.as_ref());
        }
        command
    }
}

fn is_unknown_script(reply: &Value) -> bool {
    matches!(reply, Value::ServerError(error) if error.kind() == Some(ServerErrorKind::NoScript))
}
