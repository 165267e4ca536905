//! Events one after the other, as they come and before they are put in order.
//!
//! ```text
//!   bytes   what
//!   8       event time
//!   1       1: there is a created time, 2: there is a sequence
//!   8, 8    created time, sequence; zero where there is none
//!   …       one bit per filter: whether it lets the event through
//!   …       one bit per input: whether there is a value
//!   …       the values that are there, in the order of the inputs: numbers at their width, texts with
//!           their length before them (a count); nothing for a type of which only rows are counted
//! ```
//! This is never stored: see [`Block`](super::block::Block) for what is.

use fs_core::{DataType, ScalarType};

use super::schema::Schema;
use crate::aggregate::bytes::{array, broken, byte, put_text, text};
use crate::aggregate::{Scalar, hash};
use crate::{Error, RowRank};

const HAS_CREATED: u8 = 1;
const HAS_SEQUENCE: u8 = 2;

/// An event of one key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event<'a> {
    /// All of it.
    pub(super) bytes: &'a [u8],
    pub(super) rank: RowRank,
    filters: &'a [u8],
    there: &'a [u8],
    values: &'a [u8],
}

/// Events that are kept together.
#[derive(Debug, Clone, Default)]
pub(super) struct Events {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// The value of type `data_type` that `bytes` begin with, which it takes off them.
pub(super) fn take_value<'a>(
    data_type: DataType,
    bytes: &mut &'a [u8],
) -> Result<Scalar<'a>, Error> {
    let DataType::Scalar(scalar) = data_type else {
        return Ok(Scalar::Row);
    };
    Ok(match scalar {
        ScalarType::Bool => Scalar::Bool(byte(bytes)? != 0),
        ScalarType::Int32 => Scalar::Int32(i32::from_le_bytes(array(bytes)?)),
        ScalarType::Int64 => Scalar::Int64(i64::from_le_bytes(array(bytes)?)),
        ScalarType::Float32 => Scalar::Float32(f32::from_le_bytes(array(bytes)?)),
        ScalarType::Float64 => Scalar::Float64(f64::from_le_bytes(array(bytes)?)),
        ScalarType::Timestamp => Scalar::Timestamp(i64::from_le_bytes(array(bytes)?)),
        ScalarType::String => Scalar::String(utf8(text(bytes)?)?),
        ScalarType::Bytes => Scalar::Bytes(text(bytes)?),
    })
}

pub(super) fn utf8(bytes: &[u8]) -> Result<&str, Error> {
    str::from_utf8(bytes).map_err(|_not_utf8| broken("a text is not UTF-8"))
}

/// Appends a value as [`take_value`] takes it.
fn put_value(value: Scalar<'_>, out: &mut Vec<u8>) {
    match value {
        Scalar::Row => {}
        Scalar::Bool(value) => out.push(u8::from(value)),
        Scalar::Int32(value) => out.extend_from_slice(&value.to_le_bytes()),
        Scalar::Int64(value) | Scalar::Timestamp(value) => {
            out.extend_from_slice(&value.to_le_bytes());
        }
        Scalar::Float32(value) => out.extend_from_slice(&value.to_le_bytes()),
        Scalar::Float64(value) => out.extend_from_slice(&value.to_le_bytes()),
        Scalar::String(value) => put_text(value.as_bytes(), out),
        Scalar::Bytes(value) => put_text(value, out),
    }
}

fn bit(bits: &[u8], index: usize) -> bool {
    bits.get(index / 8)
        .is_some_and(|byte| byte & (1 << (index % 8)) != 0)
}

