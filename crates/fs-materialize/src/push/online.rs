//! The online half of a push: the newest row of each key, where it is newer than what is stored.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use arrow::array::{Int64Array, RecordBatch, UInt64Array};
use arrow::compute::take_record_batch;
use fs_core::{CreatedTime, EventTime};
use fs_online::{EncodedKey, RowEncoder, RowLayout, RowOrder, RowWrite, ViewKeys};
use fs_pit::Rule;

use super::check::Job;
use super::{Inner, RowOutcome};
use crate::Error;
use crate::expiry::keep_until;

/// Rows that are written at once.
const WRITTEN: usize = 2_048;

/// How long a push waits for the time of its rows: by so much clocks may differ.
const EARLY: Duration = Duration::from_secs(1);

/// The `_sequence` of pushed rows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sequence {
    /// They are in no table. Rows of pushes with this number are the same rows; of others, they are others.
    None {
        /// Tells the push from others.
        push: u64,
    },
    /// That of the first; the others follow one by one.
    From(i64),
}

impl Sequence {
    /// By which states know the events of so many rows: a negative number of what is in no table.
    pub(super) fn of_events(self, rows: usize) -> Int64Array {
        let rows = 0..i64::try_from(rows).unwrap_or(i64::MAX);
        let number = |row: i64| match self {
            Self::None { push } => {
                let mut hasher = DefaultHasher::new();
                (push, row).hash(&mut hasher);
                hasher.finish().cast_signed() | i64::MIN
            }
            Self::From(first) => first.saturating_add(row),
        };
        Int64Array::from_iter_values(rows.map(number))
    }

    fn of(self, row: usize) -> u64 {
        match self {
            Self::None { .. } => 0,
            Self::From(first) => first.cast_unsigned() + row as u64,
        }
    }
}

impl Inner {
    /// Waits for the time of those `rows` that may be seen soon; an error if one may not. Windows count an
    /// event when its time has come, so nobody waits for theirs.
    pub(super) async fn wait_for_visible(
        &self,
        job: &Job,
        rows: &RecordBatch,
    ) -> Result<(), Error> {
        if job.events.is_some() {
            return Ok(());
        }
        let (rule, now) = (Rule::of(&job.view), self.clock.now());
        let columns = job.columns.unnumbered(rows);
        let (mut soon, mut not_yet) = (Duration::ZERO, None);
        for row in 0..rows.num_rows() {
            // Where none is given it becomes the instant of receipt, which has come.
            let created = columns.created(row).unwrap_or(i64::MIN);
            let from = rule.visible_from(columns.event.value(row), Some(created));
            let Some(early @ 1..) = from.checked_sub(now.as_micros()) else {
                continue;
            };
            let early = Duration::from_micros(early.unsigned_abs());
            if self.clock.is_real() && early <= EARLY {
                soon = soon.max(early);
            } else if not_yet.is_none() {
                not_yet = Some((row, EventTime::from_micros(from)));
            }
        }
        if !soon.is_zero() {
            tokio::time::sleep(soon).await;
        }
        match not_yet {
            None => Ok(()),
            Some((row, from)) => Err(Error::NotVisibleYet {
                view: job.view.name.clone(),
                row,
                from,
            }),
        }
    }

    /// Writes those of `rows` that may be seen; what became of each.
    pub(super) async fn store(
        &self,
        job: &Job,
        rows: &RecordBatch,
        sequence: Sequence,
    ) -> Result<Vec<RowOutcome>, Error> {
        if let Some(events) = &job.events {
            return self.store_events(job, events, rows, sequence).await;
        }
        let failed = |source| self.online_error(job, sequence, source);
        let now = self.clock.now();
        let mut outcomes = vec![RowOutcome::Outdone; rows.num_rows()];
        let keys = job.columns.keys(rows).map_err(failed)?;
        let winners = newest(job, rows, &keys, sequence, now, &mut outcomes);
        let writes = self.pack(job, rows, &winners, now).map_err(failed)?;
        let layout = RowLayout::of_view(&job.view);
        self.online
            .prepare(&job.id, &layout)
            .await
            .map_err(failed)?;
        for (winners, writes) in winners.chunks(WRITTEN).zip(writes.chunks(WRITTEN)) {
            let done = self.online.write(&job.id, writes.to_vec(), None).await;
            let all = done.map_err(failed)?.kept == 0;
            let stored = if all {
                vec![true; winners.len()]
            } else {
                self.are_stored(job, writes).await.map_err(failed)?
            };
            for (winner, stored) in winners.iter().zip(stored) {
                if stored {
                    outcomes[winner.row] = RowOutcome::Stored;
                }
            }
        }
        Ok(outcomes)
    }

