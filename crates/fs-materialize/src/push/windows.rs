//! The online half of a push to a windowed view: events on top of the states of their keys.
//!
//! ```text
//!   read the states of the keys ──► add the events that are not in them ──► write what is still as it was read
//!        ▲                                                                      │
//!        └────────────── those that somebody else wrote meanwhile ──────────────┘
//! ```
//!
//! | | |
//! |---|---|
//! | **Exactly once** | an event of the table is known by its `_sequence`: a state ignores it if it is in it already, pushed before or published. See [`publish::windows`](crate::publish) |
//! | **Online only** | an event is known by a number that its push gives it, the same one if it is pushed again with the same key. It counts until the table has come past its event time; from then on the source decides. Which of two that happened and were received at the same instants is the later is as good as chance |
//! | **Time** | an event of the future, or one that is not known yet, is stored at once; windows count it when its time has come |
//! | **Before the first publication** | events are stored all the same; readers find nothing until the view is published |

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arrow::array::RecordBatch;
use fs_online::state_row::{self, StateRow};
use fs_online::{EncodedKey, ViewId, ViewKeys};
use fs_pit::state::{Coverage, State, StateEvents, StateShape};
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::{Mutex, MutexGuard};

use super::check::Job;
use super::online::Sequence;
use super::{Inner, RowOutcome};
use crate::Error;
use crate::events::EventReader;
use crate::horizon::Horizon;

/// Keys whose states are read at once.
const KEYS: usize = 64;

/// Reads and writes that the store is busy with at once.
const IN_FLIGHT: usize = 8;

/// How often a state is read again because somebody else wrote it meanwhile.
const TRIES: usize = 100;

/// Keys of this process take turns, so that pushes to one key do not get in each other's way.
#[derive(Debug)]
pub(super) struct Turns(Vec<Mutex<()>>);

const TURNS: usize = 64;

impl Default for Turns {
    fn default() -> Self {
        Self((0..TURNS).map(|_| Mutex::new(())).collect())
    }
}

impl Turns {
    /// Waits for the turn of all of these keys.
    async fn of(
        &self,
        view: &ViewId,
        keys: impl Iterator<Item = &EncodedKey>,
    ) -> Vec<MutexGuard<'_, ()>> {
        let turn = |key: &EncodedKey| {
            let mut hasher = DefaultHasher::new();
            (view, key.as_bytes()).hash(&mut hasher);
            usize::try_from(hasher.finish() % TURNS as u64).unwrap_or_default()
        };
        let mut turns: Vec<usize> = keys.map(turn).collect();
        // Everybody takes them in the same order, so nobody waits for somebody who waits for him.
        turns.sort_unstable();
        turns.dedup();
        let mut held = Vec::with_capacity(turns.len());
        for turn in turns {
            held.push(self.0[turn].lock().await);
        }
        held
    }
}

/// The events of one key: their rows.
type OfKey = (EncodedKey, Vec<usize>);

impl Inner {
    /// Adds the events in `rows` to the states of their keys; what became of each.
    pub(super) async fn store_events(
        &self,
        job: &Job,
        reader: &EventReader,
        rows: &RecordBatch,
        sequence: Sequence,
    ) -> Result<Vec<RowOutcome>, Error> {
        let failed = |source| self.online_error(job, sequence, source);
        let keys = job.columns.keys(rows).map_err(failed)?;
        let batch = reader.of_rows(rows.clone(), sequence.of_events(rows.num_rows()));
        let batch = batch.map_err(|source| Error::of_filters(&job.view, source))?;
        let events = batch.events(reader.plan());
        let events = events.map_err(|source| job.state_error(source))?;
        let shape = self.shape(job, reader);
        let layout = state_row::layout();
        self.online
            .prepare(&job.id, &layout)
            .await
            .map_err(failed)?;
        let of_keys = by_key(keys);
        let _turns = self
            .turns
            .of(&job.id, of_keys.iter().map(|(key, _)| key))
            .await;
        let adding = Adding {
            job,
            events: &events,
            shape: &shape,
            sequence,
        };
        let parts = of_keys.chunks(KEYS);
        let parts: Vec<_> = parts.map(|keys| self.add(&adding, keys)).collect();
        stream::iter(parts)
            .buffer_unordered(IN_FLIGHT)
            .try_collect::<()>()
            .await?;
        Ok(vec![RowOutcome::Stored; rows.num_rows()])
    }

    fn shape(&self, job: &Job, reader: &EventReader) -> StateShape {
        let now = self.clock.now();
        let coverage = Coverage {
            limits: self.states,
            ..Horizon::of(&job.view, now).coverage(now, None)
        };
        StateShape::new(Arc::clone(reader.plan()), coverage)
    }

    async fn add(&self, adding: &Adding<'_>, keys: &[OfKey]) -> Result<(), Error> {
        let Adding { job, sequence, .. } = *adding;
        let failed = |source| self.online_error(job, sequence, source);
        let mut left: Vec<&OfKey> = keys.iter().collect();
        for _ in 0..TRIES {
            let read: Vec<EncodedKey> = left.iter().map(|(key, _)| key.clone()).collect();
            let request = ViewKeys {
                view: &job.id,
                keys: &read,
            };
            let stored = self.online.read(&[request]).await.map_err(failed)?;
            let mut writes = Vec::new();
            let mut tried = Vec::new();
            for (of_key, row) in left.into_iter().zip(stored.into_iter().flatten()) {
                let row = StateRow::read(row.as_ref()).map_err(failed)?;
                let state = adding.on_top_of(&row, &of_key.1);
                if let Some(state) = state.map_err(|source| job.state_error(source))? {
                    let write = row.write(of_key.0.clone(), &state).map_err(failed)?;
                    writes.push(write);
                    tried.push(of_key);
                }
            }
            if writes.is_empty() {
                return Ok(());
            }
            let outcome = self.online.write(&job.id, writes, None).await;
            if outcome.map_err(failed)?.kept == 0 {
                return Ok(());
            }
            // Somebody was faster with some of them. What was added to the others is known by its number.
            left = tried;
        }
        Err(Error::Busy {
            view: job.view.name.clone(),
        })
    }
}

/// Events on their way into states.
struct Adding<'a> {
    job: &'a Job,
    events: &'a StateEvents<'a>,
    shape: &'a StateShape,
    sequence: Sequence,
}

impl Adding<'_> {
    /// The state with the events in `rows`; `None` if it has all of them.
    fn on_top_of(
        &self,
        stored: &StateRow,
        rows: &[usize],
    ) -> Result<Option<Vec<u8>>, fs_pit::Error> {
        let state = stored.state().map(|bytes| State::open(bytes)).transpose()?;
        State::push(state.as_ref(), self.shape, self.events, rows)
    }
}

/// The rows of each key; rows without a key, which no check lets through, are left out.
fn by_key(keys: Vec<Option<EncodedKey>>) -> Vec<OfKey> {
    let mut of_keys: Vec<OfKey> = Vec::new();
    let mut places: HashMap<EncodedKey, usize> = HashMap::new();
    for (row, key) in keys.into_iter().enumerate() {
        let Some(key) = key else { continue };
        let place = *places.entry(key.clone()).or_insert_with(|| {
            of_keys.push((key, Vec::new()));
            of_keys.len() - 1
        });
        of_keys[place].1.push(row);
    }
    of_keys
}