impl<'a> Event<'a> {
    /// Takes an event off the front of `bytes`.
    fn read(schema: &Schema, bytes: &mut &'a [u8]) -> Result<Self, Error> {
        let all = *bytes;
        let event = i64::from_le_bytes(array(bytes)?);
        let flags = byte(bytes)?;
        let created = i64::from_le_bytes(array(bytes)?);
        let sequence = i64::from_le_bytes(array(bytes)?);
        let mut bits = |count: usize| {
            let split = bytes.split_at_checked(count.div_ceil(8));
            let (taken, rest) = split.ok_or(broken("an event ends too early"))?;
            *bytes = rest;
            Ok::<_, Error>(taken)
        };
        let filters = bits(schema.filters.len())?;
        let there = bits(schema.inputs.len())?;
        let values = *bytes;
        for (index, input) in schema.inputs.iter().enumerate() {
            if bit(there, index) {
                take_value(input.data_type, bytes)?;
            }
        }
        Ok(Self {
            bytes: &all[..all.len() - bytes.len()],
            rank: RowRank {
                event,
                created: (flags & HAS_CREATED != 0).then_some(created),
                sequence: (flags & HAS_SEQUENCE != 0).then_some(sequence),
            },
            filters,
            there,
            values: &values[..values.len() - bytes.len()],
        })
    }

    /// Whether the filter with this number lets it through.
    pub(super) fn passes(&self, filter: usize) -> bool {
        bit(self.filters, filter)
    }

    /// The values in the order of the inputs; none where they are null.
    pub(super) fn values(
        &self,
        schema: &'a Schema,
    ) -> impl Iterator<Item = Option<Scalar<'a>>> + use<'a> {
        let (there, mut values) = (self.there, self.values);
        let inputs = schema.inputs.iter().enumerate();
        inputs.map(move |(index, input)| {
            let is_there = bit(there, index);
            is_there
                .then(|| take_value(input.data_type, &mut values).ok())
                .flatten()
        })
    }

    /// A number that two events share only if they are the same, or by a chance of one in 2^64.
    pub(super) fn fingerprint(&self) -> u64 {
        hash::text(self.bytes)
    }
}

impl Events {
    /// Appends an event. `filters` and `values` are in the order of the schema.
    pub(super) fn push<'v>(
        &mut self,
        rank: RowRank,
        filters: impl Iterator<Item = bool>,
        values: impl Iterator<Item = Option<Scalar<'v>>> + Clone,
    ) {
        let out = &mut self.bytes;
        out.extend_from_slice(&rank.event.to_le_bytes());
        let created = rank.created.map_or(0, |_| HAS_CREATED);
        out.push(created | rank.sequence.map_or(0, |_| HAS_SEQUENCE));
        out.extend_from_slice(&rank.created.unwrap_or_default().to_le_bytes());
        out.extend_from_slice(&rank.sequence.unwrap_or_default().to_le_bytes());
        put_bits(filters, out);
        put_bits(values.clone().map(|value| value.is_some()), out);
        values.flatten().for_each(|value| put_value(value, out));
        self.ends.push(out.len());
    }

    /// Appends a copy of an event.
    pub(super) fn copy(&mut self, event: &Event<'_>) {
        self.bytes.extend_from_slice(event.bytes);
        self.ends.push(self.bytes.len());
    }

    /// Takes the last event away.
    pub(super) fn pop(&mut self) {
        self.ends.pop();
        let end = self.ends.last().copied().unwrap_or_default();
        self.bytes.truncate(end);
    }

    pub(super) const fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// What it takes on the heap.
    pub(super) const fn heap_bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * size_of::<usize>()
    }

    /// The last event.
    pub(super) fn last(&self, schema: &Schema) -> Result<Option<Event<'_>>, Error> {
        let before = self.len().checked_sub(2).map_or(0, |at| self.ends[at]);
        let mut bytes = &self.bytes[before..];
        (!bytes.is_empty())
            .then(|| Event::read(schema, &mut bytes))
            .transpose()
    }

    /// All of them, as they came.
    pub(super) fn all(&self, schema: &Schema) -> Result<Vec<Event<'_>>, Error> {
        let mut bytes = self.bytes.as_slice();
        let each = self.ends.iter().map(|_| Event::read(schema, &mut bytes));
        each.collect()
    }
}

fn put_bits(bits: impl Iterator<Item = bool>, out: &mut Vec<u8>) {
    for (index, bit) in bits.enumerate() {
        if index % 8 == 0 {
            out.push(0);
        }
        if let Some(byte) = out.last_mut() {
            *byte |= u8::from(bit) << (index % 8);
        }
    }
}
