//! [`IntegerMoments`]: of integers.

use std::marker::PhantomData;

use fs_core::Function;

use super::deviation;
use crate::aggregate::exact::spread_of_integers;
use crate::aggregate::input::Integer;
use crate::aggregate::sum::IntegerTotal;
use crate::aggregate::{Aggregate, Answer, Unanswered, bytes};
use crate::{Error, RowRank};

/// The sum of integers, that of their squares, and how many they are; of bools, 1 for true.
#[derive(Debug, Clone, Copy)]
pub struct IntegerMoments<I>(PhantomData<I>);

/// The sums and the number of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IntegerTotals {
    total: IntegerTotal,
    /// 192 bits, the lowest first: enough for the squares of 2^64 values.
    squares: [u64; 3],
}

impl IntegerTotals {
    #[inline]
    fn add_squares(&mut self, squares: &[u64; 3]) {
        let mut carry = false;
        for (limb, other) in self.squares.iter_mut().zip(squares) {
            (*limb, carry) = limb.carrying_add(*other, carry);
        }
    }
}

impl<I: Integer> IntegerMoments<I> {
    /// Over values of this type.
    pub const fn of(_: I) -> Self {
        Self(PhantomData)
    }
}

impl<I: Integer> Aggregate for IntegerMoments<I> {
    type Input = I;
    type State = IntegerTotals;

    fn init(&self) -> IntegerTotals {
        IntegerTotals::default()
    }

    fn is_empty(&self, state: &IntegerTotals) -> bool {
        state.total.count() == 0
    }

    #[inline]
    fn update(&self, state: &mut IntegerTotals, value: I::Value<'_>, _: RowRank) {
        let value = I::widen(value);
        state.total.add(i128::from(value), 1);
        let square = u128::from(value.unsigned_abs()).pow(2);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the halves are taken apart"
        )]
        state.add_squares(&[square as u64, (square >> 64) as u64, 0]);
    }

    #[inline]
    fn merge(&self, state: &mut IntegerTotals, other: &IntegerTotals) {
        state.total.merge(&other.total);
        state.add_squares(&other.squares);
    }

    fn write(&self, state: &IntegerTotals, out: &mut Vec<u8>) {
        state.total.write(out);
        let [low, middle, high] = state.squares;
        let used = [low, middle, high].iter().rposition(|limb| *limb != 0);
        let used = used.map_or(0, |limb| limb + 1);
        bytes::put_count(used as u64, out);
        for limb in &state.squares[..used] {
            bytes::put_count(*limb, out);
        }
    }

    fn read(&self, bytes: &mut &[u8]) -> Result<IntegerTotals, Error> {
        let total = IntegerTotal::read(bytes)?;
        let used = bytes::length(bytes, 1)?;
        let mut squares = [0; 3];
        let limbs = squares.get_mut(..used);
        for limb in limbs.ok_or_else(|| bytes::broken("a sum of squares is beyond all integers"))? {
            *limb = bytes::count(bytes)?;
        }
        Ok(IntegerTotals { total, squares })
    }

    fn answer(
        &self,
        state: &IntegerTotals,
        function: &Function,
    ) -> Result<Answer<'static>, Unanswered> {
        match state.total.answer(function) {
            Err(Unanswered::NotKept) => {}
            answered => return answered,
        }
        let count = state.total.count();
        let spread = || spread_of_integers(count, state.total.sum(), state.squares);
        deviation(function, count, || Some(spread()))
    }
}
