//! [`Held`]: events that wait until there are enough of them to be worth sorting by key.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMicrosecondType};

use super::join::Events;
use super::places::Arrival;
use crate::keys::NO_KEY;
use crate::{Error, FeatureRows, Rule};

/// The most buckets that events are sorted into; so few that all their ends stay in the cache.
const BUCKETS: usize = 1 << 16;

/// Events that wait until there are enough of them to be worth sorting by key.
///
/// Events come in the order of time, if in any, so each is one of another key and belongs somewhere
/// else in memory. Sorted by key, those of one key find what the one before them has brought.
#[derive(Debug, Default)]
pub(super) struct Held {
    batches: Vec<Batch>,
    /// The number of the key of each event.
    keys: Vec<u32>,
    bytes: usize,
}

/// The columns of a batch of events, keys apart.
#[derive(Debug)]
pub(super) struct Batch {
    event: TimestampMicrosecondArray,
    created: Option<TimestampMicrosecondArray>,
    sequence: Option<Int64Array>,
    pub(super) inputs: Vec<ArrayRef>,
    pub(super) filters: Vec<BooleanArray>,
}

impl Held {
    pub(super) const fn rows(&self) -> usize {
        self.keys.len()
    }

    /// Bytes that the events take, and that sorting them will take.
    pub(super) const fn bytes(&self) -> usize {
        // Columns are copied once.
        2 * self.bytes + self.keys.capacity() * (size_of::<u32>() + size_of::<Arrival>())
    }

    /// Whether `inputs` can be put into one column each with those that are here.
    pub(super) fn goes_with(&self, inputs: &[ArrayRef]) -> bool {
        self.batches.last().is_none_or(|batch| {
            let both = batch.inputs.iter().zip(inputs);
            both.into_iter()
                .all(|(one, other)| one.data_type() == other.data_type())
        })
    }

    /// Takes events whose keys have these numbers; `inputs` are theirs, which were checked.
    pub(super) fn push(&mut self, events: &Events<'_>, inputs: Vec<ArrayRef>, keys: &[u32]) {
        let batch = Batch {
            event: events
                .rows
                .event
                .clone()
                .with_timezone_opt(None::<Arc<str>>),
            created: (events.rows.created)
                .map(|created| created.clone().with_timezone_opt(None::<Arc<str>>)),
            sequence: events.rows.sequence.cloned(),
            inputs,
            filters: events.filters.to_vec(),
        };
        let texts = batch.inputs.iter().map(|input| {
            let bytes = input.to_data().get_slice_memory_size();
            bytes.unwrap_or_else(|_overflow| input.get_array_memory_size())
        });
        self.bytes += texts.sum::<usize>() + keys.len() * 24;
        self.keys.extend_from_slice(keys);
        self.batches.push(batch);
    }

    /// All events that are here as one batch, and where those with a key are in it, sorted by key.
    pub(super) fn take(
        &mut self,
        rule: &Rule,
        key_count: usize,
    ) -> Result<(Batch, Vec<Arrival>), Error> {
        let held = std::mem::take(self);
        let batch = Batch::concat(held.batches)?;
        let arrivals = by_key(rule, &batch.rows(), &held.keys, key_count);
        Ok((batch, arrivals))
    }
}

impl Batch {
    /// The times of the events, without their keys.
    pub(super) fn rows(&self) -> FeatureRows<'_> {
        FeatureRows {
            keys: &[],
            event: &self.event,
            created: self.created.as_ref(),
            sequence: self.sequence.as_ref(),
        }
    }

    fn concat(mut batches: Vec<Self>) -> Result<Self, Error> {
        if batches.len() == 1
            && let Some(batch) = batches.pop()
        {
            return Ok(batch);
        }
        let batches = batches.as_slice();
        let filters = batches.first().map_or(0, |batch| batch.filters.len());
        let inputs = batches.first().map_or(0, |batch| batch.inputs.len());
        let time = DataType::Timestamp(TimeUnit::Microsecond, None);
        let event = all(batches, &time, |batch| Some(&batch.event))?;
        let created = all(batches, &time, |batch| as_dyn(batch.created.as_ref()))?;
        let number = DataType::Int64;
        let sequence = all(batches, &number, |batch| as_dyn(batch.sequence.as_ref()))?;
        let filter = |at: usize| {
            let filter = all(batches, &DataType::Boolean, |b| Some(&b.filters[at]))?;
            Ok(filter.map_or_else(
                || BooleanArray::from(vec![false; 0]),
                |f| f.as_boolean().clone(),
            ))
        };
        let input = |at: usize| {
            let inputs: Vec<&dyn Array> = batches.iter().map(|b| b.inputs[at].as_ref()).collect();
            Ok(concat(&inputs)?)
        };
        Ok(Self {
            event: event.map_or_else(
                || TimestampMicrosecondArray::from(vec![0; 0]),
                |event| event.as_primitive::<TimestampMicrosecondType>().clone(),
            ),
            created: created.map(|c| c.as_primitive::<TimestampMicrosecondType>().clone()),
            sequence: sequence.map(|s| s.as_primitive::<Int64Type>().clone()),
            inputs: (0..inputs).map(input).collect::<Result<_, Error>>()?,
            filters: (0..filters).map(filter).collect::<Result<_, Error>>()?,
        })
    }
}

fn as_dyn<A: Array>(array: Option<&A>) -> Option<&dyn Array> {
    array.map(|array| array as &dyn Array)
}

/// A column of all batches in one, nulls where a batch has none; none where no batch has any.
fn all<'a>(
    batches: &'a [Batch],
    data_type: &DataType,
    column: impl Fn(&'a Batch) -> Option<&'a dyn Array>,
) -> Result<Option<ArrayRef>, Error> {
    if batches.iter().all(|batch| column(batch).is_none()) {
        return Ok(None);
    }
    let nulls = |batch: &Batch| new_null_array(data_type, batch.event.len());
    let owned: Vec<Option<ArrayRef>> = batches
        .iter()
        .map(|batch| column(batch).is_none().then(|| nulls(batch)))
        .collect();
    let columns = batches.iter().zip(&owned);
    let columns: Vec<&dyn Array> = columns
        .filter_map(|(batch, nulls)| column(batch).or(nulls.as_deref()))
        .collect();
    Ok(Some(concat(&columns)?))
}

/// The events that have a key, those of one key nearly together, otherwise in order.
fn by_key(rule: &Rule, rows: &FeatureRows<'_>, keys: &[u32], key_count: usize) -> Vec<Arrival> {
    let mut shift = 0;
    while key_count >> shift > BUCKETS {
        shift += 1;
    }
    let mut ends = vec![0_u32; (key_count >> shift) + 2];
    for key in keys.iter().filter(|key| **key != NO_KEY) {
        ends[(key >> shift) as usize + 1] += 1;
    }
    let mut end = 0;
    for start in &mut ends {
        end += *start;
        *start = end;
    }
    let mut arrivals = vec![Arrival::default(); end as usize];
    for ((row, key), event) in (0_u32..).zip(keys).zip(rows.event.values()) {
        if *key != NO_KEY {
            let place = &mut ends[(key >> shift) as usize];
            arrivals[*place as usize] = Arrival {
                key: *key,
                row,
                at: rule.arrives(*event),
                seen: rule.visible_from(*event, rows.created(row as usize)),
            };
            *place += 1;
        }
    }
    arrivals
}
