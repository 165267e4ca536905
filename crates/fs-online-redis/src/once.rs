//! Claims: a key for each, which Redis forgets by itself.

use bytes::Bytes;
use fs_online::{Error, ViewId};
use redis::pipe;

use crate::connections::Connections;
use crate::keyspace::claim_key;
use crate::reply::Replies;

/// How long a claim lasts: a day, and an hour for clocks and retries.
const LASTS_MILLIS: u64 = 25 * 60 * 60 * 1_000;

/// Claims `token` for `value`; the value of an earlier claim if there is one.
///
/// Harmless to send twice: the second time, the token holds the value already.
pub(crate) async fn once(
    connections: &Connections,
    view: &ViewId,
    token: &str,
    value: &[u8],
) -> Result<Option<Bytes>, Error> {
    let (operation, key) = ("claim a token", claim_key(view, token));
    let mut claim = pipe();
    claim
        .cmd("SET")
        .arg(&key)
        .arg(value)
        .arg("NX")
        .arg("PX")
        .arg(LASTS_MILLIS);
    claim.cmd("GET").arg(&key);
    let within = connections.options.write_timeout;
    let replies = connections.send(operation, within, &claim).await?;
    let mut replies = Replies::new(connections, operation, replies);
    let _set: Option<String> = replies.next()?;
    let held: Vec<u8> = replies.next()?;
    Ok((held != value).then(|| Bytes::from(held)))
}
