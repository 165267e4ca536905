//! [`Min`] and [`Max`]: the least and the greatest value.

use std::marker::PhantomData;

use fs_core::Function;

use super::{Aggregate, Answer, Input, Unanswered, bytes};
use crate::{Error, RowRank};

/// The least value, in the total order of its type.
#[derive(Debug, Clone, Copy)]
pub struct Min<I>(PhantomData<I>);

/// The greatest value, in the total order of its type.
#[derive(Debug, Clone, Copy)]
pub struct Max<I>(PhantomData<I>);

/// An aggregate that keeps the one value that beats all others.
macro_rules! extreme {
    ($aggregate:ident, $function:ident, $beats:ident) => {
        impl<I: Input> $aggregate<I> {
            /// Over values of this type.
            pub const fn of(_: I) -> Self {
                Self(PhantomData)
            }
        }

        impl<I: Input> Aggregate for $aggregate<I> {
            type Input = I;
            type State = Option<I::Kept>;

            fn init(&self) -> Self::State {
                None
            }

            fn is_empty(&self, state: &Self::State) -> bool {
                state.is_none()
            }

            #[inline]
            fn update(&self, state: &mut Self::State, value: I::Value<'_>, _: RowRank) {
                let stays = state
                    .as_ref()
                    .is_some_and(|kept| !I::order(value, kept).$beats());
                if !stays {
                    *state = Some(I::keep(value));
                }
            }

            #[inline]
            fn merge(&self, state: &mut Self::State, other: &Self::State) {
                let Some(other) = other else { return };
                let stays = state.as_ref().is_some_and(|kept| !other.cmp(kept).$beats());
                if !stays {
                    *state = Some(other.clone());
                }
            }

            fn heap_bytes(&self, state: &Self::State) -> usize {
                state.as_ref().map_or(0, I::heap_bytes)
            }

            fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
                out.push(u8::from(state.is_some()));
                if let Some(kept) = state {
                    I::write(kept, out);
                }
            }

            fn read(&self, bytes: &mut &[u8]) -> Result<Self::State, Error> {
                match bytes::byte(bytes)? {
                    0 => Ok(None),
                    1 => I::read(bytes).map(Some),
                    _ => Err(bytes::broken("it is not said whether there is a value")),
                }
            }

            fn answer<'s>(
                &self,
                state: &'s Self::State,
                function: &Function,
            ) -> Result<Answer<'s>, Unanswered> {
                match function {
                    Function::$function => Ok(Answer::of(state.as_ref().map(I::scalar))),
                    _ => Err(Unanswered::NotKept),
                }
            }
        }
    };
}

extreme!(Min, Min, is_lt);
extreme!(Max, Max, is_gt);
