//! From the rows of the store to the answer.

use std::sync::Arc;

use bytes::Bytes;
use fs_core::EventTime;
use fs_online::row::Unopened;
use fs_online::{OpenRows, RowOrder, row};

use crate::keys::{FetchedRows, Keys};
use crate::plan::Lookup;
use crate::vectors::Found;
use crate::windowed::{Computed, Problem, Windowed, Withheld};
use crate::{Error, FeatureVectors, Plan, Status};

/// An answer that is being put together, lookup by lookup.
pub(crate) struct Assembly {
    plan: Arc<Plan>,
    rows: usize,
    /// The lookups whose rows are open.
    found: Vec<Found>,
    /// The other ones, the next of them last.
    waiting: Vec<Judged>,
}

/// The rows of a lookup, without those that may not be seen.
struct Judged {
    /// One [`Status`] of the whole row each, by number.
    states: Vec<u8>,
    /// When each row was true; any time where there is none.
    events: Vec<Option<i64>>,
    rows: Vec<Option<Bytes>>,
    withheld: Withheld,
}

/// What came of an attempt to finish.
pub(crate) enum Outcome {
    /// The answer.
    Done(FeatureVectors),
    /// A row of this lookup has a layout that its decoder does not know.
    UnknownLayout {
        lookup: usize,
        error: fs_online::Error,
        rest: Assembly,
    },
}

impl Assembly {
    /// Applies visibility and ttl at `now` to what was fetched, and computes what has to be. `published` says
    /// which lookups have something to be found.
    pub(crate) fn of(
        plan: &Arc<Plan>,
        keys: &Keys,
        mut fetched: FetchedRows,
        rows: usize,
        now: EventTime,
        published: &[bool],
    ) -> Result<Self, Error> {
        let mut waiting = Vec::with_capacity(plan.lookups.len());
        for (lookup, published) in plan.lookups.iter().zip(published) {
            let rows = keys.rows_of(plan, lookup, &mut fetched, rows);
            let judged = match &lookup.windows {
                None => Judged::of(lookup, rows, now),
                Some(_) if !published => Ok(Judged::not_found(rows.len())),
                Some(windows) => match Judged::computed(windows, &rows, now) {
                    Ok(judged) => Ok(judged),
                    Err(Problem::Row(error)) => Err(error),
                    Err(Problem::State(source)) => {
                        return Err(Error::State {
                            view: plan.stored[lookup.stored].id.clone(),
                            source: Box::new(source),
                        });
                    }
                },
            };
            waiting.push(judged.map_err(|error| damaged(plan, lookup, error))?);
        }
        waiting.reverse();
        Ok(Self {
            plan: Arc::clone(plan),
            rows,
            found: Vec::with_capacity(plan.lookups.len()),
            waiting,
        })
    }

    /// Opens what is not open yet.
    pub(crate) fn finish(mut self) -> Result<Outcome, Error> {
        while let Some(judged) = self.waiting.pop() {
            let number = self.found.len();
            let lookup = &self.plan.lookups[number];
            let Judged {
                states,
                events,
                rows,
                withheld,
            } = judged;
            match OpenRows::open(lookup.current_decoder(), rows) {
                Ok(rows) => {
                    lookup.counters.count(&lookup.label, &states);
                    self.found.push(Found::new(states, events, rows, withheld));
                }
                Err(unopened) => {
                    let Unopened { error, rows } = *unopened;
                    if !matches!(error, fs_online::Error::UnknownLayout { .. }) {
                        return Err(damaged(&self.plan, lookup, error));
                    }
                    self.waiting.push(Judged {
                        states,
                        events,
                        rows,
                        withheld,
                    });
                    return Ok(Outcome::UnknownLayout {
                        lookup: number,
                        error,
                        rest: self,
                    });
                }
            }
        }
        let vectors = FeatureVectors::new(self.plan, self.rows, self.found);
        Ok(Outcome::Done(vectors))
    }
}

/// A row of `lookup` that cannot be read.
pub(crate) fn damaged(plan: &Plan, lookup: &Lookup, error: fs_online::Error) -> Error {
    Error::Row {
        view: plan.stored[lookup.stored].id.clone(),
        source: Box::new(error),
    }
}

impl Judged {
    fn of(
        lookup: &Lookup,
        mut rows: Vec<Option<Bytes>>,
        now: EventTime,
    ) -> Result<Self, fs_online::Error> {
        let mut states = Vec::with_capacity(rows.len());
        let mut events = Vec::with_capacity(rows.len());
        for row in &mut rows {
            let order = row.as_deref().map(row::order).transpose()?;
            let state = state(lookup, order, now);
            states.push(state.number());
            events.push(order.map(|order| order.event.as_micros()));
            if state != Status::Present {
                *row = None;
            }
        }
        Ok(Self {
            states,
            events,
            rows,
            withheld: Withheld::default(),
        })
    }

    /// Of a windowed view that was not published yet.
    fn not_found(rows: usize) -> Self {
        Self {
            states: vec![Status::NotFound.number(); rows],
            events: vec![None; rows],
            rows: vec![None; rows],
            withheld: Withheld::default(),
        }
    }

    /// Of a windowed view: every key has an answer, also one without events.
    fn computed(
        windows: &Windowed,
        rows: &[Option<Bytes>],
        now: EventTime,
    ) -> Result<Self, Problem> {
        let Computed {
            rows,
            events,
            withheld,
        } = windows.compute(rows, now)?;
        Ok(Self {
            states: vec![Status::Present.number(); rows.len()],
            events,
            rows,
            withheld,
        })
    }
}

/// What holds for a whole row: that it is there, is not there (yet), or is too old.
fn state(lookup: &Lookup, order: Option<RowOrder>, now: EventTime) -> Status {
    let Some(order) = order else {
        return Status::NotFound;
    };
    let event = order.event.as_micros();
    let created = order.created.map(fs_core::CreatedTime::as_micros);
    if lookup.rule.visible_from(event, created) > now.as_micros() {
        Status::NotFound
    } else if lookup.rule.is_expired(event, now.as_micros()) {
        Status::OutsideMaxAge
    } else {
        Status::Present
    }
}
