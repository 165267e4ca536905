//! Publishing everything: the store becomes what the table says.
//!
//! | The table has for a key | The store has | then |
//! |---|---|---|
//! | `N` | nothing, or something older | `N` is written |
//! | `N` | `N` | it is written again: its values may be of before a backfill, and it may have to be kept for another time |
//! | `N` | something newer, from a table | it is no longer there, or not visible: `N` takes its place |
//! | nothing | something from a table, or of when the view had [windows](super::windows) | it is deleted |
//! | anything | something that is not from a table | it stays unless `N` is newer |

use fs_online::{KeyCursor, RowWrite};
use fs_pit::NewestPerKey;

use super::search::Overflow;
use super::stored::StoredKeys;
use super::winners::Winners;
use super::{Attempt, Publisher, Shard, Tally};
use crate::Error;
use crate::rows::{is_from_table, is_state, order_of};

/// Keys of the store that are asked for at once.
const PAGE: usize = 4_096;

impl Publisher<'_> {
    pub(super) async fn full(&self, attempt: &Attempt, tally: &mut Tally) -> Result<(), Error> {
        let scans = [self.visible(attempt)];
        let mut winners = Winners::default();
        let mut shards = vec![Shard::WHOLE];
        while let Some(shard) = shards.pop() {
            let mut newest = self.kernel(attempt);
            let looked = self
                .look_through(&mut newest, &scans[0], shard, None, tally)
                .await?;
            let compared = match looked {
                Ok(()) => self.compare(&newest, shard, &mut winners, tally).await?,
                Err(overflow) => Err(overflow),
            };
            if let Err(overflow) = compared {
                shards.extend(shard.cut(overflow.cuts));
                continue;
            }
            winners.add(&newest);
            drop(newest);
            if winners.bytes() > self.options.publish_memory {
                let winners = std::mem::take(&mut winners);
                self.write_winners(attempt, &scans, &winners, tally).await?;
            }
        }
        self.write_winners(attempt, &scans, &winners, tally).await
    }

    /// Goes through the keys of the store: deletes those that have no row any more, and notes those
    /// whose row has to give way to an older one.
    async fn compare(
        &self,
        newest: &NewestPerKey,
        shard: Shard,
        winners: &mut Winners,
        tally: &mut Tally,
    ) -> Result<Result<(), Overflow>, Error> {
        let stored = StoredKeys::new(&self.columns);
        let before = winners.bytes();
        let mut cursor: Option<KeyCursor> = None;
        loop {
            let page = self.online.keys(&self.id, cursor.as_ref(), PAGE).await;
            let mut page = self.store(page)?;
            page.keys
                .retain(|(key, order)| shard.has(key) && (is_from_table(order) || is_state(order)));
            // Whatever is stored may be one of the winners.
            winners.again |= !page.keys.is_empty();
            let found = stored.find(newest, page.keys.iter().map(|(key, _)| key));
            let found = self.ranked(found)?;
            let mut deletes = Vec::new();
            for ((key, order), found) in page.keys.into_iter().zip(found) {
                match found.map(|found| order_of(&found)) {
                    None => deletes.push(RowWrite::replace(key, None, order)),
                    Some(newest) if newest < order => {
                        winners.replaced.insert(key.detached(), order);
                    }
                    Some(_) => {}
                }
            }
            self.write_all(deletes, tally).await?;
            let noted = winners.bytes() - before;
            if self.is_too_much(noted + newest.bytes(), newest.candidates(), shard) {
                return Ok(Err(Overflow { cuts: 1 }));
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(Ok(()));
            }
        }
    }
}
