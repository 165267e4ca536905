//! [`Min`] and [`Max`]: the least and the greatest value.

use std::marker::PhantomData;

use fs_core::Function;

use super::input::{Input, Kept};
use super::{Aggregate, Answer, Unanswered, bytes};
use crate::{Error, RowRank};

/// The least value, in the total order of its type.
#[derive(Debug, Clone, Copy)]
pub struct Min<I>(PhantomData<I>);

/// The greatest value, in the total order of its type.
#[derive(Debug, Clone, Copy)]
pub struct Max<I>(PhantomData<I>);

/// An aggregate that keeps the one value that beats all others.
macro_rules! extreme {
    ($aggregate:ident, $beats:ident, $better:ident) => {
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
                match state {
                    Some(kept) if I::PLAIN => kept.$better(&I::keep(value)),
                    Some(kept) if !I::order(value, kept).$beats() => {}
                    _ => *state = Some(I::keep(value)),
                }
            }

            #[inline]
            fn merge(&self, state: &mut Self::State, other: &Self::State) {
                match (state, other) {
                    (Some(kept), Some(other)) => kept.$better(other),
                    (state @ None, Some(other)) => *state = Some(other.clone()),
                    (_, None) => {}
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
                    Function::$aggregate => Ok(Answer::of(state.as_ref().map(I::scalar))),
                    _ => Err(Unanswered::NotKept),
                }
            }
        }
    };
}

extreme!(Min, is_lt, lower);
extreme!(Max, is_gt, raise);
