//! [`Shaper`]: puts the events of a key where they belong: apart in the zones, merged between them.

use std::collections::BTreeMap;

use super::cell::Cell;
use super::coverage::{Place, StateShape};
use super::event::{Event, Events};
use super::segment::{self, Apart, Segment};
use crate::Error;

/// Puts events apart or together, place by place.
///
/// What comes out depends on which events there are, and not on their order.
#[derive(Debug, Default)]
pub(super) struct Shaper {
    buckets: BTreeMap<Place, Bucket>,
    /// Segments of before that lie in several places, as they are.
    spanning: Vec<u8>,
    spanning_count: u64,
}

/// The events of one place.
#[derive(Debug, Default)]
struct Bucket {
    /// In a zone: events that are kept apart.
    apart: Events,
    /// How many there have been.
    seen: u64,
    /// In a zone with too many of them: instants with several.
    instants: BTreeMap<Instant, Cell>,
    /// The others.
    merged: Option<Cell>,
    /// From where on events of a zone are merged, once it is full.
    full_from: Option<Instant>,
}

/// In the order in which windows come to events: by the time that moves over the zone, then the other.
type Instant = (i64, i64);

/// A number of segments, and their bytes.
#[derive(Debug, Default)]
pub(super) struct Segments {
    pub(super) count: u64,
    pub(super) bytes: Vec<u8>,
}

impl Shaper {
    pub(super) fn add(&mut self, shape: &StateShape, event: &Event<'_>) -> Result<(), Error> {
        let (place, instant) = place_of(shape, event);
        let bucket = self.buckets.entry(place).or_default();
        bucket.add(shape, place, instant, event)
    }

    /// Adds what was merged before.
    pub(super) fn take(&mut self, shape: &StateShape, segment: &Segment<'_>) -> Result<(), Error> {
        let (first, last) = segment.reach.arrives(&shape.schema.rule);
        let (from, to) = segment.reach.visible;
        let place = shape.place(first, from);
        // Where nothing is known but that there were events, nothing else is to be added.
        if segment.is_unknown() || place != shape.place(last, to) {
            self.spanning.extend_from_slice(segment.bytes);
            self.spanning_count += 1;
            return Ok(());
        }
        let bucket = self.buckets.entry(place).or_default();
        let cell = if place.is_zone() && (first, from) == (last, to) {
            let instant = if place.is_end() {
                (from, first)
            } else {
                (first, from)
            };
            into_cell(shape, place, &mut bucket.instants, instant)?
        } else {
            some(shape, place, &mut bucket.merged)?
        };
        cell.merge(segment)
    }

    /// What it takes on the heap, about.
    pub(super) fn heap_bytes(&self) -> usize {
        let buckets = self.buckets.values().map(Bucket::heap_bytes);
        self.spanning.capacity() + buckets.sum::<usize>()
    }

    /// All of it as segments, in an order that depends on nothing but the events.
    pub(super) fn finish(self, shape: &StateShape, settled: bool) -> Result<Segments, Error> {
        let mut out = Segments {
            count: self.spanning_count,
            bytes: self.spanning,
        };
        for (place, mut bucket) in self.buckets {
            bucket.settle(shape, place)?;
            bucket.write(shape, settled, &mut out)?;
        }
        Ok(out)
    }
}

fn place_of(shape: &StateShape, event: &Event<'_>) -> (Place, Instant) {
    let rule = &shape.schema.rule;
    let x = rule.arrives(event.rank.event);
    let v = rule.visible_from(event.rank.event, event.rank.created);
    let place = shape.place(x, v);
    (place, if place.is_end() { (v, x) } else { (x, v) })
}

fn some<'c>(
    shape: &StateShape,
    place: Place,
    cell: &'c mut Option<Cell>,
) -> Result<&'c mut Cell, Error> {
    match cell {
        Some(cell) => Ok(cell),
        none => Ok(none.insert(Cell::new(shape, place)?)),
    }
}

fn into_cell<'c>(
    shape: &StateShape,
    place: Place,
    cells: &'c mut BTreeMap<Instant, Cell>,
    instant: Instant,
) -> Result<&'c mut Cell, Error> {
    use std::collections::btree_map::Entry;
    match cells.entry(instant) {
        Entry::Occupied(cell) => Ok(cell.into_mut()),
        Entry::Vacant(none) => Ok(none.insert(Cell::new(shape, place)?)),
    }
}

