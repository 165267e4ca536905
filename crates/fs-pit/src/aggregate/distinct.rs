//! [`Distinct`]: all different values.

use std::marker::PhantomData;

use fs_core::Function;

use super::sorted::Sorted;
use super::{Aggregate, Answer, Input, Unanswered, bytes};
use crate::{Error, RowRank};

/// All different values. It grows with them: whoever has very many of them wants
/// [`Registers`](super::Registers).
#[derive(Debug, Clone, Copy)]
pub struct Distinct<I>(PhantomData<I>);

/// The values.
#[derive(Debug, Clone)]
pub struct Values<K>(Sorted<K, ()>);

impl<I: Input> Distinct<I> {
    /// Over values of this type.
    pub const fn of(_: I) -> Self {
        Self(PhantomData)
    }
}

impl<I: Input> Aggregate for Distinct<I> {
    type Input = I;
    type State = Values<I::Kept>;

    fn init(&self) -> Self::State {
        Values(Sorted::EMPTY)
    }

    fn is_empty(&self, state: &Self::State) -> bool {
        state.0.is_empty()
    }

    fn update(&self, state: &mut Self::State, value: I::Value<'_>, _: RowRank) {
        let order = |kept: &I::Kept| I::order(value, kept).reverse();
        state.0.add(order, || I::keep(value), ());
    }

    fn merge(&self, state: &mut Self::State, other: &Self::State) {
        state.0.merge(&other.0);
    }

    fn heap_bytes(&self, state: &Self::State) -> usize {
        state.0.heap_bytes(I::heap_bytes)
    }

    fn write(&self, state: &Self::State, out: &mut Vec<u8>) {
        let values = state.0.in_order();
        bytes::put_count(values.len() as u64, out);
        for (value, ()) in values.iter() {
            I::write(value, out);
        }
    }

    fn read(&self, bytes: &mut &[u8]) -> Result<Self::State, Error> {
        let length = bytes::length(bytes, 1)?;
        let values = (0..length).map(|_| Ok((I::read(bytes)?, ())));
        let values = Sorted::from_ordered(values.collect::<Result<_, Error>>()?);
        values
            .map(Values)
            .ok_or_else(|| bytes::broken("values are not in order"))
    }

    fn answer<'s>(
        &self,
        state: &'s Self::State,
        function: &Function,
    ) -> Result<Answer<'s>, Unanswered> {
        match function {
            Function::CountDistinct => Ok(Answer::count(state.0.in_order().len() as u64)),
            _ => Err(Unanswered::NotKept),
        }
    }
}
