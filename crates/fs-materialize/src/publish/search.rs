//! Looking for the newest visible row of every key, by keys and times alone.

use std::collections::HashMap;

use fs_offline::Scan;
use fs_online::{EncodedKey, RowOrder};
use fs_pit::NewestPerKey;
use futures::StreamExt;

use super::{Attempt, Publisher, Shard, Tally};
use crate::rows::{Rows, select};
use crate::{Error, Phase};

/// More keys than memory has room for: cut the shard in so many halves of halves, and try again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Overflow {
    pub(super) cuts: u32,
}

impl Publisher<'_> {
    pub(super) const fn kernel(&self, attempt: &Attempt) -> NewestPerKey {
        NewestPerKey::new(attempt.as_of, self.rule)
    }

    /// Offers the rows of a scan: those of `shard`, and of `among` if that is given.
    pub(super) async fn look_through(
        &self,
        kernel: &mut NewestPerKey,
        scan: &Scan,
        shard: Shard,
        among: Option<&HashMap<EncodedKey, RowOrder>>,
        tally: &mut Tally,
    ) -> Result<Result<(), Overflow>, Error> {
        let scan = Scan {
            columns: Some(self.columns.without_features()),
            ..scan.clone()
        };
        let scan = self.table(self.offline.scan(&self.schema, &scan).await)?;
        let (mut seen, of) = (0, scan.stats.rows);
        let mut rows = self.table(scan.stream())?;
        while let Some(batch) = rows.next().await {
            let mut batch = self.batch(batch)?;
            let looked_at = batch.num_rows() as u64;
            seen += looked_at;
            tally.looked_at += looked_at;
            self.progress
                .report(&self.view.name, Phase::Search, tally.looked_at);
            if shard != Shard::WHOLE || among.is_some() {
                let keys = self.store(self.columns.keys(&batch))?;
                let wanted = |key: &EncodedKey| {
                    shard.has(key) && among.is_none_or(|among| among.contains_key(key))
                };
                let selected = select(&batch, |row| keys[row].as_ref().is_some_and(wanted));
                batch = self.ranked(selected)?;
            }
            let Rows {
                keys,
                event,
                created,
                sequence,
                ..
            } = self.columns.rows(&batch);
            self.ranked(kernel.offer(keys, event, Some(created), Some(sequence)))?;
            let is_full = self.is_too_much(kernel.bytes(), kernel.candidates(), shard);
            if is_full && among.is_none() {
                return Ok(Err(Overflow::after(seen, of)));
            }
        }
        Ok(Ok(()))
    }

    /// Whether what is known of `keys` takes more memory than there is, and splitting would help.
    pub(super) fn is_too_much(&self, bytes: usize, keys: usize, shard: Shard) -> bool {
        bytes > self.options.publish_memory && keys > 1 && !shard.is_smallest()
    }
}

impl Overflow {
    /// When there was no room after `seen` of `of` rows: as many parts as there would have been.
    ///
    /// ```text
    ///   seen     of       cuts
    ///   90       100      1        two halves
    ///   10       100      4        sixteen parts
    /// ```
    pub(super) fn after(seen: u64, of: u64) -> Self {
        let parts = of.div_ceil(seen.max(1));
        let cuts = u64::BITS - parts.saturating_sub(1).leading_zeros();
        Self {
            cuts: cuts.clamp(1, Shard::MOST_CUTS),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_cut_in_as_many_parts_as_it_seems_to_need() {
        for (seen, of, cuts) in [
            (100, 100, 1),
            (50, 100, 1),
            (49, 100, 2),
            (10, 100, 4),
            (1, u64::MAX, Shard::MOST_CUTS),
            (0, 0, 1),
            // Statistics that are wrong.
            (100, 10, 1),
        ] {
            assert_eq!(Overflow::after(seen, of).cuts, cuts, "{seen} of {of}");
        }
    }
}
