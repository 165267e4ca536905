//! [`Segment`]: events that lie side by side, kept apart or merged.
//!
//! ```text
//!   1          1: events kept apart, 2: lanes, 4: sequences, 8: settled
//!   count      how many events
//!   signed     the earliest event time; a count, how much later the latest is
//!   signed     under known_at, how much later than the earliest event the first was visible; a count, how
//!              much later the last was
//!   signed     the least sequence; a count, how much greater the greatest is
//!   count      the length of the block of events, and the block
//!   bits       which lanes there are, eight to a byte; each with its length (a count)
//! ```

use super::block::{self, Block};
use super::cell::Cell;
use super::coverage::StateShape;
use super::event::Event;
use super::mask;
use super::schema::Schema;
use crate::aggregate::bytes::{broken, byte, count, put_count, put_signed, signed, text};
use crate::{Error, Rule};

const APART: u8 = 1;
const LANES: u8 = 2;
const SEQUENCES: u8 = 4;
const SETTLED: u8 = 8;

/// From when to when events lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    /// The event times, both ends inclusive.
    pub(super) event: (i64, i64),
    /// When the first was visible, and when the last.
    pub(super) visible: (i64, i64),
}

/// Events that lie side by side, read where they lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment<'a> {
    /// All of it.
    pub(super) bytes: &'a [u8],
    /// How many events.
    pub(super) count: u64,
    pub(super) reach: Reach,
    /// The least and the greatest sequence of those that have one.
    pub(super) sequences: Option<(i64, i64)>,
    /// The events, if they were kept apart.
    pub(super) block: Option<Block<'a>>,
    /// Pushed events that were put in order once, and are not counted again.
    pub(super) settled: bool,
    bits: &'a [u8],
    lanes: &'a [u8],
    lane_count: usize,
}

impl Reach {
    /// What no event lies in.
    pub(super) const NOTHING: Self = Self {
        event: (i64::MAX, i64::MIN),
        visible: (i64::MAX, i64::MIN),
    };

    pub(super) fn add(&mut self, event: i64, visible: i64) {
        self.join(&Self {
            event: (event, event),
            visible: (visible, visible),
        });
    }

    pub(super) fn join(&mut self, other: &Self) {
        let join = |one: (i64, i64), other: (i64, i64)| (one.0.min(other.0), one.1.max(other.1));
        self.event = join(self.event, other.event);
        self.visible = join(self.visible, other.visible);
    }

    /// The times that starts of windows pass.
    pub(super) fn arrives(&self, rule: &Rule) -> (i64, i64) {
        (rule.arrives(self.event.0), rule.arrives(self.event.1))
    }

    fn of(rule: &Rule, events: &[Event<'_>]) -> Self {
        let mut reach = Self::NOTHING;
        for event in events {
            let rank = event.rank;
            reach.add(rank.event, rule.visible_from(rank.event, rank.created));
        }
        reach
    }
}

impl<'a> Segment<'a> {
    /// Takes a segment off the front of `bytes`.
    pub(super) fn read(schema: &Schema, bytes: &mut &'a [u8]) -> Result<Self, Error> {
        let all = *bytes;
        let flags = byte(bytes)?;
        let events = count(bytes)?;
        let event = range(bytes, 0)?;
        let visible = if schema.is_known_at() {
            range(bytes, event.0)?
        } else {
            (schema.rule.arrives(event.0), schema.rule.arrives(event.1))
        };
        let has = |flag: u8| flags & flag != 0;
        let sequences = has(SEQUENCES).then(|| range(bytes, 0)).transpose()?;
        let block = has(APART).then(|| Block::read(text(bytes)?)).transpose()?;
        let lane_count = if has(LANES) { schema.lanes.len() } else { 0 };
        let split = bytes.split_at_checked(lane_count.div_ceil(8));
        let (bits, lanes) = split.ok_or(broken("its lanes end too early"))?;
        *bytes = lanes;
        for lane in 0..lane_count {
            if is_set(bits, lane) {
                text(bytes)?;
            }
        }
        Ok(Self {
            bytes: &all[..all.len() - bytes.len()],
            count: events,
            reach: Reach { event, visible },
            sequences,
            block,
            settled: has(SETTLED),
            bits,
            lanes: &lanes[..lanes.len() - bytes.len()],
            lane_count,
        })
    }

    /// The partial aggregates, lane by lane; none for those that it lacks.
    pub(super) fn lanes(&self) -> impl Iterator<Item = Result<Option<&'a [u8]>, Error>> + use<'a> {
        let (bits, mut lanes) = (self.bits, self.lanes);
        (0..self.lane_count).map(move |lane| {
            let is_there = is_set(bits, lane);
            is_there.then(|| text(&mut lanes)).transpose()
        })
    }

    /// Whether there were events of which nothing else is known.
    pub(super) const fn is_unknown(&self) -> bool {
        self.block.is_none() && self.lane_count == 0
    }

