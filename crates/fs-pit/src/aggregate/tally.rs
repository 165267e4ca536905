//! [`Tally`]: all different values, and how often each came.

use std::marker::PhantomData;

use fs_core::Function;

use super::sorted::Sorted;
use super::{Aggregate, Answer, Input, Unanswered, bytes};
use crate::{Error, RowRank};

/// All different values, and how often each came. It grows with the different values.
#[derive(Debug, Clone, Copy)]
pub struct Tally<I>(PhantomData<I>);

/// The values and their counts.
#[derive(Debug, Clone)]
pub struct Tallied<K>(Sorted<K, u64>);

impl<I: Input> Tally<I> {
    /// Over values of this type.
    pub const fn of(_: I) -> Self {
        Self(PhantomData)
    }
}

impl<I: Input> Aggregate for Tally<I> {
    type Input = I;
    type State = Tallied<I::Kept>;

    fn init(&self) -> Self::State {
        Tallied(Sorted::EMPTY)
    }

    fn is_empty(&self, state: &Self::State) -> bool {
        state.0.is_empty()
    }

    fn update(&self, state: &mut Self::State, value: I::Value<'_>, _: RowRank) {
        let order = |kept: &I::Kept| I::order(value, kept).reverse();
        state.0.add(order, || I::keep(value), 1);
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
        for (value, count) in values.iter() {
            I::write(value, out);
            bytes::put_count(*count, out);
        }
    }

    fn read(&self, bytes: &mut &[u8]) -> Result<Self::State, Error> {
        let length = bytes::length(bytes, 2)?;
        let values = (0..length).map(|_| Ok((I::read(bytes)?, bytes::count(bytes)?)));
        let values = Sorted::from_ordered(values.collect::<Result<_, Error>>()?);
        values
            .map(Tallied)
            .ok_or_else(|| bytes::broken("values are not in order"))
    }

    /// The most frequent first; of those that came equally often, the least first.
    fn answer<'s>(
        &self,
        state: &'s Self::State,
        function: &Function,
    ) -> Result<Answer<'s>, Unanswered> {
        match function {
            Function::CountDistinct => Ok(Answer::count(state.0.in_order().len() as u64)),
            Function::TopK { k } => {
                let values = state.most_frequent(k.get()).into_iter();
                Ok(Answer::Many(values.map(I::scalar).collect()))
            }
            _ => Err(Unanswered::NotKept),
        }
    }
}

impl<K: Ord + Clone> Tallied<K> {
    fn most_frequent(&self, k: usize) -> Vec<&K> {
        let mut values = self.0.references();
        let order = |one: &(&K, u64), other: &(&K, u64)| {
            let more = other.1.cmp(&one.1);
            more.then_with(|| one.0.cmp(other.0))
        };
        if k < values.len() {
            values.select_nth_unstable_by(k, order);
            values.truncate(k);
        }
        values.sort_unstable_by(order);
        values.into_iter().map(|(value, _)| value).collect()
    }
}
