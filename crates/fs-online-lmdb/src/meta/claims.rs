//! Tokens that were claimed, and how old claims go.
//!
//! ```text
//!   "claim" 0 project/view 0 token              when (8, LE)  value
//!   "claimed" 0 when (8, BE) project/view 0 token    nothing: the oldest comes first
//! ```
//! Every new claim takes a few with it that have lasted long enough, so there are never many more than
//! were made in a day.

use std::time::{SystemTime, UNIX_EPOCH};

use fs_online::ViewId;
use heed::RwTxn;

use super::Meta;
use crate::failure::Failure;

/// How long a claim lasts at least, in seconds: a day, and an hour for clocks and retries.
const LASTS: u64 = 25 * 60 * 60;

/// How many old claims go with a new one.
const GO_AT_ONCE: usize = 8;

const CLAIM: &[u8] = b"claim\0";
const CLAIMED: &[u8] = b"claimed\0";

/// Seconds since 1970 by the clock of the system.
#[expect(
    clippy::disallowed_methods,
    reason = "the age of a claim in a file is what it is, whatever time the program is told"
)]
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

impl Meta {
    /// Claims `token` for `value` at `now`; the value of an earlier claim if there is one.
    pub(crate) fn claim(
        self,
        txn: &mut RwTxn<'_>,
        view: &ViewId,
        token: &str,
        value: &[u8],
        now: u64,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let name = format!("{view}\0{token}").into_bytes();
        let claim = [CLAIM, &name].concat();
        if let Some(entry) = self.0.get(txn, &claim)? {
            let held = entry.get(8..).unwrap_or_default();
            return Ok((held != value).then(|| held.to_vec()));
        }
        self.forget_old_claims(txn, now)?;
        let entry = [&now.to_le_bytes(), value].concat();
        self.0.put(txn, &claim, &entry)?;
        let claimed = [CLAIMED, &now.to_be_bytes(), &name].concat();
        self.0.put(txn, &claimed, &[])?;
        Ok(None)
    }

    fn forget_old_claims(self, txn: &mut RwTxn<'_>, now: u64) -> Result<(), Failure> {
        let mut old = Vec::new();
        for entry in self.0.prefix_iter(txn, CLAIMED)?.take(GO_AT_ONCE) {
            let (claimed, _) = entry?;
            let rest = claimed.get(CLAIMED.len()..).unwrap_or_default();
            let Some((when, name)) = rest.split_first_chunk() else {
                continue;
            };
            if u64::from_be_bytes(*when).saturating_add(LASTS) > now {
                break;
            }
            old.push((claimed.to_vec(), [CLAIM, name].concat()));
        }
        for (claimed, claim) in old {
            self.0.delete(txn, &claimed)?;
            self.0.delete(txn, &claim)?;
        }
        Ok(())
    }

    #[cfg(test)]
    pub(crate) fn claims(self, txn: &heed::RoTxn<'_>) -> Result<(usize, usize), Failure> {
        let count = |prefix: &[u8]| Ok::<_, Failure>(self.0.prefix_iter(txn, prefix)?.count());
        Ok((count(CLAIM)?, count(CLAIMED)?))
    }
}
