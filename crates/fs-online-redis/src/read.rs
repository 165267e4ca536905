//! Reading rows: one round trip to each server, however many views and keys.

use std::sync::Arc;

use bytes::Bytes;
use fs_online::{Error, ViewKeys};
use redis::{Cmd, Value};

use crate::connections::{Command, Connections};
use crate::keyspace::Buckets;
use crate::lane::Lane;
use crate::reply::Replies;
use crate::state;
use crate::stored::row_of;
use crate::views::Views;

const OPERATION: &str = "read";

/// The rows of the keys of one view.
type Rows = Vec<Option<Bytes>>;

/// The position of a key in a request, and its bucket.
type Placed = (u16, usize);

/// The rows of all keys, in their order.
///
/// One `HMGET` for each bucket that keys of a view fall into. How many buckets a view has is asked
/// when it is first read, and again when it reads as empty; so is its format, so that a view that a
/// later release has taken over is refused and does not pass for empty.
pub(crate) async fn read(
    connections: &Connections,
    views: &Views,
    requests: &[ViewKeys<'_>],
) -> Result<Vec<Rows>, Error> {
    let mut buckets: Vec<_> = requests.iter().map(|on| views.buckets(on.view)).collect();
    let unknown = (0..requests.len())
        .filter(|at| buckets[*at].is_none() && !requests[*at].keys.is_empty())
        .collect();
    look_up(connections, views, requests, &mut buckets, unknown).await?;
    let mut rows = fetch(connections, requests, &buckets).await?;
    let doubtful: Vec<usize> = (0..requests.len())
        .filter(|at| {
            let found_nothing = !rows[*at].is_empty() && rows[*at].iter().all(Option::is_none);
            found_nothing && views.is_doubtful(requests[*at].view)
        })
        .collect();
    if look_up(connections, views, requests, &mut buckets, doubtful).await? {
        rows = fetch(connections, requests, &buckets).await?;
    }
    Ok(rows)
}

/// Asks for the buckets of the views at these positions; whether they are others than was thought.
async fn look_up(
    connections: &Connections,
    views: &Views,
    requests: &[ViewKeys<'_>],
    buckets: &mut [Option<Arc<Buckets>>],
    positions: Vec<usize>,
) -> Result<bool, Error> {
    if positions.is_empty() {
        return Ok(false);
    }
    let asked: Vec<_> = positions.iter().map(|at| requests[*at].view).collect();
    let found = state::buckets(connections, views, OPERATION, Lane::Read, &asked).await?;
    let mut has_changed = false;
    for (at, found) in positions.into_iter().zip(found) {
        has_changed |= buckets[at] != found;
        buckets[at] = found;
    }
    Ok(has_changed)
}

async fn fetch(
    connections: &Connections,
    requests: &[ViewKeys<'_>],
    buckets: &[Option<Arc<Buckets>>],
) -> Result<Vec<Rows>, Error> {
    let mut commands = Vec::new();
    let mut placed: Vec<Vec<Placed>> = Vec::with_capacity(requests.len());
    let mut name = String::new();
    for (request, buckets) in requests.iter().zip(buckets) {
        let Some(buckets) = buckets else {
            placed.push(Vec::new());
            continue;
        };
        let positions = by_bucket(buckets, request);
        for group in same_bucket(&positions) {
            commands.push(get(buckets, request, group, &mut name));
        }
        placed.push(positions);
    }
    let mut rows: Vec<Rows> = requests
        .iter()
        .map(|on| vec![None; on.keys.len()])
        .collect();
    if commands.is_empty() {
        return Ok(rows);
    }
    let mut replies = connections.send(OPERATION, Lane::Read, commands).await?;
    for (rows, positions) in rows.iter_mut().zip(&placed) {
        for group in same_bucket(positions) {
            take(&mut replies, group, rows)?;
        }
    }
    Ok(rows)
}

/// The positions of all keys, by bucket.
fn by_bucket(buckets: &Buckets, request: &ViewKeys<'_>) -> Vec<Placed> {
    let of_keys = request.keys.iter().map(|key| buckets.of(key));
    let mut positions: Vec<Placed> = of_keys.zip(0..).collect();
    positions.sort_unstable();
    positions
}

fn same_bucket(positions: &[Placed]) -> impl Iterator<Item = &[Placed]> {
    positions.chunk_by(|(a, _), (b, _)| a == b)
}

/// The command that gets the keys of one bucket.
fn get(buckets: &Buckets, request: &ViewKeys<'_>, group: &[Placed], name: &mut String) -> Command {
    let bucket = group.first().map_or(0, |(bucket, _)| *bucket);
    buckets.write_key(name, request.view, bucket);
    let keys = || group.iter().map(|(_, at)| request.keys[*at].as_bytes());
    let bytes = keys().map(<[u8]>::len).sum::<usize>();
    let mut cmd = Cmd::with_capacity(2 + group.len(), "HMGET".len() + name.len() + bytes);
    cmd.arg("HMGET").arg(name.as_str());
    for key in keys() {
        cmd.arg(key);
    }
    let slot = buckets.slot(bucket);
    Command { slot, cmd }
}

/// Puts the next answer where it belongs.
fn take(replies: &mut Replies<'_>, group: &[Placed], rows: &mut Rows) -> Result<(), Error> {
    let Value::Array(found) = replies.next_value()? else {
        return Err(replies.unexpected());
    };
    if found.len() != group.len() {
        return Err(replies.unexpected());
    }
    for ((_, position), stored) in group.iter().zip(found) {
        rows[*position] = match stored {
            Value::BulkString(stored) => Some(row_of(stored)?),
            Value::Nil => None,
            _ => return Err(replies.unexpected()),
        };
    }
    Ok(())
}
