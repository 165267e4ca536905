//! Publishing a windowed view: of every key, what its windows are computed from at any instant soon.
//!
//! The online store holds of every key a [state](fs_pit::state). In it are two parts: a *base*, the events of
//! the offline table at some version, and on top of it what was *pushed* and is not in the base. Nothing is
//! computed here that depends on the instant of a read: windows slide while nothing is published, until what
//! is kept apart no longer suffices (the [horizon](crate::horizon)).
//!
//! ```text
//!   1  V = newest version of the table           through = the first `_sequence` that V does not have
//!   2  raise the fence of the lease              nobody who held it before writes after this
//!   3  P = what the online store has published
//!   4  prepare the row layout
//!   5  the rows and the watermark of V are those of P, and what is stored answers for long enough?
//!      go on at 8
//!   6  fold the events of V, key by key          as many keys at a time as memory has room for
//!   7  of each key: read its state; put the new base in the place of the old one; drop what was pushed
//!      and is in the new base (its `_sequence` is below `through`); write it if it is still what was
//!      read, else read it again
//!   8  published = (V, now, the rule, the plan, until when it answers), if it is P still; if not,
//!      somebody else published: once more, everything
//! ```
//!
//! **What is written.** In 7, every key of the table, unless what is stored is of the same events and answers for long
//! enough. A key that is stored and has no events in the table any more gets a base without events; one
//! that has been so for longer than any push takes is deleted.
//!
//! **A push that races a publication** is counted exactly once. It commits its rows to the table, where they get
//! their `_sequence`s; then it adds them to the states of their keys, which ignore what is below their `through`
//! or is there already:
//!
//! | The push | The publisher | then the event is |
//! |---|---|---|
//! | committed before V, and wrote its state before 7 reads it | drops it from what was pushed | in the base |
//! | committed before V, writes after 7 | | in the base, and ignored: its number is below `through` |
//! | committed after V, and wrote before 7 reads | keeps it: its number is not below `through` | on top |
//! | committed after V, writes after 7 | | on top, until the next publication |
//! | writes between the read and the write of 7 | is kept out, and reads again | as above |
//! | reads before 7 writes, and writes after it | | the push is kept out, and reads again |
//! | died between the table and the state | | in the base of the next publication |
//!
//! So many events of one key may be pushed meanwhile that they are no longer told apart one by one. Where some of those
//! that were put together are in V and others are not, neither keeping nor dropping them is right: those keys
//! are folded again, at a newer version. The same goes for keys that were pushed to while their state
//! was still one of another plan, which takes no events of this one.
//!
//! **A crash** loses nothing, because of every key either the old or the new base is stored, each with all that was
//! pushed and is not in it:
//!
//! | After | The store has | The next run |
//! |---|---|---|
//! | the Delta commit | states of P, exact as of the rows of P | finds other rows at V |
//! | 2 | the same, and shuts out who came before | has a greater fence |
//! | some writes of 7 | some keys as of P, some as of V | does the same again, and leaves those that are done |
//! | 7 | all keys as of V | does the same again, and finds all of them done |
//! | 8 | the same, and says so | begins at V |
//!
//! **A process that was frozen** is shut out by the fence, as in [`publish`](super).
//!
//! **Memory**: the states of [`Options::publish_memory`](crate::Options) are made at once. A search that meets
//! more is split by a hash of the key, and the table is read once for each part.

mod everything;
mod fold;
mod kept;
mod replace;
mod settled;

use std::collections::HashSet;
use std::sync::Arc;

use fs_core::EventTime;
use fs_offline::TableState;
use fs_online::{EncodedKey, Published, state_row};
use fs_pit::state::{Coverage, StateShape};

use super::{ATTEMPTS, Attempt, Publication, Publisher, Tally};
use crate::Error;
use crate::events::EventReader;
use crate::horizon::Horizon;
use everything::Left;
use kept::{Kept, Mark};

/// How often keys are folded again because pushes were faster.
const ROUNDS: usize = 5;

/// What states are made of, and how.
struct Base {
    /// The version of the table.
    version: i64,
    /// The first `_sequence` that the version does not have.
    through: i64,
    watermark: Option<EventTime>,
    shape: Arc<StateShape>,
    /// A state that is left as it is answers from the one to the other.
    now: EventTime,
    needed: EventTime,
    /// States without events whose base was made before this `_sequence` go.
    empty_since: Option<i64>,
    /// What is stored is of another table, which had other numbers: nothing of it is kept.
    anew: bool,
}

/// Which keys are folded.
#[derive(Debug)]
enum Keys {
    All,
    Only(HashSet<EncodedKey>),
}

