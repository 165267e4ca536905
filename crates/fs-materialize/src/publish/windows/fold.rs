//! Folding the events of the table, key by key, as many keys at a time as memory has room for.

use std::collections::HashMap;
use std::sync::Arc;

use fs_offline::Scan;
use fs_online::EncodedKey;
use fs_pit::state::{StateBuilder, StateShape};
use futures::StreamExt;

use super::{Base, Keys};
use crate::events::EventReader;
use crate::publish::search::Overflow;
use crate::publish::{Publisher, Shard, Tally};
use crate::{Error, Phase};

/// About what an entry of [`Folded`] takes beside its builder: its key, and the room between entries.
const ENTRY_BYTES: usize = 160;

/// The states of some keys, in the making.
#[derive(Debug, Default)]
pub(super) struct Folded {
    pub(super) states: Vec<(EncodedKey, StateBuilder)>,
    /// Where among them each key is.
    pub(super) places: HashMap<EncodedKey, usize>,
    bytes: usize,
}

impl Folded {
    /// The state of a key, empty if it is a new one.
    fn state(&mut self, key: &EncodedKey, shape: &Arc<StateShape>) -> &mut StateBuilder {
        let known = self.places.get(key).copied();
        let at = known.unwrap_or_else(|| {
            let (key, at) = (key.detached(), self.states.len());
            let builder = StateBuilder::new(Arc::clone(shape));
            self.states.push((key.clone(), builder));
            self.places.insert(key, at);
            at
        });
        &mut self.states[at].1
    }
}

impl Publisher<'_> {
    /// Folds the events of the keys of a shard; an overflow if there are too many keys.
    pub(super) async fn fold(
        &self,
        events: &EventReader,
        base: &Base,
        keys: &Keys,
        shard: Shard,
        tally: &mut Tally,
    ) -> Result<Result<Folded, Overflow>, Error> {
        let mut folded = Folded::default();
        let scan = Scan {
            version: Some(base.version),
            columns: Some(self.columns.all()),
            ..Scan::default()
        };
        let scan = self.table(self.offline.scan(&self.schema, &scan).await)?;
        let (mut seen, of) = (0, scan.stats.rows);
        let mut rows = self.table(scan.stream())?;
        while let Some(batch) = rows.next().await {
            let batch = self.batch(batch)?;
            let looked_at = batch.num_rows() as u64;
            seen += looked_at;
            tally.looked_at += looked_at;
            self.progress
                .report(&self.view.name, Phase::Search, tally.looked_at);
            let of_batch = self.store(self.columns.keys(&batch))?;
            let batch = events.of_table(&batch);
            let batch = batch.map_err(|source| Error::of_filters(self.view, source))?;
            let taken = self.states(batch.events(events.plan()))?;
            for (row, key) in of_batch.into_iter().enumerate() {
                let Some(key) = key.filter(|key| shard.has(key) && keys.has(key)) else {
                    continue;
                };
                let builder = folded.state(&key, &base.shape);
                let before = builder.bytes();
                self.states(builder.add(&taken, row))?;
                let grown = builder.bytes().saturating_sub(before);
                folded.bytes += grown;
            }
            let bytes = folded.bytes + folded.states.len() * ENTRY_BYTES;
            if self.is_too_much(bytes, folded.states.len(), shard) {
                return Ok(Err(Overflow::after(seen, of)));
            }
        }
        Ok(Ok(folded))
    }
}
