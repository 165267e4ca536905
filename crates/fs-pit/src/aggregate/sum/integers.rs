//! [`IntegerSum`]: the exact sum of integers.

use std::marker::PhantomData;

use fs_core::Function;

use crate::aggregate::exact::{halves, join};
use crate::aggregate::input::Integer;
use crate::aggregate::{Aggregate, Answer, Scalar, Unanswered, bytes};
use crate::{Error, RowRank};

/// The sum of integers, in 128 bits, and how many they are; of bools, how many are true.
///
/// No order of additions overflows: 2^64 values of 64 bits fit. Only an answer may be beyond `int64`.
#[derive(Debug, Clone, Copy)]
pub struct IntegerSum<I>(PhantomData<I>);

/// The sum and the number of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct IntegerTotal {
    /// The lower and the upper half of the sum, apart so that the state needs no padding.
    sum: [u64; 2],
    count: u64,
}

impl IntegerTotal {
    /// The exact sum.
    #[inline]
    pub const fn sum(&self) -> i128 {
        join(self.sum)
    }

    #[inline]
    pub(in crate::aggregate) const fn add(&mut self, sum: i128, count: u64) {
        self.sum = halves(self.sum().wrapping_add(sum));
        self.count = self.count.wrapping_add(count);
    }
}

impl<I: Integer> IntegerSum<I> {
    /// Over values of this type.
    pub const fn of(_: I) -> Self {
        Self(PhantomData)
    }
}

impl<I: Integer> Aggregate for IntegerSum<I> {
    type Input = I;
    type State = IntegerTotal;

    fn init(&self) -> IntegerTotal {
        IntegerTotal::default()
    }

    fn is_empty(&self, state: &IntegerTotal) -> bool {
        state.count == 0
    }

    #[inline]
    fn update(&self, state: &mut IntegerTotal, value: I::Value<'_>, _: RowRank) {
        state.add(i128::from(I::widen(value)), 1);
    }

    #[inline]
    fn merge(&self, state: &mut IntegerTotal, other: &IntegerTotal) {
        state.merge(other);
    }

    fn write(&self, state: &IntegerTotal, out: &mut Vec<u8>) {
        state.write(out);
    }

    fn read(&self, bytes: &mut &[u8]) -> Result<IntegerTotal, Error> {
        IntegerTotal::read(bytes)
    }

    fn answer(
        &self,
        state: &IntegerTotal,
        function: &Function,
    ) -> Result<Answer<'static>, Unanswered> {
        state.answer(function)
    }
}

impl IntegerTotal {
    /// How many values there are.
    #[inline]
    pub const fn count(&self) -> u64 {
        self.count
    }

    #[inline]
    pub(in crate::aggregate) const fn merge(&mut self, other: &Self) {
        self.add(other.sum(), other.count);
    }

    pub(in crate::aggregate) fn write(&self, out: &mut Vec<u8>) {
        bytes::put_count(self.count, out);
        bytes::put_wide(self.sum(), out);
    }

    pub(in crate::aggregate) fn read(bytes: &mut &[u8]) -> Result<Self, Error> {
        let mut total = Self::default();
        let count = bytes::count(bytes)?;
        total.add(bytes::wide(bytes)?, count);
        Ok(total)
    }

    /// What `function` makes of the integers, if it needs no more than this.
    pub(in crate::aggregate) fn answer(
        &self,
        function: &Function,
    ) -> Result<Answer<'static>, Unanswered> {
        let there = self.count > 0;
        match function {
            Function::Count => Ok(Answer::count(self.count)),
            Function::Sum if there => {
                let sum = i64::try_from(self.sum());
                let sum = sum.map_err(|_beyond| Unanswered::Overflow)?;
                Ok(Answer::One(Scalar::Int64(sum)))
            }
            Function::Avg => Ok(Answer::float(there.then(|| self.mean()))),
            Function::Sum => Ok(Answer::Null),
            _ => Err(Unanswered::NotKept),
        }
    }

    /// The sum, rounded, by the count.
    #[expect(
        clippy::cast_precision_loss,
        reason = "each is rounded once, to the nearest"
    )]
    fn mean(&self) -> f64 {
        self.sum() as f64 / self.count as f64
    }
}
