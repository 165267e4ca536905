//! Writing rows: a few bounded round trips, each of many script calls.

use std::iter::Peekable;

use bytes::Bytes;
use fs_core::Fence;
use fs_online::{Error, RowOrder, RowWrite, ViewId, WriteOutcome, row};
use redis::{Value, from_redis_value};

use crate::connections::Connections;
use crate::fence;
use crate::keyspace::Buckets;
use crate::reply::Replies;
use crate::scripts::{Argument, Call, WRITE};
use crate::stored::StoredRow;

const OPERATION: &str = "write";

/// A call takes up no other key after this many rows or bytes: the server serves nobody else while
/// it runs.
const ROWS_PER_CALL: usize = 128;
const BYTES_PER_CALL: usize = 1 << 20;

/// A round trip begins no other call after this many.
const ROWS_PER_BATCH: usize = 4_096;
const BYTES_PER_BATCH: usize = 4 << 20;

/// A write and its bucket.
type Placed = (u16, RowWrite);

/// Where rows go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) view: &'a ViewId,
    pub(crate) buckets: &'a Buckets,
    /// Whether rows may be forgotten.
    pub(crate) expiry: bool,
    /// What the writer shows.
    pub(crate) fence: Option<Fence>,
}

/// Applies every write, as [`OnlineStore::write`](fs_online::OnlineStore::write) says.
pub(crate) async fn write(
    connections: &Connections,
    target: Target<'_>,
    rows: Vec<RowWrite>,
) -> Result<WriteOutcome, Error> {
    let mut outcome = WriteOutcome::default();
    for calls in plan(target, rows)? {
        let mut replies = WRITE.call(connections, OPERATION, &calls).await?;
        for _ in &calls {
            outcome += outcome_of(&mut replies, target)?;
        }
    }
    Ok(outcome)
}

/// The calls to make, by round trip.
///
/// All writes of one key are in one call, in their order, so the calls do not depend on each other.
/// Copies no bytes. An error if a row is none: the script reads rows as this does, and trusts them.
fn plan(target: Target<'_>, rows: Vec<RowWrite>) -> Result<Vec<Vec<Call>>, Error> {
    let mut placed = Vec::with_capacity(rows.len());
    for write in rows {
        write.row.as_deref().map(row::order_bytes).transpose()?;
        placed.push((target.buckets.of(&write.key), write));
    }
    // Stable: the writes of one key keep their order.
    placed.sort_by(|(a, left), (b, right)| (a, &left.key).cmp(&(b, &right.key)));
    let mut rows = placed.into_iter().peekable();
    let mut batches = Vec::new();
    while rows.peek().is_some() {
        let mut batch = Vec::new();
        let mut load = Load::default();
        while load.is_below(ROWS_PER_BATCH, BYTES_PER_BATCH)
            && let Some((call, carried)) = next_call(target, &mut rows)
        {
            load.rows += carried.rows;
            load.bytes += carried.bytes;
            batch.push(call);
        }
        batches.push(batch);
    }
    Ok(batches)
}

/// A call with rows of one bucket; `None` after the last.
fn next_call(
    target: Target<'_>,
    rows: &mut Peekable<impl Iterator<Item = Placed>>,
) -> Option<(Call, Load)> {
    let (bucket, first) = rows.next()?;
    let mut call = Call {
        slot: target.buckets.slot(bucket),
        key: target.buckets.key(target.view, bucket),
        second_key: target
            .fence
            .map(|_| target.buckets.fence_key(target.view, bucket)),
        arguments: vec![Argument::fence(target.fence), Argument::Bytes(Bytes::new())],
    };
    let mut load = Load::default();
    let mut key = first.key.clone();
    load.add(&first);
    add_arguments(&mut call, first, target.expiry);
    while let Some((_, write)) = rows.next_if(|(next, write)| {
        let has_room = load.is_below(ROWS_PER_CALL, BYTES_PER_CALL);
        *next == bucket && (has_room || write.key == key)
    }) {
        key.clone_from(&write.key);
        load.add(&write);
        add_arguments(&mut call, write, target.expiry);
    }
    Some((call, load))
}

fn add_arguments(call: &mut Call, write: RowWrite, expiry: bool) {
    let replaces = write.replaces.as_ref().map(RowOrder::to_bytes);
    let replaces = replaces.map(|order| Bytes::copy_from_slice(&order));
    let keep_until = write.keep_until.filter(|_| expiry);
    if keep_until.is_some() {
        call.arguments[1] = Argument::Bytes(Bytes::from_static(b"1"));
    }
    let row = match write.row {
        Some(row) => Argument::Row(StoredRow::new(row, keep_until)),
        None => Argument::Bytes(Bytes::new()),
    };
    call.arguments.extend([
        Argument::Bytes(write.key.into_bytes()),
        row,
        Argument::Bytes(replaces.unwrap_or_default()),
    ]);
}

/// How much a call or a round trip carries.
#[derive(Debug, Clone, Copy, Default)]
struct Load {
    rows: usize,
    bytes: usize,
}

impl Load {
    const fn is_below(self, rows: usize, bytes: usize) -> bool {
        self.rows < rows && self.bytes < bytes
    }

    fn add(&mut self, write: &RowWrite) {
        self.rows += 1;
        self.bytes += write.key.as_bytes().len() + write.row.as_ref().map_or(0, Bytes::len);
    }
}

/// What the next call says became of its rows.
fn outcome_of(replies: &mut Replies<'_>, target: Target<'_>) -> Result<WriteOutcome, Error> {
    let items: Vec<Value> = replies.next()?;
    match items.as_slice() {
        [Value::Int(-1), Value::BulkString(damaged)] => {
            // Says what is wrong with it.
            row::order_bytes(damaged)?;
            Err(replies.unexpected())
        }
        [Value::Int(-2), seen] => Err(fence::refused(replies, target.view, target.fence, seen)),
        [written, kept, deleted] => {
            let count = |item: &Value| from_redis_value(item.clone()).ok();
            match (count(written), count(kept), count(deleted)) {
                (Some(written), Some(kept), Some(deleted)) => Ok(WriteOutcome {
                    written,
                    kept,
                    deleted,
                }),
                _ => Err(replies.unexpected()),
            }
        }
        _ => Err(replies.unexpected()),
    }
}

#[cfg(test)]
mod tests;
