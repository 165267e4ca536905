//! [`FloatSum`]: the exact sum of floating-point numbers.

use std::marker::PhantomData;

use fs_core::Function;

use crate::aggregate::exact::{ExactSum, Seen};
use crate::aggregate::input::Float;
use crate::aggregate::{Aggregate, Answer, Unanswered};
use crate::{Error, RowRank};

/// The exact sum of numbers, rounded once when it is asked for, and how many they are.
///
/// NaN and the infinities count apart, and make of the sum what additions would: NaN of one NaN, or of both
/// infinities. A sum of zeros is 0.0, whatever their signs. The mean is the rounded sum by the count.
#[derive(Debug, Clone, Copy)]
pub struct FloatSum<I>(PhantomData<I>);

/// The sum and the number of values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FloatTotal {
    seen: Seen,
    sum: ExactSum,
}

impl FloatTotal {
    pub(in crate::aggregate) const ZERO: Self = Self {
        seen: Seen::NONE,
        sum: ExactSum::zero(),
    };

    /// Adds a number; says whether it is one.
    #[inline]
    pub(in crate::aggregate) fn add(&mut self, number: f64) -> bool {
        let finite = self.seen.add(number);
        if finite {
            self.sum.add_number(number);
        }
        finite
    }

    #[inline]
    pub(in crate::aggregate) fn merge(&mut self, other: &Self) {
        self.seen.merge(other.seen);
        self.sum.merge(&other.sum);
    }

    pub(in crate::aggregate) const fn seen(&self) -> Seen {
        self.seen
    }

    pub(in crate::aggregate) const fn exact(&self) -> &ExactSum {
        &self.sum
    }

    pub(in crate::aggregate) const fn heap_bytes(&self) -> usize {
        self.sum.heap_bytes()
    }

    pub(in crate::aggregate) fn write(&self, out: &mut Vec<u8>) {
        self.seen.write(out);
        self.sum.write(out);
    }

    pub(in crate::aggregate) fn read(bytes: &mut &[u8]) -> Result<Self, Error> {
        Ok(Self {
            seen: Seen::read(bytes)?,
            sum: ExactSum::read(bytes)?,
        })
    }

    /// What `function` makes of the numbers, if it needs no more than this.
    pub(in crate::aggregate) fn answer(
        &self,
        function: &Function,
    ) -> Result<Answer<'static>, Unanswered> {
        let count = self.seen.count();
        let sum = || self.seen.sum().unwrap_or_else(|| self.sum.get());
        match function {
            Function::Count => Ok(Answer::count(count)),
            Function::Sum => Ok(Answer::float((count > 0).then(sum))),
            #[expect(
                clippy::cast_precision_loss,
                reason = "beyond 2^53 values it is rounded"
            )]
            Function::Avg => Ok(Answer::float((count > 0).then(|| sum() / count as f64))),
            _ => Err(Unanswered::NotKept),
        }
    }
}

impl<I: Float> FloatSum<I> {
    /// Over values of this type.
    pub const fn of(_: I) -> Self {
        Self(PhantomData)
    }
}

impl<I: Float> Aggregate for FloatSum<I> {
    type Input = I;
    type State = FloatTotal;

    fn init(&self) -> FloatTotal {
        FloatTotal::ZERO
    }

    fn is_empty(&self, state: &FloatTotal) -> bool {
        state.seen.count() == 0
    }

    #[inline]
    fn update(&self, state: &mut FloatTotal, value: I::Value<'_>, _: RowRank) {
        state.add(I::widen(value));
    }

    #[inline]
    fn merge(&self, state: &mut FloatTotal, other: &FloatTotal) {
        state.merge(other);
    }

    fn heap_bytes(&self, state: &FloatTotal) -> usize {
        state.heap_bytes()
    }

    fn write(&self, state: &FloatTotal, out: &mut Vec<u8>) {
        state.write(out);
    }

    fn read(&self, bytes: &mut &[u8]) -> Result<FloatTotal, Error> {
        FloatTotal::read(bytes)
    }

    fn answer(
        &self,
        state: &FloatTotal,
        function: &Function,
    ) -> Result<Answer<'static>, Unanswered> {
        state.answer(function)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_takes_32_bytes() {
        assert_eq!(size_of::<FloatTotal>(), 32);
    }
}
