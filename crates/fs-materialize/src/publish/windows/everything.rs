//! All keys, part by part: folded, and put in the place of what is stored.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use fs_online::{EncodedKey, KeyCursor};
use fs_pit::state::StateBuilder;
use futures::{StreamExt, TryStreamExt, stream};

use super::fold::Folded;
use super::replace::{New, Replaced};
use super::{Base, Keys};
use crate::events::EventReader;
use crate::publish::writing::IN_FLIGHT;
use crate::publish::{Publisher, Shard, Tally};
use crate::{Error, Phase};

/// Keys of the store that are asked for at once.
const PAGE: usize = 4_096;

/// States that nothing is known of, and that are read at once.
const UNKNOWN: usize = 256;

/// What is written at once holds no other state after this many bytes.
const WRITE_BYTES: usize = 4 << 20;

/// What is left to do.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// Keys that have to be folded again, at a newer version.
    pub(super) again: HashSet<EncodedKey>,
    /// Whether some stored state was of a table that had other numbers.
    pub(super) other_table: bool,
}

impl Publisher<'_> {
    /// Folds `keys` of the table, and publishes them.
    pub(super) async fn publish_keys(
        &self,
        events: &EventReader,
        base: &Base,
        keys: &Keys,
        tally: &mut Tally,
    ) -> Result<Left, Error> {
        let mut left = Left::default();
        let mut shards = vec![Shard::WHOLE];
        while let Some(shard) = shards.pop() {
            match self.fold(events, base, keys, shard, tally).await? {
                Ok(folded) => {
                    self.replace_others(base, keys, shard, &folded.places, &mut left, tally)
                        .await?;
                    let expected = tally.keys() + folded.states.len() as u64;
                    self.progress
                        .expect(&self.view.name, Phase::Publish, expected);
                    self.replace_all(base, Parts::of(self, base, folded), &mut left, tally)
                        .await?;
                }
                Err(overflow) => shards.extend(shard.cut(overflow.cuts)),
            }
        }
        Ok(left)
    }

    /// Keys that are stored and of which the table has no events.
    async fn replace_others(
        &self,
        base: &Base,
        keys: &Keys,
        shard: Shard,
        folded: &HashMap<EncodedKey, usize>,
        left: &mut Left,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let empty = StateBuilder::new(Arc::clone(&base.shape));
        let empty = self.states(empty.finish(base.through))?;
        let mut cursor: Option<KeyCursor> = None;
        loop {
            let page = match keys {
                Keys::All => {
                    let page = self.online.keys(&self.id, cursor.as_ref(), PAGE).await;
                    let page = self.store(page)?;
                    cursor = page.next;
                    page.keys.into_iter().map(|(key, _)| key).collect()
                }
                Keys::Only(keys) => keys.iter().cloned().collect::<Vec<_>>(),
            };
            let others = page.into_iter();
            let others = others.filter(|key| shard.has(key) && !folded.contains_key(key));
            let others: Vec<New> = others
                .map(|key| New {
                    key,
                    base: empty.clone(),
                })
                .collect();
            let parts = Parts::new(others.into_iter().map(Ok), UNKNOWN);
            self.replace_all(base, parts, left, tally).await?;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    async fn replace_all(
        &self,
        base: &Base,
        parts: Parts<impl Iterator<Item = Result<New, Error>> + Send>,
        left: &mut Left,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let mut done = stream::iter(parts)
            .map(|part| async { self.replace(base, part?).await })
            .buffer_unordered(IN_FLIGHT);
        while let Some(Replaced {
            outcome,
            again,
            other_table,
        }) = done.try_next().await?
        {
            left.again.extend(again.iter().map(EncodedKey::detached));
            left.other_table |= other_table;
            self.count(tally, outcome);
        }
        Ok(())
    }
}

/// Keys that are replaced together: some megabytes at most.
struct Parts<I> {
    new: I,
    most: usize,
}

impl<I: Iterator<Item = Result<New, Error>>> Parts<I> {
    const fn new(new: I, most: usize) -> Self {
        Self { new, most }
    }
}

impl Parts<()> {
    /// The states of `folded`, finished one after the other.
    fn of<'p>(
        publisher: &'p Publisher<'p>,
        base: &'p Base,
        folded: Folded,
    ) -> Parts<impl Iterator<Item = Result<New, Error>> + Send + 'p> {
        let new = folded.states.into_iter().map(move |folding| {
            let state = publisher.states(folding.builder.finish(base.through));
            state.map(|base| New {
                key: folding.key,
                base,
            })
        });
        Parts {
            new,
            most: publisher.options.write_batch.max(1),
        }
    }
}

impl<I: Iterator<Item = Result<New, Error>>> Iterator for Parts<I> {
    type Item = Result<Vec<New>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let (mut part, mut bytes) = (Vec::new(), 0);
        while part.len() < self.most && bytes < WRITE_BYTES {
            match self.new.next() {
                Some(Ok(new)) => {
                    bytes += new.key.as_bytes().len() + new.base.len();
                    part.push(new);
                }
                Some(Err(error)) => return Some(Err(error)),
                None => break,
            }
        }
        (!part.is_empty()).then_some(Ok(part))
    }
}
