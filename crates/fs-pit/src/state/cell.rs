//! [`Cell`]: events that are merged, and what is known of all of them together.

use fs_core::{DataType, ScalarType};

use super::coverage::{Place, StateShape};
use super::event::Event;
use super::is_of_table;
use super::segment::{Reach, Segment};
use crate::aggregate::accumulator::Boxed;
use crate::aggregate::bytes::put_count;
use crate::aggregate::{Accumulator, Component, Scalar};
use crate::windows::plan::Lane;
use crate::{Error, RowRank};

/// Whether the state of a lane takes a few bytes, however many values are in it.
const fn is_small(lane: &Lane) -> bool {
    match lane.component {
        Component::Count | Component::Sum | Component::Moments => true,
        Component::Min | Component::Max => !matches!(
            lane.data_type,
            Some(DataType::Scalar(ScalarType::String | ScalarType::Bytes))
        ),
        Component::First { .. }
        | Component::Last { .. }
        | Component::Distinct
        | Component::Tally
        | Component::Registers
        | Component::Sketch => false,
    }
}

/// Events that are merged: their partial aggregates, lane by lane.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) count: u64,
    pub(super) reach: Reach,
    /// The least and the greatest sequence; none if the events have none.
    pub(super) sequences: Option<(i64, i64)>,
    /// None for a lane that no window needs there.
    lanes: Vec<Option<Box<dyn Accumulator>>>,
}

impl Cell {
    /// A cell of no events yet, with the lanes that are needed in its place.
    pub(super) fn new(shape: &StateShape, place: Place) -> Result<Self, Error> {
        let lanes = shape.plan.lanes().iter().enumerate();
        let lanes = lanes.map(|(number, lane)| {
            let needed = shape.needs(number, place);
            needed.then(|| lane.visit(Boxed)).transpose()
        });
        Ok(Self {
            count: 0,
            reach: Reach::NOTHING,
            sequences: None,
            lanes: lanes.collect::<Result<_, Error>>()?,
        })
    }

    /// A cell of these events, with the lanes that take less room than they.
    pub(super) fn sum_of(shape: &StateShape, events: &[Event<'_>]) -> Result<Self, Error> {
        let lanes = shape.plan.lanes().iter();
        let lanes = lanes.map(|lane| is_small(lane).then(|| lane.visit(Boxed)).transpose());
        let mut cell = Self {
            count: 0,
            reach: Reach::NOTHING,
            sequences: None,
            lanes: lanes.collect::<Result<_, Error>>()?,
        };
        for event in events {
            cell.add(shape, event)?;
        }
        Ok(cell)
    }

    pub(super) fn add(&mut self, shape: &StateShape, event: &Event<'_>) -> Result<(), Error> {
        let RowRank {
            event: time,
            created,
            sequence,
        } = event.rank;
        self.count += 1;
        self.reach
            .add(time, shape.schema.rule.visible_from(time, created));
        let sequence = sequence.filter(|_| is_of_table(sequence));
        self.reach_sequences(sequence.map(|sequence| (sequence, sequence)));
        for (lane, kept) in shape.plan.lanes().iter().zip(&mut self.lanes) {
            let Some(kept) = kept else { continue };
            if lane.filter.is_some_and(|filter| !event.passes(filter)) {
                continue;
            }
            let value = match lane.input {
                None => Some(Scalar::Row),
                Some(input) => event.values(&shape.schema).nth(input).flatten(),
            };
            if let Some(value) = value {
                kept.update(value, event.rank)?;
            }
        }
        Ok(())
    }

    /// Adds the events of a segment that were merged by a plan with the same lanes. A lane that the
    /// segment lacks is lacking from then on.
    pub(super) fn merge(&mut self, segment: &Segment<'_>) -> Result<(), Error> {
        self.count += segment.count;
        self.reach.join(&segment.reach);
        self.reach_sequences(segment.sequences);
        let mut lanes = segment.lanes();
        for kept in &mut self.lanes {
            match (lanes.next().transpose()?.flatten(), &mut *kept) {
                (Some(mut bytes), Some(kept)) => kept.merge_bytes(&mut bytes)?,
                _ => *kept = None,
            }
        }
        Ok(())
    }

    fn reach_sequences(&mut self, others: Option<(i64, i64)>) {
        self.sequences = match (self.sequences, others) {
            (Some((least, greatest)), Some(others)) => {
                Some((least.min(others.0), greatest.max(others.1)))
            }
            (one, other) => one.or(other),
        };
    }

    /// What it takes on the heap, about.
    pub(super) fn heap_bytes(&self) -> usize {
        const BOX: usize = 96;
        let lanes = self.lanes.iter().flatten();
        lanes.map(|lane| BOX + lane.heap_bytes()).sum()
    }

    /// Appends which lanes there are, and each of them with its length.
    pub(super) fn write_lanes(&self, out: &mut Vec<u8>) {
        let mut scratch = Vec::new();
        for lanes in self.lanes.chunks(8) {
            let bits = lanes.iter().enumerate();
            out.push(bits.fold(0, |bits, (at, lane)| {
                bits | (u8::from(lane.is_some()) << at)
            }));
        }
        for lane in self.lanes.iter().flatten() {
            scratch.clear();
            lane.write(&mut scratch);
            put_count(scratch.len() as u64, out);
            out.extend_from_slice(&scratch);
        }
    }
}
