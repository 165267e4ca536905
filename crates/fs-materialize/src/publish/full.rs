//! Publishing everything: the store becomes what the table says.
//!
//! | The table has for a key | The store has | then |
//! |---|---|---|
//! | `N` | nothing, or something older | `N` is written |
//! | `N` | `N`, and the view has a ttl | it is written again, for the store to keep it by the ttl of now |
//! | `N` | something newer, from a table | it is no longer there, or not visible: `N` takes its place |
//! | nothing | something from a table | it is deleted |
//! | anything | something that is not from a table | it stays unless `N` is newer |

use std::collections::HashMap;

use fs_online::{EncodedKey, KeyCursor, RowOrder, RowWrite, WriteOutcome};

use super::newest::Winner;
use super::{Attempt, Overflow, Publisher, Shard};
use crate::Error;
use crate::rows::is_from_table;

/// Keys of the store that are asked for at once.
const PAGE: usize = 4_096;

impl Publisher<'_> {
    pub(super) async fn full(
        &self,
        attempt: &Attempt,
        shard: Shard,
    ) -> Result<Result<WriteOutcome, Overflow>, Error> {
        let mut newest = self.newest(attempt.as_of);
        let scan = self.visible(attempt);
        if let Err(overflow) = self.look_through(&mut newest, scan, shard, None).await? {
            return Ok(Err(overflow));
        }
        let mut winners: HashMap<EncodedKey, Winner> = HashMap::new();
        for some in self.pack(newest) {
            let some = some?.into_iter();
            winners.extend(some.map(|winner| (winner.key.clone(), winner)));
        }
        let mut total = WriteOutcome::default();
        let mut replaced: HashMap<EncodedKey, RowOrder> = HashMap::new();
        let mut cursor: Option<KeyCursor> = None;
        loop {
            let page = self.online.keys(&self.id, cursor.as_ref(), PAGE).await;
            let page = self.store(page)?;
            let mut deletes = Vec::new();
            for (key, stored) in page.keys {
                if !shard.has(&key) || !is_from_table(&stored) {
                    continue;
                }
                match winners.get(&key) {
                    None => deletes.push(RowWrite::replace(key, None, stored)),
                    // The same row is written again where it is to be kept for another time.
                    Some(winner)
                        if winner.order < stored
                            || (self.forget_by.is_some() && winner.order == stored) =>
                    {
                        replaced.insert(key, stored);
                    }
                    Some(_) => {}
                }
            }
            self.write(deletes, &mut total).await?;
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let writes = winners.into_values().map(|winner| {
            let replaced = replaced.get(&winner.key).copied();
            self.put(winner, replaced)
        });
        self.write(writes, &mut total).await?;
        Ok(Ok(total))
    }
}
