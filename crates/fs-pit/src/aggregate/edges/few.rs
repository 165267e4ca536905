//! [`Few`]: the oldest or the newest few values.

use std::cmp::Ordering;
use std::marker::PhantomData;

use fs_core::Function;

use super::{End, Ranked, order, read_rank, write_rank};
use crate::aggregate::{Aggregate, Answer, Input, Unanswered, bytes};
use crate::{Error, RowRank};

/// The `n` values at one end of the order of rows, and their ranks. Rows that are repeated count
/// repeatedly.
#[derive(Debug, Clone, Copy)]
pub struct Few<I, E> {
    n: usize,
    of: PhantomData<(I, E)>,
}

impl<I: Input, E: End> Few<I, E> {
    /// At most `n` over values of this type, at this end.
    pub const fn of(_: I, _: E, n: usize) -> Self {
        Self { n, of: PhantomData }
    }

    /// Puts a value where it belongs, unless all that are kept are better; says whether it did.
    fn put(self, state: &mut Vec<Ranked<I>>, at: usize, keep: impl FnOnce() -> Ranked<I>) -> bool {
        if at >= self.n {
            return false;
        }
        state.truncate(self.n - 1);
        state.insert(at, keep());
        true
    }
}

impl<I: Input, E: End> Aggregate for Few<I, E> {
    type Input = I;
    /// The best first.
    type State = Vec<Ranked<I>>;

    const RANKED: bool = true;

    fn init(&self) -> Self::State {
        Vec::new()
    }

    fn is_empty(&self, state: &Self::State) -> bool {
        state.is_empty()
    }

    fn update(&self, state: &mut Self::State, value: I::Value<'_>, rank: RowRank) {
        let worse = |kept: &Ranked<I>| order::<I, E>(rank, value, kept) == Ordering::Less;
        // Events mostly come in the order of time: at one end or the other.
        let at = match state.first() {
            Some(first) if worse(first) => 0,
            _ => state.partition_point(|kept| !worse(kept)),
        };
        self.put(state, at, || (rank, I::keep(value)));
    }

    fn merge(&self, state: &mut Self::State, other: &Self::State) {
        if state.is_empty() {
            state.clone_from(other);
            return;
        }
        let mut from = 0;
        for theirs in other {
            // The next of theirs is no better than the last one.
            let worse = |kept: &Ranked<I>| E::best_first(theirs.cmp(kept)) == Ordering::Less;
            from += state[from..].partition_point(|kept| !worse(kept));
            if !self.put(state, from, || theirs.clone()) {
                return;
            }
        }
    }

    fn heap_bytes(&self, state: &Self::State) -> usize {
        let kept = state.iter().map(|(_, kept)| I::heap_bytes(kept));
        state.capacity() * size_of::<Ranked<I>>() + kept.sum::<usize>()
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        bytes::put_count(state.len() as u64, out);
        for (rank, kept) in state {
            write_rank(*rank, out);
            I::write(kept, out);
        }
    }

    fn read(&self, bytes: &mut &[u8]) -> Result<Self::State, Error> {
        // A rank has two bytes at the least.
        let length = bytes::length(bytes, 2)?;
        if length > self.n {
            return Err(bytes::broken("there are more values than are kept"));
        }
        let mut state = Vec::with_capacity(length);
        for _ in 0..length {
            state.push((read_rank(bytes)?, I::read(bytes)?));
        }
        let best_first =
            |one: &Ranked<I>, other: &Ranked<I>| E::best_first(one.cmp(other)) != Ordering::Greater;
        if state.is_sorted_by(best_first) {
            Ok(state)
        } else {
            Err(bytes::broken("values are not in the order of their ranks"))
        }
    }

    fn answer<'s>(
        &self,
        state: &'s Self::State,
        function: &Function,
    ) -> Result<Answer<'s>, Unanswered> {
        let values = || state.iter().map(|(_, kept)| I::scalar(kept));
        match (function, E::NEWEST) {
            (Function::Last, true) | (Function::First, false) => Ok(Answer::of(values().next())),
            (Function::LastN { n }, true) | (Function::FirstN { n }, false) => {
                Ok(Answer::Many(values().take(n.get()).collect()))
            }
            _ => Err(Unanswered::NotKept),
        }
    }
}
