//! Publishing what changed since the last publication.
//!
//! Why fresh rows need no look at the rest of the table: a row that is neither fresh nor gone was in
//! the table and visible when `P` was recorded, so the store already had it or a newer one. The newest
//! row of a key is therefore the stored one or a fresh one, unless the stored one is gone.

use std::collections::HashMap;

use fs_core::{EventTime, PointInTime};
use fs_offline::{Between, Changes, Scan};
use fs_online::{EncodedKey, Published, RowOrder, RowWrite, ViewKeys, row};
use fs_pit::NewestPerKey;
use futures::StreamExt;

use super::search::Overflow;
use super::stored::StoredKeys;
use super::winners::{Winners, bytes_of};
use super::{Attempt, Publisher, Shard, Tally};
use crate::Error;
use crate::rows::order_of;

/// Keys whose stored row is gone from the table, and the order of that row.
type Gone = HashMap<EncodedKey, RowOrder>;

impl Publisher<'_> {
    pub(super) async fn delta(
        &self,
        attempt: &Attempt,
        known: &Published,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let changes = self.changes_since(attempt, known).await?;
        let scans = self.fresh_rows(attempt, known, &changes);
        let mut fresh = Winners::default();
        fresh.again = !changes.rewritten().is_empty();
        let mut in_place = Winners::default();
        let mut shards = vec![Shard::WHOLE];
        while let Some(shard) = shards.pop() {
            let found = self.delta_of(attempt, known, &scans, shard, tally).await?;
            let (found, gone) = match found {
                Ok(found) => found,
                Err(overflow) => {
                    shards.extend(shard.cut(overflow.cuts));
                    continue;
                }
            };
            fresh.add(&found);
            drop(found);
            if !gone.is_empty() {
                self.look_for_others(attempt, shard, gone, &mut in_place, tally)
                    .await?;
            }
            if in_place.bytes() > self.options.publish_memory {
                self.write_in_place(attempt, &mut in_place, tally).await?;
            }
        }
        self.write_winners(attempt, &scans, &fresh, tally).await?;
        self.write_in_place(attempt, &mut in_place, tally).await
    }

    pub(super) async fn changes_since(
        &self,
        attempt: &Attempt,
        known: &Published,
    ) -> Result<Changes, Error> {
        let columns = self.columns.without_features();
        let changes = self.offline.changes(
            &self.schema,
            known.table_version,
            attempt.version,
            Some(&columns),
        );
        self.table(changes.await)
    }

    /// The newest fresh row of every key of a shard, and the keys whose stored row is gone.
    async fn delta_of(
        &self,
        attempt: &Attempt,
        known: &Published,
        scans: &[Scan],
        shard: Shard,
        tally: &mut Tally,
    ) -> Result<Result<(NewestPerKey, Gone), Overflow>, Error> {
        let mut fresh = self.kernel(attempt);
        for scan in scans {
            let looked = self
                .look_through(&mut fresh, scan, shard, None, tally)
                .await?;
            if let Err(overflow) = looked {
                return Ok(Err(overflow));
            }
        }
        // A plan can be run once, so each shard asks anew.
        let changes = self.changes_since(attempt, known).await?;
        let gone = self.gone(&changes, &fresh, shard).await?;
        Ok(gone.map(|gone| (fresh, gone)))
    }

    /// What to read for all rows that came into the table, became visible, or were written again
    /// since `known`. Every row is in one of the scans, and hardly any in two.
    fn fresh_rows(&self, attempt: &Attempt, known: &Published, changes: &Changes) -> Vec<Scan> {
        let visible = self.visible(attempt);
        let mut scans = Vec::new();
        scans.extend(changes.first_sequence().map(|since| Scan {
            since: Some(since),
            ..visible.clone()
        }));
        let earlier = Scan {
            before: changes.first_sequence(),
            ..visible
        };
        let (before, now) = (known.as_of.as_micros(), attempt.as_of.as_micros());
        if now != before {
            let delay = self.rule.delay.as_micros();
            scans.push(Scan {
                event: Some(Between {
                    low: before.saturating_sub(delay),
                    high: now.saturating_sub(delay),
                }),
                ..earlier.clone()
            });
            if self.rule.point_in_time == PointInTime::KnownAt {
                scans.push(Scan {
                    created: Some(Between {
                        low: before,
                        high: now,
                    }),
                    ..earlier.clone()
                });
            }
        }
        let latest = earlier.event.map_or(i64::MAX, |event| event.high);
        scans.extend(changes.rewritten().iter().map(|window| Scan {
            event: Some(Between {
                low: window.start().map_or(i64::MIN, EventTime::as_micros),
                high: window.end().as_micros().saturating_sub(1).min(latest),
            }),
            ..earlier.clone()
        }));
        scans
    }

    /// The keys whose stored row is among the rows that went, and not outdone by a `fresh` one.
    async fn gone(
        &self,
        changes: &Changes,
        fresh: &NewestPerKey,
        shard: Shard,
    ) -> Result<Result<Gone, Overflow>, Error> {
        let mut gone = Gone::new();
        let mut removed = self.table(changes.removed())?;
        while let Some(batch) = removed.next().await {
            let batch = self.batch(batch)?;
            let keys = self.store(self.columns.keys(&batch))?;
            let rows = self.columns.rows(&batch);
            let outdone = self.ranked(fresh.find(rows.keys, batch.num_rows()))?;
            let mut doubtful: HashMap<EncodedKey, Vec<RowOrder>> = HashMap::new();
            for (row, (key, outdone)) in keys.into_iter().zip(outdone).enumerate() {
                let order = rows.order(row);
                let Some(key) = key.filter(|key| shard.has(key)) else {
                    continue;
                };
                if outdone.is_none_or(|newer| order_of(&newer) < order) {
                    doubtful.entry(key).or_default().push(order);
                }
            }
            self.add_stored(doubtful, &mut gone).await?;
            if self.is_too_much(bytes_of(&gone) + fresh.bytes(), gone.len(), shard) {
                return Ok(Err(Overflow { cuts: 1 }));
            }
        }
        Ok(Ok(gone))
    }

    /// Adds those keys whose stored row is one of their rows in `removed`.
    async fn add_stored(
        &self,
        removed: HashMap<EncodedKey, Vec<RowOrder>>,
        gone: &mut Gone,
    ) -> Result<(), Error> {
        let removed: Vec<(EncodedKey, Vec<RowOrder>)> = removed.into_iter().collect();
        for some in removed.chunks(self.options.write_batch.max(1)) {
            let keys: Vec<EncodedKey> = some.iter().map(|(key, _)| key.clone()).collect();
            let request = ViewKeys {
                view: &self.id,
                keys: &keys,
            };
            let answers = self.store(self.online.read(&[request]).await)?;
            for ((key, orders), packed) in some.iter().zip(answers.into_iter().flatten()) {
                let stored = packed.map(|packed| row::order(&packed)).transpose();
                if let Some(stored) = self.store(stored)?
                    && orders.contains(&stored)
                {
                    gone.insert(key.detached(), stored);
                }
            }
        }
        Ok(())
    }

    /// Looks for the newest row that the table has now for each key of `gone`, which is to take the
    /// place of the stored one. Where there is none, the key is deleted.
    async fn look_for_others(
        &self,
        attempt: &Attempt,
        shard: Shard,
        gone: Gone,
        in_place: &mut Winners,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let mut others = self.kernel(attempt);
        let scan = self.visible(attempt);
        // There are no more keys than were gone, which fitted.
        let _fits = self
            .look_through(&mut others, &scan, shard, Some(&gone), tally)
            .await?;
        in_place.add(&others);
        let gone: Vec<(EncodedKey, RowOrder)> = gone.into_iter().collect();
        let stored = StoredKeys::new(&self.columns);
        for some in gone.chunks(self.options.write_batch.max(1)) {
            let keys = some.iter().map(|(key, _)| key);
            let found = self.ranked(stored.find(&others, keys))?;
            let mut deletes = Vec::new();
            for ((key, order), found) in some.iter().zip(found) {
                match found {
                    Some(_) => {
                        in_place.replaced.insert(key.clone(), *order);
                    }
                    None => deletes.push(RowWrite::replace(key.clone(), None, *order)),
                }
            }
            self.write_all(deletes, tally).await?;
        }
        Ok(())
    }

    async fn write_in_place(
        &self,
        attempt: &Attempt,
        in_place: &mut Winners,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let scans = [self.visible(attempt)];
        let winners = std::mem::take(in_place);
        self.write_winners(attempt, &scans, &winners, tally).await
    }
}