    fn pack(
        &self,
        job: &Job,
        rows: &RecordBatch,
        winners: &[Winner],
        now: EventTime,
    ) -> Result<Vec<RowWrite>, fs_online::Error> {
        let orders: Vec<RowOrder> = winners.iter().map(|winner| winner.order).collect();
        let chosen = UInt64Array::from_iter_values(winners.iter().map(|winner| winner.row as u64));
        // Every winner is one of the rows.
        let chosen = take_record_batch(rows, &chosen).unwrap_or_else(|_impossible| rows.clone());
        let features = job.columns.unnumbered(&chosen).features;
        let packed = RowEncoder::new(&RowLayout::of_view(&job.view)).encode(features, &orders)?;
        let ttl = job.view.ttl.filter(|_| self.clock.is_real());
        let writes = winners.iter().zip(packed);
        Ok(writes
            .map(|(winner, row)| RowWrite {
                keep_until: keep_until(ttl, winner.order.event, now),
                ..RowWrite::newest(winner.key.clone(), row)
            })
            .collect())
    }

    /// Which of `writes` the store holds now.
    async fn are_stored(
        &self,
        job: &Job,
        writes: &[RowWrite],
    ) -> Result<Vec<bool>, fs_online::Error> {
        let keys: Vec<EncodedKey> = writes.iter().map(|write| write.key.clone()).collect();
        let request = ViewKeys {
            view: &job.id,
            keys: &keys,
        };
        let stored = self.online.read(&[request]).await?;
        let stored = stored.into_iter().flatten();
        Ok(writes
            .iter()
            .zip(stored)
            .map(|(write, stored)| write.row == stored)
            .collect())
    }

    pub(super) fn online_error(
        &self,
        job: &Job,
        sequence: Sequence,
        source: fs_online::Error,
    ) -> Error {
        match sequence {
            Sequence::None { .. } => self.not_stored(job, source),
            Sequence::From(_) => Error::Online {
                view: job.view.name.clone(),
                store: self.online.describe(),
                source: Box::new(source),
            },
        }
    }

    pub(super) fn not_stored(&self, job: &Job, source: fs_online::Error) -> Error {
        Error::NotStored {
            view: job.view.name.clone(),
            store: self.online.describe(),
            source: Box::new(source),
        }
    }
}

/// The newest row of a key among those of a push.
struct Winner {
    row: usize,
    key: EncodedKey,
    order: RowOrder,
}

/// The newest row of each key that may be seen at `now`; those that may not, and that a run will
/// publish, are marked.
fn newest(
    job: &Job,
    rows: &RecordBatch,
    keys: &[Option<EncodedKey>],
    sequence: Sequence,
    now: EventTime,
    outcomes: &mut [RowOutcome],
) -> Vec<Winner> {
    let rule = Rule::of(&job.view);
    let columns = job.columns.unnumbered(rows);
    let in_table = matches!(sequence, Sequence::From(_));
    let mut winners: Vec<Winner> = Vec::new();
    let mut places: HashMap<EncodedKey, usize> = HashMap::new();
    for (row, key) in keys.iter().enumerate() {
        let Some(key) = key else { continue };
        let (event, created) = (columns.event.value(row), columns.created(row));
        if in_table && rule.visible_from(event, created) > now.as_micros() {
            outcomes[row] = RowOutcome::Later;
            continue;
        }
        let order = RowOrder {
            event: EventTime::from_micros(event),
            created: created.map(CreatedTime::from_micros),
            sequence: sequence.of(row),
        };
        let place = *places.entry(key.clone()).or_insert_with(|| {
            winners.push(Winner {
                row,
                key: key.clone(),
                order,
            });
            winners.len() - 1
        });
        let winner = &mut winners[place];
        // Of equal rows the last wins.
        if order >= winner.order {
            (winner.row, winner.order) = (row, order);
        }
    }
    winners
}
