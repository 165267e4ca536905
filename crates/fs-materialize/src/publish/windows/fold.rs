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

/// About what an entry of [`Folded`] takes beside its builder: its key, twice, and the room between entries.
const ENTRY_BYTES: usize = 160;

/// The states of some keys, in the making.
#[derive(Debug, Default)]
pub(super) struct Folded {
    pub(super) states: Vec<Folding>,
    /// Where among them each key is.
    pub(super) places: HashMap<EncodedKey, usize>,
    /// Those that have changed since they were weighed.
    changed: Vec<usize>,
    bytes: usize,
}

/// The state of a key, in the making.
#[derive(Debug)]
pub(super) struct Folding {
    pub(super) key: EncodedKey,
    pub(super) builder: StateBuilder,
    /// What it took when it was weighed.
    bytes: usize,
    has_changed: bool,
}

impl Folded {
    /// The state of a key, empty if it is a new one; to be changed.
    fn state(&mut self, key: &EncodedKey, shape: &Arc<StateShape>) -> &mut StateBuilder {
        let known = self.places.get(key).copied();
        let at = known.unwrap_or_else(|| {
            let (key, at) = (key.detached(), self.states.len());
            self.places.insert(key.clone(), at);
            self.states.push(Folding {
                key,
                builder: StateBuilder::new(Arc::clone(shape)),
                bytes: 0,
                has_changed: false,
            });
            at
        });
        let state = &mut self.states[at];
        if !state.has_changed {
            state.has_changed = true;
            self.changed.push(at);
        }
        &mut state.builder
    }

    /// About what all of it takes. Weighing a state takes a look at all that is in it.
    fn weigh(&mut self) -> usize {
        for at in self.changed.drain(..) {
            let state = &mut self.states[at];
            let bytes = state.builder.bytes();
            self.bytes = (self.bytes + bytes).saturating_sub(state.bytes);
            (state.bytes, state.has_changed) = (bytes, false);
        }
        self.bytes + self.states.len() * ENTRY_BYTES
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
                self.states(builder.add(&taken, row))?;
            }
            if self.is_too_much(folded.weigh(), folded.states.len(), shard) {
                return Ok(Err(Overflow::after(seen, of)));
            }
        }
        Ok(Ok(folded))
    }
}
