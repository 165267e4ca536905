//! Tokens that are claimed once.

use std::time::Duration;

use bytes::Bytes;
use fs_online::{Error, ViewId};

use crate::connections::{Command, Connections};
use crate::keyspace::claim_key;
use crate::lane::Lane;

const OPERATION: &str = "claim a token";

/// A day is promised; a clock that is set must not break that.
const LASTS: Duration = Duration::from_hours(48);

/// How often to try when a claim runs out in just this moment.
const ATTEMPTS: usize = 3;

/// Claims a token, as [`OnlineStore::once`](fs_online::OnlineStore::once) says.
pub(crate) async fn once(
    connections: &Connections,
    view: &ViewId,
    token: &str,
    value: &[u8],
) -> Result<Option<Bytes>, Error> {
    let key = claim_key(view, token);
    let millis = u64::try_from(LASTS.as_millis()).unwrap_or(u64::MAX);
    for _ in 0..ATTEMPTS {
        let set = Command::on("SET", &key).arg(value);
        let set = set.arg("NX").arg("PX").arg(millis);
        let commands = vec![set, Command::on("GET", &key)];
        let mut replies = connections.send(OPERATION, Lane::Write, commands).await?;
        let _is_new: Option<String> = replies.next()?;
        let holder: Option<Vec<u8>> = replies.next()?;
        if let Some(holder) = holder {
            return Ok((holder != value).then(|| Bytes::from(holder)));
        }
    }
    Err(Error::Unavailable {
        store: connections.store.clone(),
        source: "it forgets what it is told: check its `maxmemory-policy`".into(),
    })
}
