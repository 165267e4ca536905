//! The state of a key: what answers every window of a view at any `now` until well past the next run.
//!
//! ```text
//!   published (from the offline table)                            pushed since
//!   ──[ merged ]──|·· ·· ·|──────[ merged ]──────|· ·· ··|──[ merged ]──   ··· ·
//!        1              2             3              4           5          6
//!                 <- now - 7d ->                <- now - 1h ->             -> now ->
//! ```
//!
//! The time line of a key is cut into *segments*. In a zone over which the start or the end of a window moves
//! until the next run ([`Coverage`]) the events are kept apart; between the zones they are merged into the
//! partial aggregates that [`WindowPlan`](crate::windows::WindowPlan) names. A window at `now` is answered
//! by merging what lies in it:
//!
//! | A segment | lies in the window | is cut by its start or end | lies outside |
//! |---|---|---|---|
//! | of merged events | counts | *the answer is withheld* | nothing |
//! | of events kept apart | counts | those in the window count | nothing |
//!
//! So an answer is exact, or there is none. It is what the events give that were published and pushed,
//! bit for bit the same as in training, because all [aggregates](crate::aggregate) are.
//!
//! | Step | Who | What |
//! |---|---|---|
//! | [`StateBuilder`] | a publication | events of the table in any order -> a state |
//! | [`State::rebase`] | a publication | that state, and what was pushed meanwhile and is not in it |
//! | [`State::push`] | a push | the state and new events |
//! | [`StateReader`] | serving | the state at `now` -> answers |
//!
//! # Exactly once
//!
//! Every event in the table has a sequence. What was published says *through* which sequence, pushed events
//! carry theirs:
//!
//! ```text
//!   pushed, sequence 70     published through 80      published through 60
//!   is in the state         a push is ignored         a push is added, once
//!   and then                rebase forgets it         rebase keeps it
//! ```
//! An event that was pushed online only has none, or a negative number by which it is known if it is pushed
//! again: it is *provisional*, and counts until the watermark of the table has passed its event time; from
//! then on the source decides.
//!
//! # Bytes
//!
//! Format 1: the byte 1, the number of parts (a count), and the [parts](part::Part). It is frozen: the states in
//! `state/golden` are read by every later release. No bytes, however broken, make a reader panic, or allocate
//! more than a small multiple of their length.
//!
//! Each part says of which plan its events and aggregates are, lane by lane. So after a view was changed, and
//! until it is published again, everything that was kept before still answers.

mod answers;
mod batch;
mod block;
mod builder;
mod cell;
mod coverage;
mod covers;
mod event;
mod mask;
mod packed;
mod part;
mod pieces;
mod push;
mod rebase;
mod schema;
mod segment;
mod shaper;
mod values;

use part::{Origin, Part, Published};

use crate::Error;
use crate::aggregate::bytes::{broken, byte, count, put_count};

pub use answers::{StateReader, Tell};
pub use batch::StateEvents;
pub use builder::StateBuilder;
pub use coverage::{Coverage, Limits, StateShape};
pub use rebase::Rebased;

/// The first byte of every state.
const FORMAT: u8 = 1;

/// The state of a key, read where it lies.
#[derive(Debug, Clone)]
pub struct State<'a> {
    parts: Vec<Part<'a>>,
}

impl<'a> State<'a> {
    /// Opens what [`StateBuilder::finish`], [`push`](Self::push) or [`rebase`](Self::rebase) made.
    ///
    /// What is wrong inside a segment is found when the segment is read.
    pub fn open(bytes: &'a [u8]) -> Result<Self, Error> {
        let mut rest = bytes;
        if byte(&mut rest)? != FORMAT {
            return Err(broken("it is of a format that this release does not know"));
        }
        let count = count(&mut rest)?;
        let parts = (0..count).map(|_| Part::read(&mut rest));
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        if !rest.is_empty() {
            return Err(broken("bytes follow its end"));
        }
        Ok(Self { parts })
    }

    /// The first sequence that is not in what was published; none if nothing was.
    pub fn through(&self) -> Option<i64> {
        self.published().map(|published| published.through)
    }

    /// Whether there are no events in it, published or pushed.
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| part.count == 0)
    }

    fn published(&self) -> Option<Published> {
        let mut parts = self.parts.iter();
        parts.find_map(|part| match part.origin {
            Origin::Published(published) => Some(published),
            Origin::Pushed => None,
        })
    }
}

/// Whether an event with this number is in the offline table. Others are provisional.
const fn is_of_table(sequence: Option<i64>) -> bool {
    matches!(sequence, Some(0..))
}

fn write_parts(parts: &[Part<'_>]) -> Vec<u8> {
    let length: usize = parts
        .iter()
        .map(|it| it.schema.len() + it.segments.len())
        .sum();
    let mut out = Vec::with_capacity(length + 64);
    out.push(FORMAT);
    put_count(parts.len() as u64, &mut out);
    for part in parts {
        part.write(&mut out);
    }
    out
}

#[cfg(test)]
mod tests;
