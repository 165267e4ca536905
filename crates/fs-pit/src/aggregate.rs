//! What a window makes of the values in it: states that are updated, merged, written and asked.
//!
//! Every aggregate here is a commutative, associative monoid with an exact state: the answer depends
//! on which values went in, and not on their order, nor on how they were split into batches, states
//! and merges. So training, which sees the events as tables have them, and serving, which sees what
//! was pushed a moment ago, give the same bits.
//!
//! ```text
//!   updated with 1e100, 1, -1e100, in any order   sum 1.0
//!   updated with 1e100 | merged with (1, -1e100)  sum 1.0
//! ```
//!
//! | [`Component`] | Keeps | Answers | A state of numbers takes |
//! |---|---|---|---|
//! | [`Count`](Component::Count) | how many | `count` | 8 B |
//! | [`Sum`](Component::Sum) | the exact sum, how many | `sum`, `avg`, `count` | 24 B of integers, 32 B of floats |
//! | [`Moments`](Component::Moments) | also the exact sum of squares | also `var_*`, `stddev_*` | 48 B of integers, 72 B of floats |
//! | [`Min`](Component::Min), [`Max`](Component::Max) | one value | `min`, `max` | 8 or 16 B |
//! | [`First`](Component::First), [`Last`](Component::Last) | the `n` oldest or newest values and their ranks | `first`, `first_n`; `last`, `last_n` | 48 B; for `n > 1` on the heap |
//! | [`Distinct`](Component::Distinct) | every different value | `count_distinct` | grows with them |
//! | [`Tally`](Component::Tally) | every different value and how often it came | `top_k`, `count_distinct` | grows with them |
//! | [`Registers`](Component::Registers) | 4,096 registers of a hash | `approx_count_distinct` | at most 4 KiB on the heap |
//! | [`Sketch`](Component::Sketch) | how many values in each of some buckets | `approx_percentile` | grows with the orders of magnitude |
//!
//! Values are the same if they are in the total order of their type: there is one NaN, the greatest of
//! all numbers; -0.0 is less than 0.0. Texts and bytes compare byte for byte.
//!
//! [`Component::visit`] and [`Lane::visit`](crate::windows::plan::Lane::visit) call a [`Visitor`] with
//! the one [`Aggregate`] that does a job, so that loops over values are compiled for it.
//! [`Accumulator`] is the same behind one face, for whoever looks at a few values at a time.

pub mod accumulator;
pub mod answer;
pub(crate) mod bytes;
pub mod component;
mod count;
mod distinct;
mod edges;
mod exact;
mod extremes;
pub(crate) mod hash;
pub mod input;
mod moments;
pub mod naive;
mod registers;
mod sketch;
mod sorted;
mod sum;
mod tally;
mod value;

use std::fmt::Debug;

use fs_core::Function;

use crate::{Error, RowRank};

pub use accumulator::Accumulator;
pub use answer::{Answer, AnswerBuilder, Unanswered};
pub use component::{Component, Visitor};
pub use count::Count;
pub use distinct::Distinct;
pub use edges::{End, Few, Newest, Oldest, One};
pub use extremes::{Max, Min};
pub use input::Input;
pub use moments::{FloatMoments, IntegerMoments};
pub use registers::Registers;
pub use sketch::Sketch;
pub use sum::{FloatSum, IntegerSum};
pub use tally::Tally;
pub use value::Scalar;

/// How values become a state, states one state, and a state an answer.
///
/// It is dispatched statically. What it is asked for has been checked before: it is never given a
/// null, nor a row that its filter leaves out.
///
/// The order of updates and merges never shows in an answer, nor in the bytes that are written.
pub trait Aggregate: Clone + Debug + Send + Sync + 'static {
    /// What the values are.
    type Input: Input;
    /// What is kept of them.
    type State: Clone + Debug + Send + Sync + 'static;

    /// Whether [`update`](Self::update) looks at ranks; where not, any will do.
    const RANKED: bool = false;

    /// The state of no values.
    fn init(&self) -> Self::State;

    /// Whether this is the state of no values.
    fn is_empty(&self, state: &Self::State) -> bool;

    /// Adds a value, and where in the order of rows it came.
    fn update(&self, state: &mut Self::State, value: ValueOf<'_, Self>, rank: RowRank);

    /// Adds all the values of another state.
    fn merge(&self, state: &mut Self::State, other: &Self::State);

    /// What the state takes beside `size_of::<State>()`.
    fn heap_bytes(&self, state: &Self::State) -> usize {
        let _ = state;
        0
    }

    /// Appends the state as bytes: equal values give equal bytes, whatever was merged when.
    ///
    /// The form is frozen: `aggregate/golden` holds states that every later release must read.
    fn write(&self, state: &Self::State, out: &mut Vec<u8>);

    /// Takes a state off the front of `bytes`. Never panics, whatever they are, and never allocates more
    /// than a small multiple of their length.
    fn read(&self, bytes: &mut &[u8]) -> Result<Self::State, Error>;

    /// What `function` makes of the values.
    fn answer<'s>(
        &self,
        state: &'s Self::State,
        function: &Function,
    ) -> Result<Answer<'s>, Unanswered>;
}

/// A value that an aggregate takes.
pub type ValueOf<'v, A> = <<A as Aggregate>::Input as Input>::Value<'v>;

#[cfg(test)]
mod tests;
