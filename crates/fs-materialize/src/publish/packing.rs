//! From rows of the table to writes of the online store, piece by piece.

use arrow::array::{Array, RecordBatch};
use datafusion::execution::SendableRecordBatchStream;
use fs_online::RowWrite;
use futures::StreamExt;

use super::winners::Winners;
use super::{Attempt, Publisher};
use crate::Error;
use crate::expiry::keep_until;
use crate::rows::select;

/// A write begins no other row after this many bytes.
const WRITE_BYTES: usize = 4 << 20;

/// Rows that are packed at once before it is known how large they are.
const FIRST_ROWS: usize = 64;

/// Rows on their way: some are chosen, some are packed.
pub(super) struct Packing<'a> {
    publisher: &'a Publisher<'a>,
    attempt: Attempt,
    winners: &'a Winners,
    rows: SendableRecordBatchStream,
    /// Winners that are not packed yet.
    chosen: Option<RecordBatch>,
    /// Writes that are not enough yet.
    ready: Vec<RowWrite>,
    ready_bytes: usize,
    /// What a row takes, as far as is known.
    row_bytes: Option<usize>,
}

impl<'a> Packing<'a> {
    pub(super) fn new(
        publisher: &'a Publisher<'a>,
        attempt: Attempt,
        winners: &'a Winners,
        rows: SendableRecordBatchStream,
    ) -> Self {
        Self {
            publisher,
            attempt,
            winners,
            rows,
            chosen: None,
            ready: Vec::new(),
            ready_bytes: 0,
            row_bytes: None,
        }
    }

    /// What to write next, some megabytes at most; `None` after the last. May be broken off while it
    /// waits for rows, and asked again.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<RowWrite>>, Error> {
        loop {
            if self.ready.len() >= self.publisher.options.write_batch
                || self.ready_bytes >= WRITE_BYTES
            {
                return Ok(self.take());
            }
            if let Some(chosen) = self.chosen.take() {
                let rows = self.fitting().min(chosen.num_rows());
                if rows < chosen.num_rows() {
                    self.chosen = Some(chosen.slice(rows, chosen.num_rows() - rows));
                }
                self.pack(&chosen.slice(0, rows))?;
                continue;
            }
            let Some(batch) = self.rows.next().await else {
                return Ok(self.take());
            };
            let chosen = self.choose(&self.publisher.batch(batch)?)?;
            self.chosen = (chosen.num_rows() > 0).then_some(chosen);
        }
    }

    fn take(&mut self) -> Option<Vec<RowWrite>> {
        self.ready_bytes = 0;
        let ready = std::mem::take(&mut self.ready);
        (!ready.is_empty()).then_some(ready)
    }

    /// How many rows there is room for.
    fn fitting(&self) -> usize {
        let by_number = self.publisher.options.write_batch - self.ready.len();
        let by_bytes = self.row_bytes.map_or(FIRST_ROWS, |bytes| {
            (WRITE_BYTES - self.ready_bytes) / bytes.max(1)
        });
        by_number.min(by_bytes).max(1)
    }

    /// The winners of a batch.
    fn choose(&self, batch: &RecordBatch) -> Result<RecordBatch, Error> {
        let publisher = self.publisher;
        let rows = publisher.columns.rows(batch);
        let as_of = self.attempt.as_of.as_micros();
        let is_visible = |row: usize| {
            let created = rows.created(row);
            publisher.rule.visible_from(rows.event.value(row), created) <= as_of
        };
        let is_winner = |row: usize| {
            if rows.sequence.is_valid(row) {
                self.winners.has(Some(rows.sequence.value(row)))
            } else {
                self.winners.has(None) && is_visible(row)
            }
        };
        publisher.ranked(select(batch, is_winner))
    }

    fn pack(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        let publisher = self.publisher;
        let keys = publisher.store(publisher.columns.keys(batch))?;
        let rows = publisher.columns.rows(batch);
        let orders = rows.orders();
        let packed = publisher.store(publisher.encoder.encode(rows.features, &orders))?;
        let before = self.ready_bytes;
        for ((key, order), row) in keys.into_iter().zip(orders).zip(packed) {
            let Some(key) = key else { continue };
            self.ready_bytes += key.as_bytes().len() + row.len();
            self.ready.push(RowWrite {
                keep_until: keep_until(publisher.forget_by, order.event, publisher.now),
                replaces: self.winners.replaced_by(&key, order),
                key,
                row: Some(row),
            });
        }
        self.row_bytes = Some((self.ready_bytes - before) / batch.num_rows().max(1));
        Ok(())
    }
}
