//! [`One`]: the oldest or the newest value.

use std::cmp::Ordering;
use std::marker::PhantomData;

use fs_core::Function;

use super::{End, Ranked, order, read_rank, write_rank};
use crate::aggregate::{Aggregate, Answer, Input, Scalar, Unanswered, bytes};
use crate::{Error, RowRank};

/// The value at one end of the order of rows, and its rank.
#[derive(Debug, Clone, Copy)]
pub struct One<I, E>(PhantomData<(I, E)>);

impl<I: Input, E: End> One<I, E> {
    /// Over values of this type, at this end.
    pub const fn of(_: I, _: E) -> Self {
        Self(PhantomData)
    }
}

impl<I: Input, E: End> Aggregate for One<I, E> {
    type Input = I;
    type State = Option<Ranked<I>>;

    const RANKED: bool = true;

    fn init(&self) -> Self::State {
        None
    }

    fn is_empty(&self, state: &Self::State) -> bool {
        state.is_none()
    }

    #[inline]
    fn update(&self, state: &mut Self::State, value: I::Value<'_>, rank: RowRank) {
        let best = |kept| order::<I, E>(rank, value, kept) == Ordering::Less;
        if state.as_ref().is_none_or(best) {
            *state = Some((rank, I::keep(value)));
        }
    }

    #[inline]
    fn merge(&self, state: &mut Self::State, other: &Self::State) {
        let Some(other) = other else { return };
        let best = |kept| E::best_first(other.cmp(kept)) == Ordering::Less;
        if state.as_ref().is_none_or(best) {
            *state = Some(other.clone());
        }
    }

    fn heap_bytes(&self, state: &Self::State) -> usize {
        state.as_ref().map_or(0, |(_, kept)| I::heap_bytes(kept))
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        out.push(u8::from(state.is_some()));
        if let Some((rank, kept)) = state {
            write_rank(*rank, out);
            I::write(kept, out);
        }
    }

    fn read(&self, bytes: &mut &[u8]) -> Result<Self::State, Error> {
        match bytes::byte(bytes)? {
            0 => Ok(None),
            1 => Ok(Some((read_rank(bytes)?, I::read(bytes)?))),
            _ => Err(bytes::broken("it is not said whether there is a value")),
        }
    }

    fn answer<'s>(
        &self,
        state: &'s Self::State,
        function: &Function,
    ) -> Result<Answer<'s>, Unanswered> {
        let value = state.as_ref().map(|(_, kept)| I::scalar(kept));
        let list = |value: Option<Scalar<'s>>| Answer::Many(value.into_iter().collect());
        match (function, E::NEWEST) {
            (Function::Last, true) | (Function::First, false) => Ok(Answer::of(value)),
            (Function::LastN { .. }, true) | (Function::FirstN { .. }, false) => Ok(list(value)),
            _ => Err(Unanswered::NotKept),
        }
    }
}