impl Bucket {
    fn add(
        &mut self,
        shape: &StateShape,
        place: Place,
        instant: Instant,
        event: &Event<'_>,
    ) -> Result<(), Error> {
        self.seen += 1;
        let is_beyond = self.full_from.is_some_and(|from| instant >= from);
        if is_beyond || !place.is_zone() {
            return some(shape, place, &mut self.merged)?.add(shape, event);
        }
        if let Some(cell) = self.instants.get_mut(&instant) {
            return cell.add(shape, event);
        }
        self.apart.copy(event);
        if self.apart.len() > shape.limits.instants.saturating_mul(2).max(64) {
            self.settle(shape, place)?;
        }
        Ok(())
    }

    /// Once there are too many events in a zone: merges those of the same instant, and if there are still too
    /// many instants, all after the first so many.
    fn settle(&mut self, shape: &StateShape, place: Place) -> Result<(), Error> {
        let limit = shape.limits.instants;
        if !place.is_zone() || self.seen <= limit as u64 {
            return Ok(());
        }
        let apart = std::mem::take(&mut self.apart);
        let events = sorted(shape, &apart)?;
        let same = events.chunk_by(|(one, _), (other, _)| one == other);
        let mut single = Vec::with_capacity(events.len());
        for events in same {
            let (instant, event) = events[0];
            if events.len() == 1 && !self.instants.contains_key(&instant) {
                single.push((instant, event));
                continue;
            }
            let cell = into_cell(shape, place, &mut self.instants, instant)?;
            for (_, event) in events {
                cell.add(shape, event)?;
            }
        }
        if let Some(from) = self.limit(limit, &single) {
            self.full_from = Some(from);
            for cell in self.instants.split_off(&from).into_values() {
                self.join(shape, place, &cell)?;
            }
            let kept = single.partition_point(|(instant, _)| *instant < from);
            for (_, event) in single.split_off(kept) {
                some(shape, place, &mut self.merged)?.add(shape, &event)?;
            }
        }
        for (_, event) in single {
            self.apart.copy(&event);
        }
        Ok(())
    }

    /// The first instant that is one too many, of those with one event and those with several.
    fn limit(&self, limit: usize, single: &[(Instant, Event<'_>)]) -> Option<Instant> {
        let mut all: Vec<Instant> = single.iter().map(|(instant, _)| *instant).collect();
        all.extend(self.instants.keys());
        all.sort_unstable();
        all.get(limit).copied()
    }

    /// Merges what was merged for one instant only.
    fn join(&mut self, shape: &StateShape, place: Place, cell: &Cell) -> Result<(), Error> {
        let mut bytes = Vec::new();
        segment::put_merged(&shape.schema, cell, false, &mut bytes);
        let segment = Segment::read(&shape.schema, &mut bytes.as_slice())?;
        some(shape, place, &mut self.merged)?.merge(&segment)
    }

    fn heap_bytes(&self) -> usize {
        let cells = self.instants.values().chain(&self.merged);
        let cells = cells.map(|cell| size_of::<Cell>() + cell.heap_bytes());
        size_of::<Self>() + self.apart.heap_bytes() + cells.sum::<usize>()
    }

    fn write(&self, shape: &StateShape, settled: bool, out: &mut Segments) -> Result<(), Error> {
        let how = if settled {
            Apart::Settled(shape)
        } else {
            Apart::Published(shape)
        };
        put_in_order(shape, &self.apart, how, out)?;
        for cell in self.instants.values().chain(&self.merged) {
            segment::put_merged(&shape.schema, cell, settled, &mut out.bytes);
            out.count += 1;
        }
        Ok(())
    }
}

/// Events in the order in which windows come to them; ties by what they are.
fn sorted<'e>(shape: &StateShape, events: &'e Events) -> Result<Vec<(Instant, Event<'e>)>, Error> {
    let events = events.all(&shape.schema)?.into_iter();
    let mut events: Vec<_> = events
        .map(|event| (place_of(shape, &event).1, event))
        .collect();
    events.sort_unstable_by(|(one, a), (other, b)| {
        let by_rank = || a.rank.cmp(&b.rank).then_with(|| a.bytes.cmp(b.bytes));
        one.cmp(other).then_with(by_rank)
    });
    Ok(events)
}

/// Appends events that are kept apart, in order.
pub(super) fn put_in_order(
    shape: &StateShape,
    events: &Events,
    how: Apart<'_>,
    out: &mut Segments,
) -> Result<(), Error> {
    let events = sorted(shape, events)?;
    let events: Vec<Event<'_>> = events.into_iter().map(|(_, event)| event).collect();
    out.count += segment::put_apart(how, &events, &mut out.bytes)?;
    Ok(())
}
