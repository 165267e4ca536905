//! [`Accumulator`]: a state and its aggregate behind one face.

use std::fmt::Debug;

use fs_core::Function;

use super::{Aggregate, Answer, Input, Scalar, Unanswered, Visitor};
use crate::{Error, RowRank};

/// A state that is updated, merged and asked without knowing which aggregate keeps it.
///
/// ```text
///   reset   update 3, 4   merge the bytes of (5)   answer sum -> 12
/// ```
pub trait Accumulator: Debug + Send {
    /// Forgets all values; what it took on the heap may stay.
    fn reset(&mut self);

    /// Whether it has no values.
    fn is_empty(&self) -> bool;

    /// Adds a value that is not null, of the type of the column; for `*`, and where values are only
    /// counted, anything will do, also [`Scalar::Row`].
    fn update(&mut self, value: Scalar<'_>, rank: RowRank) -> Result<(), Error>;

    /// Adds all the values of a state, and takes it off the front of `bytes`. Changes nothing if they hold none.
    fn merge_bytes(&mut self, bytes: &mut &[u8]) -> Result<(), Error>;

    /// Appends the state; see [`Aggregate::write`].
    fn write(&self, out: &mut Vec<u8>);

    /// What it takes on the heap, beside itself.
    fn heap_bytes(&self) -> usize;

    /// What `function` makes of the values.
    fn answer(&self, function: &Function) -> Result<Answer<'_>, Unanswered>;
}

/// Makes an accumulator of the aggregate that it is called with.
#[derive(Debug, Clone, Copy)]
pub struct Boxed;

impl Visitor for Boxed {
    type Output = Box<dyn Accumulator>;

    fn visit<A: Aggregate>(self, aggregate: A) -> Box<dyn Accumulator> {
        let state = aggregate.init();
        Box::new(Running { aggregate, state })
    }
}

#[derive(Debug)]
struct Running<A: Aggregate> {
    aggregate: A,
    state: A::State,
}

impl<A: Aggregate> Accumulator for Running<A> {
    fn reset(&mut self) {
        self.state = self.aggregate.init();
    }

    fn is_empty(&self) -> bool {
        self.aggregate.is_empty(&self.state)
    }

    fn update(&mut self, value: Scalar<'_>, rank: RowRank) -> Result<(), Error> {
        let value = A::Input::of(value).ok_or_else(|| Error::NotThatType {
            found: value.scalar_type(),
        })?;
        self.aggregate.update(&mut self.state, value, rank);
        Ok(())
    }

    fn merge_bytes(&mut self, bytes: &mut &[u8]) -> Result<(), Error> {
        let other = self.aggregate.read(bytes)?;
        self.aggregate.merge(&mut self.state, &other);
        Ok(())
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.aggregate.write(&self.state, out);
    }

    fn heap_bytes(&self) -> usize {
        self.aggregate.heap_bytes(&self.state)
    }

    fn answer(&self, function: &Function) -> Result<Answer<'_>, Unanswered> {
        self.aggregate.answer(&self.state, function)
    }
}
