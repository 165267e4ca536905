//! Publishing what changed since the last publication.
//!
//! Why fresh rows need no look at the rest of the table: a row that is neither fresh nor gone was in
//! the table and visible when `P` was recorded, so the store already had it or a newer one. The newest
//! row of a key is therefore the stored one or a fresh one, unless the stored one is gone.

use std::collections::HashMap;

use fs_core::PointInTime;
use fs_offline::{Between, Changes, Scan};
use fs_online::{EncodedKey, Published, RowOrder, RowWrite, ViewKeys, WriteOutcome, row};
use futures::StreamExt;

use super::newest::Newest;
use super::{Attempt, Overflow, Publisher, Shard};
use crate::Error;

/// Keys whose stored row is gone from the table, and the order of that row.
type Gone = HashMap<EncodedKey, RowOrder>;

impl Publisher<'_> {
    pub(super) async fn delta(
        &self,
        attempt: &Attempt,
        known: &Published,
        shard: Shard,
    ) -> Result<Result<WriteOutcome, Overflow>, Error> {
        let columns = self.columns.without_features();
        let changes = self.offline.changes(
            &self.schema,
            known.table_version,
            attempt.version,
            Some(&columns),
        );
        let changes = self.table(changes.await)?;
        let mut fresh = self.newest(attempt.as_of);
        for scan in self.fresh_rows(attempt, known, &changes) {
            let looked = self.look_through(&mut fresh, scan, shard, None).await?;
            if let Err(overflow) = looked {
                return Ok(Err(overflow));
            }
        }
        let mut gone = match self.gone(&changes, shard).await? {
            Ok(gone) => gone,
            Err(overflow) => return Ok(Err(overflow)),
        };
        let mut total = WriteOutcome::default();
        self.write_fresh(fresh, &mut gone, &mut total).await?;
        if !gone.is_empty() {
            self.write_in_place_of(attempt, shard, gone, &mut total)
                .await?;
        }
        Ok(Ok(total))
    }

    /// What to read for all rows that came into the table, or became visible, since `known`.
    fn fresh_rows(&self, attempt: &Attempt, known: &Published, changes: &Changes) -> Vec<Scan> {
        let visible = self.visible(attempt);
        let mut scans = Vec::new();
        scans.extend(changes.first_sequence().map(|since| Scan {
            since: Some(since),
            ..visible.clone()
        }));
        let (before, now) = (known.as_of.as_micros(), attempt.as_of.as_micros());
        if now == before {
            return scans;
        }
        let delay = self.rule.delay.as_micros();
        scans.push(Scan {
            event: Some(Between {
                low: before.saturating_sub(delay),
                high: now.saturating_sub(delay),
            }),
            ..visible.clone()
        });
        if self.rule.point_in_time == PointInTime::KnownAt {
            scans.push(Scan {
                created: Some(Between {
                    low: before,
                    high: now,
                }),
                ..visible
            });
        }
        scans
    }

    /// The keys whose stored row is among the rows that went.
    async fn gone(&self, changes: &Changes, shard: Shard) -> Result<Result<Gone, Overflow>, Error> {
        let mut stored: HashMap<EncodedKey, Option<RowOrder>> = HashMap::new();
        let mut gone = Gone::new();
        let mut removed = self.table(changes.removed())?;
        while let Some(batch) = removed.next().await {
            let batch = self.batch(batch)?;
            let keys = self.store(self.columns.keys(&batch))?;
            self.read_orders(&keys, shard, &mut stored).await?;
            let rows = self.columns.rows(&batch);
            for (row, key) in keys.into_iter().enumerate() {
                let Some(key) = key else { continue };
                if let Some(Some(order)) = stored.get(&key)
                    && *order == rows.order(row)
                {
                    gone.insert(key, *order);
                }
            }
            if self.is_too_much(stored.len(), shard) {
                return Ok(Err(Overflow));
            }
        }
        Ok(Ok(gone))
    }

    /// Reads the orders of the rows that are stored under `keys`, unless they are known.
    async fn read_orders(
        &self,
        keys: &[Option<EncodedKey>],
        shard: Shard,
        stored: &mut HashMap<EncodedKey, Option<RowOrder>>,
    ) -> Result<(), Error> {
        let mut unknown = Vec::new();
        for key in keys.iter().flatten().filter(|key| shard.has(key)) {
            if !stored.contains_key(key) {
                stored.insert(key.clone(), None);
                unknown.push(key.clone());
            }
        }
        for keys in unknown.chunks(self.options.write_batch) {
            let request = ViewKeys {
                view: &self.id,
                keys,
            };
            let answers = self.store(self.online.read(&[request]).await)?;
            for (key, packed) in keys.iter().zip(answers.into_iter().flatten()) {
                if let Some(packed) = packed {
                    let order = self.store(row::order(&packed))?;
                    stored.insert(key.clone(), Some(order));
                }
            }
        }
        Ok(())
    }

    /// Writes the newest fresh row of every key. Where it outdoes a gone row, that is settled.
    async fn write_fresh(
        &self,
        fresh: Newest,
        gone: &mut Gone,
        total: &mut WriteOutcome,
    ) -> Result<(), Error> {
        for some in self.pack(fresh) {
            let mut writes = Vec::new();
            for winner in some? {
                if gone
                    .get(&winner.key)
                    .is_none_or(|gone| *gone < winner.order)
                {
                    gone.remove(&winner.key);
                    writes.push(self.put(winner, None));
                }
            }
            self.write(writes, total).await?;
        }
        Ok(())
    }

    /// Puts the newest row of the table in the place of each gone row, or nothing.
    async fn write_in_place_of(
        &self,
        attempt: &Attempt,
        shard: Shard,
        mut gone: Gone,
        total: &mut WriteOutcome,
    ) -> Result<(), Error> {
        let mut newest = self.newest(attempt.as_of);
        let scan = self.visible(attempt);
        // There are no more winners than gone rows, which fitted.
        let _fits = self
            .look_through(&mut newest, scan, shard, Some(&gone))
            .await?;
        for some in self.pack(newest) {
            let mut writes = Vec::new();
            for winner in some? {
                let replaced = gone.remove(&winner.key);
                writes.push(self.put(winner, replaced));
            }
            self.write(writes, total).await?;
        }
        let deletes = gone
            .into_iter()
            .map(|(key, order)| RowWrite::replace(key, None, order));
        self.write(deletes, total).await
    }
}
