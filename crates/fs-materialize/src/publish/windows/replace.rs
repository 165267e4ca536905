//! Putting new bases under what was pushed, key by key, whoever else writes.

use bytes::Bytes;
use fs_online::state_row::StateRow;
use fs_online::{EncodedKey, RowWrite, ViewKeys, WriteOutcome, row};
use fs_pit::state::{Rebased, State};

use super::Base;
use super::kept::EMPTY;
use crate::Error;
use crate::publish::Publisher;

/// How often a state is read again because somebody else wrote it meanwhile.
const TRIES: usize = 8;

/// A key and what is published of it.
pub(super) struct New {
    pub(super) key: EncodedKey,
    /// A state without anything that was pushed.
    pub(super) base: Vec<u8>,
}

/// What became of keys.
#[derive(Debug, Default)]
pub(super) struct Replaced {
    pub(super) outcome: WriteOutcome,
    /// Keys that have to be folded again.
    pub(super) again: Vec<EncodedKey>,
    /// Whether some stored state was of a table that had other numbers.
    pub(super) other_table: bool,
}

/// What becomes of a key.
enum Next {
    Leave,
    Write(RowWrite),
    /// Of what was pushed some is in the new base and some is not, and they cannot be told apart.
    Again,
}

impl Publisher<'_> {
    /// Puts new bases in the place of the stored ones.
    pub(super) async fn replace(&self, base: &Base, new: Vec<New>) -> Result<Replaced, Error> {
        let of = new.len() as u64;
        let mut done = Replaced::default();
        let mut left = new;
        for _ in 0..TRIES {
            let keys: Vec<EncodedKey> = left.iter().map(|new| new.key.clone()).collect();
            let rows = self.stored_rows(&keys).await?;
            let mut writes = Vec::new();
            let mut tried = Vec::new();
            for (new, row) in left.into_iter().zip(rows) {
                match self.next(base, &new, row.as_ref(), &mut done.other_table)? {
                    Next::Leave => {}
                    Next::Again => done.again.push(new.key),
                    Next::Write(write) => {
                        writes.push(write);
                        tried.push(new);
                    }
                }
            }
            left = tried;
            if writes.is_empty() {
                break;
            }
            let WriteOutcome {
                written,
                kept,
                deleted,
            } = self.store(self.send(writes).await)?;
            done.outcome.written += written;
            done.outcome.deleted += deleted;
            if kept == 0 {
                left.clear();
                break;
            }
            // Somebody was faster with some of them; those that were written are left as they are now.
        }
        done.again.extend(left.into_iter().map(|new| new.key));
        let changed = done.outcome.written + done.outcome.deleted + done.again.len() as u64;
        done.outcome.kept = of.saturating_sub(changed);
        Ok(done)
    }

    /// What is stored for keys.
    pub(super) async fn stored_rows(
        &self,
        keys: &[EncodedKey],
    ) -> Result<Vec<Option<Bytes>>, Error> {
        let request = ViewKeys {
            view: &self.id,
            keys,
        };
        let answers = self.store(self.online.read(&[request]).await)?;
        Ok(answers.into_iter().flatten().collect())
    }

    fn next(
        &self,
        base: &Base,
        new: &New,
        row: Option<&Bytes>,
        other_table: &mut bool,
    ) -> Result<Next, Error> {
        let stored = self.store(StateRow::read(row))?;
        let state = stored.state().map(|bytes| State::open(bytes)).transpose();
        let state = self.states(state)?;
        let published = self.states(State::open(&new.base))?;
        let is_other = state.as_ref().and_then(State::through) > Some(base.through);
        *other_table |= is_other;
        let state = state.filter(|_| !is_other && !base.anew);
        if let Some(state) = &state {
            let shape = &base.shape;
            let serves = state.still_serves(&published, shape, base.now, base.needed);
            if self.states(serves)? {
                return self.left(base, new, state, row);
            }
        }
        let rebased = State::rebase(state.as_ref(), &published, base.watermark);
        let bytes = match self.states(rebased)? {
            Rebased::State(bytes) => bytes,
            Rebased::Straddles { .. } => return Ok(Next::Again),
        };
        let is_empty = self.states(State::open(&bytes))?.is_empty();
        if is_empty && stored.state().is_none() {
            // A row of before the view had windows, or none.
            return self.deleted(new, row);
        }
        let write = self.store(stored.write(new.key.clone(), &bytes))?;
        let keep_until = self.now.as_micros().saturating_add(EMPTY);
        let may_go = is_empty && self.is_real;
        Ok(Next::Write(write.kept_until(may_go.then_some(keep_until))))
    }

    /// What becomes of a state that is as it would be made: one that has been without events for long goes.
    fn left(
        &self,
        base: &Base,
        new: &New,
        state: &State<'_>,
        row: Option<&Bytes>,
    ) -> Result<Next, Error> {
        let is_old = base
            .empty_since
            .is_some_and(|since| state.through() < Some(since));
        if state.is_empty() && is_old {
            return self.deleted(new, row);
        }
        Ok(Next::Leave)
    }

    fn deleted(&self, new: &New, row: Option<&Bytes>) -> Result<Next, Error> {
        let Some(row) = row else {
            return Ok(Next::Leave);
        };
        let order = self.store(row::order(row))?;
        let delete = RowWrite::replace(new.key.clone(), None, order);
        Ok(Next::Write(delete))
    }
}