impl Keys {
    fn has(&self, key: &EncodedKey) -> bool {
        match self {
            Self::All => true,
            Self::Only(keys) => keys.contains(key),
        }
    }
}

impl Publisher<'_> {
    /// Publishes a windowed view; `None` if it was never materialized.
    pub(super) async fn publish_windows(
        &self,
        events: &EventReader,
        mut everything: bool,
    ) -> Result<Option<Publication>, Error> {
        let mut total = Publication::default();
        let mut tally = Tally::default();
        let rule = self.rule.visibility();
        let plan = events.plan().fingerprint();
        for _ in 0..ATTEMPTS {
            let Some(begun) = self.begin().await? else {
                return Ok(None);
            };
            let (attempt, before) = (begun.attempt, begun.before.as_ref());
            total.version = attempt.version;
            let layout = state_row::layout();
            self.store(self.online.prepare(&self.id, &layout).await)?;
            let kept = before.and_then(Kept::read);
            let is_other = |before: &Published| match &kept {
                Some((_, kept)) => kept.table != begun.table.id,
                None => before.table_version > attempt.version,
            };
            let mut other_table = before.is_some_and(is_other);
            let mark = kept.as_ref().map(|(_, kept)| kept.mark);
            let mark = mark.filter(|_| !other_table);
            let same = kept.filter(|(by, kept)| *by == rule && kept.plan == plan);
            let same = same.filter(|_| !everything && !other_table);
            let settled = match before.zip(same.as_ref()) {
                Some((before, (_, kept))) => self.is_settled(&begun, before, kept).await?,
                None => false,
            };
            let after = if let Some((_, kept)) = same.filter(|_| settled) {
                kept
            } else {
                let base = Base {
                    anew: other_table,
                    ..self.base(events, &attempt, &begun.table, mark)
                };
                other_table |= self.publish_rounds(events, base, &mut tally).await?;
                total.full = true;
                Kept {
                    plan,
                    table: begun.table.id.clone(),
                    until: self.horizon().needed(attempt.as_of),
                    watermark: begun.table.watermark,
                    mark: Mark::next(mark, begun.table.next_sequence, attempt.as_of),
                }
            };
            total.written = tally.outcome.written;
            total.deleted = tally.outcome.deleted;
            let after = Published {
                table_version: attempt.version,
                as_of: attempt.as_of,
                visibility: after.visibility(&rule),
            };
            if before == Some(&after) {
                return Ok(Some(total));
            }
            let recorded = self
                .online
                .set_published(&self.id, before, after, self.fence);
            let recorded = self.store(recorded.await)?;
            // What was pushed while states still had the numbers of another table was ignored.
            if recorded && !other_table {
                return Ok(Some(total));
            }
            everything = !recorded;
        }
        Err(self.contended())
    }

    /// Publishes all keys, and once more those that were pushed to too much meanwhile; whether what was stored was
    /// of a table with other numbers.
    async fn publish_rounds(
        &self,
        events: &EventReader,
        mut base: Base,
        tally: &mut Tally,
    ) -> Result<bool, Error> {
        let mut keys = Keys::All;
        let mut other_table = false;
        for _ in 0..ROUNDS {
            let left = self.publish_keys(events, &base, &keys, tally).await?;
            other_table |= left.other_table;
            let Some((table, again)) = self.table_for(left).await? else {
                return Ok(other_table);
            };
            base.version = table.version;
            base.through = table.next_sequence;
            base.watermark = table.watermark;
            keys = Keys::Only(again);
        }
        Err(self.contended())
    }

    /// The newest version of the table, and the keys that are to be folded again; `None` if there are none.
    async fn table_for(
        &self,
        left: Left,
    ) -> Result<Option<(TableState, HashSet<EncodedKey>)>, Error> {
        if left.again.is_empty() {
            return Ok(None);
        }
        let table = self.state().await?;
        Ok(table.map(|table| (table, left.again)))
    }

    fn base(
        &self,
        events: &EventReader,
        attempt: &Attempt,
        table: &TableState,
        mark: Option<Mark>,
    ) -> Base {
        let as_of = attempt.as_of;
        let horizon = self.horizon();
        let coverage = Coverage {
            limits: self.options.states,
            ..horizon.coverage(as_of, table.watermark)
        };
        Base {
            version: attempt.version,
            through: table.next_sequence,
            watermark: table.watermark,
            shape: Arc::new(StateShape::new(Arc::clone(events.plan()), coverage)),
            now: as_of,
            needed: horizon.needed(as_of),
            empty_since: mark
                .filter(|mark| mark.is_due(as_of))
                .map(|mark| mark.through),
            anew: false,
        }
    }

    fn horizon(&self) -> Horizon {
        Horizon::of(self.view, self.now)
    }
}
