//! [`FloatMoments`]: of floating-point numbers.

use std::marker::PhantomData;

use fs_core::Function;

use super::deviation;
use crate::aggregate::exact::{ExactSquares, spread};
use crate::aggregate::input::Float;
use crate::aggregate::sum::FloatTotal;
use crate::aggregate::{Aggregate, Answer, Unanswered};
use crate::{Error, RowRank};

/// The exact sum of numbers, that of their squares, and how many they are.
///
/// Where a number is NaN or infinite, so is every variance NaN.
#[derive(Debug, Clone, Copy)]
pub struct FloatMoments<I>(PhantomData<I>);

/// The sums and the number of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FloatTotals {
    total: FloatTotal,
    squares: ExactSquares,
}

impl<I: Float> FloatMoments<I> {
    /// Over values of this type.
    pub const fn of(_: I) -> Self {
        Self(PhantomData)
    }
}

impl<I: Float> Aggregate for FloatMoments<I> {
    type Input = I;
    type State = FloatTotals;

    fn init(&self) -> FloatTotals {
        FloatTotals {
            total: FloatTotal::ZERO,
            squares: ExactSquares::zero(),
        }
    }

    fn is_empty(&self, state: &FloatTotals) -> bool {
        state.total.seen().count() == 0
    }

    #[inline]
    fn update(&self, state: &mut FloatTotals, value: I::Value<'_>, _: RowRank) {
        let number = I::widen(value);
        if state.total.add(number) {
            state.squares.add_square(number);
        }
    }

    #[inline]
    fn merge(&self, state: &mut FloatTotals, other: &FloatTotals) {
        state.total.merge(&other.total);
        state.squares.merge(&other.squares);
    }

    fn heap_bytes(&self, state: &FloatTotals) -> usize {
        state.total.heap_bytes() + state.squares.heap_bytes()
    }

    fn write(&self, state: &FloatTotals, out: &mut Vec<u8>) {
        state.total.write(out);
        state.squares.write(out);
    }

    fn read(&self, bytes: &mut &[u8]) -> Result<FloatTotals, Error> {
        Ok(FloatTotals {
            total: FloatTotal::read(bytes)?,
            squares: ExactSquares::read(bytes)?,
        })
    }

    fn answer(
        &self,
        state: &FloatTotals,
        function: &Function,
    ) -> Result<Answer<'static>, Unanswered> {
        if let Ok(answer) = state.total.answer(function) {
            return Ok(answer);
        }
        let seen = state.total.seen();
        deviation(function, seen.count(), || {
            let finite = seen.sum().is_none();
            finite.then(|| spread(seen.count(), state.total.exact(), &state.squares))
        })
    }
}
