//! [`Block`]: up to 64 events, column by column.
//!
//! ```text
//!   count      number of events, 1 to 64
//!   numbers    event times
//!   mask       which have a created time; if any: numbers, zero for the others
//!   mask       which have a sequence; if any: numbers, zero for the others
//!   mask       for each filter: which events it lets through
//!   mask       for each input: which have a value; if any, the values that are there:
//!                bool        mask
//!                int         numbers
//!                float       1 and numbers where all are whole and exact, 2 and 4 bytes each, 4 and 8 bytes each
//!                text        numbers, where each ends; the texts
//!                array       nothing
//! ```
//! `numbers` are [packed](super::packed), a `mask` is [one](super::mask) of as many events as there are, or
//! as there are values. So a filter, the nulls of a column and the events that are in a window are sixty-four
//! bits each, and what is left of the column is `a & b & c`.

use fs_core::DataType;

use super::event::{Event, Events};
use super::mask;
use super::packed::{self, Packed};
use super::schema::Schema;
use super::values::{Values, put_values};
use crate::aggregate::Scalar;
use crate::aggregate::bytes::{broken, byte};
use crate::{Error, RowRank};

/// Up to 64 events, read where they lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    count: usize,
    times: Packed<'a>,
    created: Sparse<'a>,
    sequences: Sparse<'a>,
    /// The filters, and after them the inputs.
    rest: &'a [u8],
}

/// Numbers that some of the events have.
#[derive(Debug, Clone, Copy)]
struct Sparse<'a> {
    there: u64,
    numbers: Option<Packed<'a>>,
}

impl<'a> Block<'a> {
    /// Takes a block off the front of `bytes`.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut bytes = bytes;
        let count = usize::from(byte(&mut bytes)?);
        if count == 0 || count > mask::MOST {
            return Err(broken("a block has no events, or too many"));
        }
        Ok(Self {
            count,
            times: Packed::read(&mut bytes, count)?,
            created: Sparse::read(&mut bytes, count)?,
            sequences: Sparse::read(&mut bytes, count)?,
            rest: bytes,
        })
    }

    /// How many events there are.
    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// The event time, the created time and the sequence of an event.
    #[inline]
    pub(super) fn rank(&self, index: usize) -> RowRank {
        RowRank {
            event: self.times.get(index),
            created: self.created.get(index),
            sequence: self.sequences.get(index),
        }
    }

    /// The events that a filter lets through.
    pub(super) fn filter(&self, filter: usize) -> Result<u64, Error> {
        let mut bytes = self.rest;
        for _ in 0..filter {
            mask::read(&mut bytes, self.count)?;
        }
        mask::read(&mut bytes, self.count)
    }

    /// The values of an input.
    pub(super) fn values(&self, schema: &Schema, input: usize) -> Result<Values<'a>, Error> {
        let mut bytes = self.rest;
        for _ in &schema.filters {
            mask::read(&mut bytes, self.count)?;
        }
        for before in schema.inputs.iter().take(input) {
            Values::read(before.data_type, &mut bytes, self.count)?;
        }
        let input = schema.inputs.get(input);
        let input = input.ok_or(broken("a block has fewer inputs than its lanes read"))?;
        Values::read(input.data_type, &mut bytes, self.count)
    }

    /// Appends all events to `events`.
    pub(super) fn unpack(&self, schema: &Schema, events: &mut Events) -> Result<(), Error> {
        let mut bytes = self.rest;
        let mut filters = Vec::with_capacity(schema.filters.len());
        for _ in &schema.filters {
            filters.push(mask::read(&mut bytes, self.count)?);
        }
        let mut inputs = Vec::with_capacity(schema.inputs.len());
        for input in &schema.inputs {
            inputs.push(Values::read(input.data_type, &mut bytes, self.count)?);
        }
        for index in 0..self.count {
            let passes = filters.iter().map(|mask| mask & (1 << index) != 0);
            let values = inputs.iter().map(|values| values.get(index));
            events.push(self.rank(index), passes, values);
        }
        Ok(())
    }
}

impl<'a> Sparse<'a> {
    fn read(bytes: &mut &'a [u8], count: usize) -> Result<Self, Error> {
        let there = mask::read(bytes, count)?;
        let numbers = (there != 0).then(|| Packed::read(bytes, count));
        Ok(Self {
            there,
            numbers: numbers.transpose()?,
        })
    }

    fn get(&self, index: usize) -> Option<i64> {
        let numbers = self.numbers.as_ref()?;
        (self.there & (1 << index) != 0).then(|| numbers.get(index))
    }
}

/// What is kept of where events stand in the order of rows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    pub(super) created: bool,
    pub(super) sequences: bool,
}

/// Appends a block of `events`: at least one, at most 64.
pub(super) fn put(schema: &Schema, kept: Kept, events: &[Event<'_>], out: &mut Vec<u8>) {
    out.push(u8::try_from(events.len()).unwrap_or(u8::MAX));
    let times: Vec<i64> = events.iter().map(|event| event.rank.event).collect();
    packed::put(&times, out);
    let created: Vec<_> = events
        .iter()
        .map(|event| event.rank.created.filter(|_| kept.created))
        .collect();
    put_sparse(&created, out);
    let sequences: Vec<_> = events
        .iter()
        .map(|event| event.rank.sequence.filter(|_| kept.sequences))
        .collect();
    put_sparse(&sequences, out);
    for filter in 0..schema.filters.len() {
        let passes = events.iter().map(|event| event.passes(filter));
        mask::put(bits(passes), events.len(), out);
    }
    let mut rows: Vec<_> = events.iter().map(|event| event.values(schema)).collect();
    for input in &schema.inputs {
        let column: Vec<_> = rows.iter_mut().map(|row| row.next().flatten()).collect();
        mask::put(bits(column.iter().map(Option::is_some)), events.len(), out);
        let there: Vec<Scalar<'_>> = column.into_iter().flatten().collect();
        if let DataType::Scalar(scalar) = input.data_type
            && !there.is_empty()
        {
            put_values(scalar, &there, out);
        }
    }
}

pub(super) fn bits(bits: impl Iterator<Item = bool>) -> u64 {
    bits.enumerate()
        .fold(0, |mask, (at, bit)| mask | (u64::from(bit) << at))
}

fn put_sparse(numbers: &[Option<i64>], out: &mut Vec<u8>) {
    let there = bits(numbers.iter().map(Option::is_some));
    mask::put(there, numbers.len(), out);
    if let Some(any) = numbers.iter().find_map(|number| *number) {
        // What nobody reads is as narrow as what somebody does.
        let numbers: Vec<i64> = numbers.iter().map(|it| it.unwrap_or(any)).collect();
        packed::put(&numbers, out);
    }
}
