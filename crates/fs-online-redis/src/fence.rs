//! Shutting out writers from whom somebody has taken over.
//!
//! Every bucket has its fence beside it, in the same slot, so that the script that writes rows can
//! look at it in the same step; what is known about the view has one too, for the published state.
//! Raising the fence of a view is one round trip to all of them. None of them expires: a bucket may
//! be forgotten with its rows, and who was shut out of it stays so.
//!
//! While a slot of a cluster moves, a bucket and its fence may be on two nodes for a moment. Then
//! Redis asks to try again, and a writer with a fence waits until both have arrived.

use fs_core::Fence;
use fs_online::{Error, ViewId};
use redis::{Value, from_redis_value};

use crate::connections::Connections;
use crate::keyspace::{Buckets, slot, state_key};
use crate::reply::Replies;
use crate::scripts::{Argument, Call, RAISE};

const OPERATION: &str = "shut out earlier writers";

/// Raises the fence of a view, as [`OnlineStore::raise_fence`](fs_online::OnlineStore::raise_fence)
/// says.
pub(crate) async fn raise(
    connections: &Connections,
    view: &ViewId,
    buckets: &Buckets,
    fence: Fence,
) -> Result<(), Error> {
    let state = state_key(view);
    let state = (slot(state.as_bytes()), state);
    let rows = (0..buckets.count()).map(|bucket| {
        let key = buckets.fence_key(view, bucket);
        (buckets.slot(bucket), key)
    });
    let calls: Vec<Call> = std::iter::once(state)
        .chain(rows)
        .map(|(slot, key)| Call {
            slot,
            key,
            second_key: None,
            arguments: vec![Argument::fence(Some(fence))],
        })
        .collect();
    let mut replies = RAISE.call(connections, OPERATION, &calls).await?;
    for _ in &calls {
        let seen = replies.next_value()?;
        match number(&seen) {
            Some(seen) if seen > fence => return Err(fenced(view, fence, seen)),
            Some(_) => {}
            None => return Err(replies.unexpected()),
        }
    }
    Ok(())
}

/// The error for a script that found a greater fence, `seen`, than the one `shown`.
pub(crate) fn refused(
    replies: &Replies<'_>,
    view: &ViewId,
    shown: Option<Fence>,
    seen: &Value,
) -> Error {
    match (shown, number(seen)) {
        (Some(shown), Some(seen)) => fenced(view, shown, seen),
        _ => replies.unexpected(),
    }
}

fn fenced(view: &ViewId, shown: Fence, seen: Fence) -> Error {
    Error::Fenced {
        view: view.clone(),
        shown,
        seen,
    }
}

fn number(seen: &Value) -> Option<Fence> {
    let number = from_redis_value::<u64>(seen.clone()).ok();
    number.map(Fence::new)
}
