//! The oldest and the newest values, by the rank of their rows.
//!
//! Ranks are those of the point-in-time join: by event time, then created time (null lowest), then sequence
//! (null lowest). Which of two rows with the same rank arrived later is not known to everybody who
//! merges states, so of these the one with the greater value counts as the newer.

mod few;
mod one;

use std::cmp::Ordering;

pub use few::Few;
pub use one::One;

use super::{Input, bytes};
use crate::{Error, RowRank};

/// Which end of the order of rows is looked at.
pub trait End: Copy + std::fmt::Debug + Send + Sync + 'static {
    /// Turns the order of rows, oldest first, to one with the best first.
    fn best_first(oldest_first: Ordering) -> Ordering;
    /// Whether it is the end with the newest.
    const NEWEST: bool;
}

/// The oldest first.
#[derive(Debug, Clone, Copy)]
pub struct Oldest;

/// The newest first.
#[derive(Debug, Clone, Copy)]
pub struct Newest;

impl End for Oldest {
    const NEWEST: bool = false;

    #[inline]
    fn best_first(oldest_first: Ordering) -> Ordering {
        oldest_first
    }
}

impl End for Newest {
    const NEWEST: bool = true;

    #[inline]
    fn best_first(oldest_first: Ordering) -> Ordering {
        oldest_first.reverse()
    }
}

/// A value and where in the order of rows it came.
type Ranked<I> = (RowRank, <I as Input>::Kept);

/// Whether a value comes before one that is kept, or after it.
#[inline]
fn order<I: Input, E: End>(rank: RowRank, value: I::Value<'_>, kept: &Ranked<I>) -> Ordering {
    let oldest_first = rank.cmp(&kept.0).then_with(|| I::order(value, &kept.1));
    E::best_first(oldest_first)
}

const CREATED: u8 = 1;
const SEQUENCE: u8 = 2;

/// Appends a rank: which of its parts there are, the event time, how much later it was created, and the
/// sequence.
pub(crate) fn write_rank(rank: RowRank, out: &mut Vec<u8>) {
    let created = if rank.created.is_some() { CREATED } else { 0 };
    let sequence = if rank.sequence.is_some() { SEQUENCE } else { 0 };
    out.push(created | sequence);
    bytes::put_signed(rank.event, out);
    if let Some(created) = rank.created {
        bytes::put_signed(created.wrapping_sub(rank.event), out);
    }
    if let Some(sequence) = rank.sequence {
        bytes::put_signed(sequence, out);
    }
}

/// Takes a rank off the front of `bytes`.
pub(crate) fn read_rank(bytes: &mut &[u8]) -> Result<RowRank, Error> {
    let parts = bytes::byte(bytes)?;
    if parts & !(CREATED | SEQUENCE) != 0 {
        return Err(bytes::broken("a rank has unknown parts"));
    }
    let event = bytes::signed(bytes)?;
    let mut part = |flag| {
        (parts & flag != 0)
            .then(|| bytes::signed(bytes))
            .transpose()
    };
    Ok(RowRank {
        event,
        created: part(CREATED)?.map(|later| event.wrapping_add(later)),
        sequence: part(SEQUENCE)?,
    })
}
