//! The newest visible row of every key, packed for the online store.

use std::collections::HashMap;

use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use fs_core::EventTime;
use fs_offline::Scan;
use fs_online::{EncodedKey, RowOrder, RowWrite};
use fs_pit::{KeptRows, NewestPerKey, RowId};
use futures::StreamExt;

use super::{Overflow, Publisher, Shard};
use crate::expiry::keep_until;
use crate::rows::{Rows, select};
use crate::{Error, Phase};

/// Rows that are packed at once.
const PACKED: usize = 4_096;

/// The newest rows so far.
pub(super) struct Newest {
    kernel: NewestPerKey,
    kept: KeptRows,
    looked_at: u64,
}

/// A packed row and where it stands.
pub(super) struct Winner {
    pub(super) key: EncodedKey,
    pub(super) order: RowOrder,
    pub(super) row: bytes::Bytes,
}

impl Publisher<'_> {
    /// Writes a winner, in place of the stored row `replaced` if there is one to be replaced.
    pub(super) fn put(&self, winner: Winner, replaced: Option<RowOrder>) -> RowWrite {
        RowWrite {
            keep_until: keep_until(self.forget_by, winner.order.event, self.now),
            key: winner.key,
            row: Some(winner.row),
            replaces: replaced,
        }
    }

    pub(super) fn newest(&self, as_of: EventTime) -> Newest {
        let columns = self.columns.all();
        let fields = columns
            .iter()
            .filter_map(|name| self.schema.columns().field_with_name(name).ok())
            .cloned();
        let schema: SchemaRef =
            SchemaRef::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()));
        Newest {
            kernel: NewestPerKey::new(as_of, self.rule),
            kept: KeptRows::new(schema),
            looked_at: 0,
        }
    }

    /// Offers the rows of a scan: those of `shard`, and of `among` if that is given.
    pub(super) async fn look_through(
        &self,
        newest: &mut Newest,
        scan: Scan,
        shard: Shard,
        among: Option<&HashMap<EncodedKey, RowOrder>>,
    ) -> Result<Result<(), Overflow>, Error> {
        let scan = Scan {
            columns: Some(self.columns.all()),
            ..scan
        };
        let mut rows = self.stream(&scan).await?;
        while let Some(batch) = rows.next().await {
            let mut batch = self.batch(batch)?;
            newest.looked_at += batch.num_rows() as u64;
            self.progress
                .report(&self.view.name, Phase::Search, newest.looked_at);
            if shard != Shard::WHOLE || among.is_some() {
                let keys = self.store(self.columns.keys(&batch))?;
                let wanted = |key: &EncodedKey| {
                    shard.has(key) && among.is_none_or(|among| among.contains_key(key))
                };
                let selected = select(batch, |row| keys[row].as_ref().is_some_and(wanted));
                batch = self.ranked(selected)?;
            }
            let Rows {
                keys,
                event,
                created,
                sequence,
                ..
            } = self.columns.rows(&batch);
            let winners = newest
                .kernel
                .offer(keys, event, Some(created), Some(sequence));
            let winners = self.ranked(winners)?;
            self.ranked(newest.kept.keep(&batch, &winners, Ok::<_, fs_pit::Error>))?;
            if newest.kept.wants_compaction(newest.kernel.candidates()) {
                self.ranked(newest.kept.compact(&newest.kernel.live()))?;
            }
            if self.is_too_much(newest.kernel.candidates(), shard) {
                return Ok(Err(Overflow));
            }
        }
        Ok(Ok(()))
    }

    /// Packs the winners, so many at a time.
    pub(super) fn pack(
        &self,
        newest: Newest,
    ) -> impl Iterator<Item = Result<Vec<Winner>, Error>> + '_ {
        let Newest { kernel, kept, .. } = newest;
        let winners = kernel.finish();
        let mut at = 0;
        std::iter::from_fn(move || {
            let some = winners.get(at..winners.len().min(at + PACKED))?;
            at += some.len();
            (!some.is_empty()).then(|| self.pack_some(&kept, some))
        })
    }

    fn pack_some(&self, kept: &KeptRows, ids: &[RowId]) -> Result<Vec<Winner>, Error> {
        let ids: Vec<Option<RowId>> = ids.iter().copied().map(Some).collect();
        let batch = self.ranked(kept.gather(&ids))?;
        let keys = self.store(self.columns.keys(&batch))?;
        let rows = self.columns.rows(&batch);
        let orders = rows.orders();
        let packed = self.store(self.encoder.encode(rows.features, &orders))?;
        let rows = keys.into_iter().zip(orders).zip(packed);
        Ok(rows
            .filter_map(|((key, order), row)| key.map(|key| Winner { key, order, row }))
            .collect())
    }

    /// Whether `keys` are more than memory has room for, and splitting would help.
    pub(super) fn is_too_much(&self, keys: usize, shard: Shard) -> bool {
        keys > self.options.keys_in_memory && !shard.is_smallest()
    }

    pub(super) async fn stream(&self, scan: &Scan) -> Result<SendableRecordBatchStream, Error> {
        let scan = self.table(self.offline.scan(&self.schema, scan).await)?;
        self.table(scan.stream())
    }

    pub(super) fn batch<T>(
        &self,
        batch: Result<T, datafusion::error::DataFusionError>,
    ) -> Result<T, Error> {
        self.table(batch.map_err(|source| fs_offline::Error::Read {
            table: self.view.name.to_string(),
            source: Box::new(source),
        }))
    }
}
