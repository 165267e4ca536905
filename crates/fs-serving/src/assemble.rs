//! From packed rows to the columns of the answer.

use arrow::array::{Array, ArrayRef};
use bytes::Bytes;
use fs_core::EventTime;
use fs_online::{RowOrder, row};

use crate::lookup::FetchedRows;
use crate::plan::Lookup;
use crate::telemetry::count_rows;
use crate::{Error, FeatureVectors, Plan, Status, VectorColumn, ViewEventTimes};

/// What came of an assembly.
pub(crate) enum Assembled {
    /// The answer.
    Done(FeatureVectors),
    /// A row of this lookup has a layout that its decoder does not know.
    UnknownLayout {
        lookup: usize,
        error: fs_online::Error,
    },
}

/// One lookup: what holds for whole rows, and the features that it wants.
struct Found {
    states: Vec<Status>,
    times: Vec<Option<EventTime>>,
    columns: Vec<ArrayRef>,
}

/// Applies visibility and ttl at `now` and decodes what remains.
pub(crate) fn assemble(
    plan: &Plan,
    fetched: &FetchedRows,
    rows: usize,
    now: EventTime,
) -> Result<Assembled, Error> {
    let mut found = Vec::with_capacity(plan.lookups.len());
    for (position, (lookup, rows)) in plan.lookups.iter().zip(fetched).enumerate() {
        match find(lookup, rows, now) {
            Ok(lookup) => found.push(lookup),
            Err(error @ fs_online::Error::UnknownLayout { .. }) => {
                let lookup = position;
                return Ok(Assembled::UnknownLayout { lookup, error });
            }
            Err(source) => {
                let view = plan.stored[lookup.stored].clone();
                let source = Box::new(source);
                return Err(Error::Row { view, source });
            }
        }
    }
    let columns = plan.outputs.iter().map(|output| {
        let lookup = &found[output.lookup];
        let values = lookup.columns[output.wanted].clone();
        VectorColumn {
            name: output.name.clone(),
            data_type: output.data_type,
            statuses: statuses(&lookup.states, &values),
            values,
        }
    });
    let columns = columns.collect();
    let event_times = plan
        .lookups
        .iter()
        .zip(found)
        .map(|(lookup, found)| {
            count_rows(&lookup.label, &found.states);
            ViewEventTimes {
                view: lookup.label.clone(),
                times: found.times,
            }
        })
        .collect();
    Ok(Assembled::Done(FeatureVectors {
        columns,
        event_times,
        rows,
    }))
}

fn find(
    lookup: &Lookup,
    rows: &[Option<Bytes>],
    now: EventTime,
) -> Result<Found, fs_online::Error> {
    let mut states = Vec::with_capacity(rows.len());
    let mut times = Vec::with_capacity(rows.len());
    let mut usable: Vec<Option<&[u8]>> = Vec::with_capacity(rows.len());
    for bytes in rows {
        let order = bytes.as_deref().map(row::order).transpose()?;
        let state = state(lookup, order, now);
        states.push(state);
        times.push(
            order
                .filter(|_| state != Status::NotFound)
                .map(|order| order.event),
        );
        usable.push(bytes.as_deref().filter(|_| state == Status::Present));
    }
    let columns = lookup.current_decoder().decode(&usable)?;
    Ok(Found {
        states,
        times,
        columns,
    })
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

fn statuses(states: &[Status], values: &ArrayRef) -> Vec<Status> {
    let Some(nulls) = values.nulls() else {
        return states.to_vec();
    };
    states
        .iter()
        .zip(nulls)
        .map(|(state, is_valid)| match state {
            Status::Present if !is_valid => Status::NullValue,
            state => *state,
        })
        .collect()
}