    /// Whether what starts or ends within it has no answer.
    pub(super) const fn is_merged(&self) -> bool {
        self.block.is_none()
    }
}

fn is_set(bits: &[u8], lane: usize) -> bool {
    bits.get(lane / 8)
        .is_some_and(|byte| byte & (1 << (lane % 8)) != 0)
}

/// A number away from `from`, and how much greater the other end is.
fn range(bytes: &mut &[u8], from: i64) -> Result<(i64, i64), Error> {
    let least = from.wrapping_add(signed(bytes)?);
    let greatest = least.checked_add_unsigned(count(bytes)?);
    let greatest = greatest.ok_or(broken("a range of times ends after all time"))?;
    Ok((least, greatest))
}

fn put_range((least, greatest): (i64, i64), from: i64, out: &mut Vec<u8>) {
    put_signed(least.wrapping_sub(from), out);
    put_count(greatest.abs_diff(least), out);
}

fn put_head(
    schema: &Schema,
    flags: u8,
    events: u64,
    reach: Reach,
    sequences: Option<(i64, i64)>,
    out: &mut Vec<u8>,
) {
    out.push(flags | sequences.map_or(0, |_| SEQUENCES));
    put_count(events, out);
    put_range(reach.event, 0, out);
    if schema.is_known_at() {
        put_range(reach.visible, reach.event.0, out);
    }
    if let Some(sequences) = sequences {
        put_range(sequences, 0, out);
    }
}

/// How events that are kept apart are written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Apart<'s> {
    /// From the table: with what is known of all events of a block, for windows that have all of it.
    Published(&'s StateShape),
    /// From pushes, put in order once.
    Settled(&'s StateShape),
    /// From pushes, as they come.
    Loose(&'s Schema),
    /// From pushes, as some of what was written so.
    Left(&'s Schema, bool),
}

impl Apart<'_> {
    const fn schema(&self) -> &Schema {
        match self {
            Self::Published(shape) | Self::Settled(shape) => &shape.schema,
            Self::Loose(schema) | Self::Left(schema, _) => schema,
        }
    }

    const fn is_settled(&self) -> bool {
        matches!(self, Self::Settled(_) | Self::Left(_, true))
    }

    /// What is kept of where events stand in the order of rows.
    const fn kept(&self) -> block::Kept {
        let schema = self.schema();
        let pushed = !matches!(self, Self::Published(_));
        block::Kept {
            created: pushed || schema.ranked || schema.is_known_at(),
            sequences: pushed || schema.ranked,
        }
    }

    /// Whose lanes are written beside a block of so many events.
    const fn summed_up(&self, events: usize) -> Option<&StateShape> {
        match self {
            Self::Published(shape) | Self::Settled(shape) if events >= SUMMED_UP => Some(shape),
            _ => None,
        }
    }
}

/// Blocks of so many events are also summed up: a window that has all of one need not look at each.
const SUMMED_UP: usize = 24;

/// Appends segments of events that are kept apart, in this order; how many. They may be none.
pub(super) fn put_apart(
    how: Apart<'_>,
    events: &[Event<'_>],
    out: &mut Vec<u8>,
) -> Result<u64, Error> {
    let (schema, kept) = (how.schema(), how.kept());
    let mut scratch = Vec::new();
    let blocks = events.chunks(mask::MOST);
    let count = blocks.len() as u64;
    for events in blocks {
        let sequences = events.iter().filter_map(|event| event.rank.sequence);
        let sequences = sequences.filter(|_| kept.sequences);
        let least = sequences.clone().min();
        let sum = how.summed_up(events.len());
        let sum = sum.map(|shape| Cell::sum_of(shape, events)).transpose()?;
        let settled = if how.is_settled() { SETTLED } else { 0 };
        let flags = APART | settled | sum.as_ref().map_or(0, |_| LANES);
        let sequences = least.zip(sequences.max());
        let reach = Reach::of(&schema.rule, events);
        put_head(schema, flags, events.len() as u64, reach, sequences, out);
        scratch.clear();
        block::put(schema, kept, events, &mut scratch);
        put_count(scratch.len() as u64, out);
        out.extend_from_slice(&scratch);
        if let Some(sum) = sum {
            sum.write_lanes(out);
        }
    }
    Ok(count)
}

/// Appends a segment of events that are merged.
pub(super) fn put_merged(schema: &Schema, cell: &Cell, settled: bool, out: &mut Vec<u8>) {
    let flags = LANES | if settled { SETTLED } else { 0 };
    put_head(schema, flags, cell.count, cell.reach, cell.sequences, out);
    cell.write_lanes(out);
}

/// Appends a segment that says that there were events, and nothing more of them: what has one of them in
/// its window has no answer.
pub(super) fn put_unknown(
    schema: &Schema,
    events: u64,
    reach: Reach,
    sequences: Option<(i64, i64)>,
    out: &mut Vec<u8>,
) {
    put_head(schema, SETTLED, events, reach, sequences, out);
}
