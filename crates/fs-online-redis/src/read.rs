//! Reading rows: one round trip, however many views and keys.

use bytes::Bytes;
use fs_online::{Error, ViewKeys};
use redis::{Cmd, Pipeline, cmd};

use crate::connections::Connections;
use crate::keyspace::{bucket, bucket_key, state_key};
use crate::reply::Replies;
use crate::state::{FORMAT_FIELD, check_format};

const OPERATION: &str = "read";

/// The rows of all keys, in their order.
///
/// For every view one `HGET` of its format, so that rows of a later release are never taken for ours,
/// and one `HMGET` for each bucket that its keys fall into.
pub(crate) async fn read(
    connections: &Connections,
    requests: &[ViewKeys<'_>],
) -> Result<Vec<Vec<Option<Bytes>>>, Error> {
    let mut pipeline = Pipeline::new();
    let grouped: Vec<Vec<(u16, usize)>> = requests.iter().map(by_bucket).collect();
    for (request, positions) in requests.iter().zip(&grouped) {
        if positions.is_empty() {
            continue;
        }
        let mut format = cmd("HGET");
        format.arg(state_key(request.view)).arg(FORMAT_FIELD);
        pipeline.add_command(format);
        for group in same_bucket(positions) {
            pipeline.add_command(get(request, group));
        }
    }
    if pipeline.is_empty() {
        return Ok(vec![Vec::new(); requests.len()]);
    }
    let within = connections.options.read_timeout;
    let replies = connections.send(OPERATION, within, &pipeline).await?;
    let mut replies = Replies::new(connections, OPERATION, replies);
    let mut answers = Vec::with_capacity(requests.len());
    for (request, positions) in requests.iter().zip(&grouped) {
        let mut rows = vec![None; request.keys.len()];
        if !positions.is_empty() {
            let format: Option<Vec<u8>> = replies.next()?;
            check_format(&connections.store, request.view, format.as_deref())?;
        }
        for group in same_bucket(positions) {
            let found: Vec<Option<Vec<u8>>> = replies.next()?;
            if found.len() != group.len() {
                return Err(replies.unexpected());
            }
            for ((_, position), row) in group.iter().zip(found) {
                rows[*position] = row.map(Bytes::from);
            }
        }
        answers.push(rows);
    }
    Ok(answers)
}

/// The positions of all keys, by bucket.
fn by_bucket(request: &ViewKeys<'_>) -> Vec<(u16, usize)> {
    let buckets = request.keys.iter().map(bucket);
    let mut positions: Vec<(u16, usize)> = buckets.zip(0..).collect();
    positions.sort_unstable();
    positions
}

fn same_bucket(positions: &[(u16, usize)]) -> impl Iterator<Item = &[(u16, usize)]> {
    positions.chunk_by(|(a, _), (b, _)| a == b)
}

/// The command that gets the keys of one bucket.
fn get(request: &ViewKeys<'_>, group: &[(u16, usize)]) -> Cmd {
    let mut command = cmd("HMGET");
    for (bucket, position) in group {
        if command.args_iter().len() == 1 {
            command.arg(bucket_key(request.view, *bucket));
        }
        command.arg(request.keys[*position].as_bytes());
    }
    command
}
