//! [`Component`]: which state a function needs, and the [`Aggregate`] that keeps it.

use std::fmt;

use fs_core::{DataType, Function, ScalarType};

use super::distinct::Distinct;
use super::edges::{Few, Newest, Oldest, One};
use super::extremes::{Max, Min};
use super::input::{
    Binary, Bool, Float, Float32, Float64, Input, Int32, Int64, Integer, Micros, Number, Text,
};
use super::moments::{FloatMoments, IntegerMoments};
use super::registers::Registers;
use super::sketch::Sketch;
use super::sum::{FloatSum, IntegerSum};
use super::tally::Tally;
use super::{Aggregate, Count};
use crate::Error;

/// What is kept of values. Several functions share one; see [the table](super).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// How many.
    Count,
    /// Their exact sum, and how many.
    Sum,
    /// Their exact sum, the exact sum of their squares, and how many.
    Moments,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// The oldest few.
    First {
        /// At most so many.
        n: usize,
    },
    /// The newest few.
    Last {
        /// At most so many.
        n: usize,
    },
    /// All different values.
    Distinct,
    /// All different values, and how often each came.
    Tally,
    /// The registers of a `HyperLogLog`.
    Registers,
    /// How many values lie in each bucket of numbers.
    Sketch,
}

/// Somebody who wants to know the [`Aggregate`] that does a job.
pub trait Visitor {
    /// What it makes of it.
    type Output;

    /// Called once, with the aggregate.
    fn visit<A: Aggregate>(self, aggregate: A) -> Self::Output;
}

impl Component {
    /// The one that `function` needs at the least.
    pub fn of(function: &Function) -> Self {
        match function {
            Function::Count => Self::Count,
            Function::Sum | Function::Avg => Self::Sum,
            Function::StddevSamp | Function::StddevPop | Function::VarSamp | Function::VarPop => {
                Self::Moments
            }
            Function::Min => Self::Min,
            Function::Max => Self::Max,
            Function::First => Self::First { n: 1 },
            Function::FirstN { n } => Self::First { n: n.get() },
            Function::Last => Self::Last { n: 1 },
            Function::LastN { n } => Self::Last { n: n.get() },
            Function::CountDistinct => Self::Distinct,
            Function::TopK { .. } => Self::Tally,
            Function::ApproxCountDistinct => Self::Registers,
            Function::ApproxPercentile { .. } => Self::Sketch,
        }
    }

    /// The least one that keeps what both do; `None` if that is better kept in two.
    pub fn join(self, other: Self) -> Option<Self> {
        use Component::{Count, Distinct, First, Last, Moments, Sum, Tally};
        match (self, other) {
            (one, same) if one == same => Some(one),
            (Count | Sum, Sum) | (Sum, Count) => Some(Sum),
            (Count | Sum, Moments) | (Moments, Count | Sum) => Some(Moments),
            (Distinct, Tally) | (Tally, Distinct) => Some(Tally),
            (First { n }, First { n: other }) => Some(First { n: n.max(other) }),
            (Last { n }, Last { n: other }) => Some(Last { n: n.max(other) }),
            _ => None,
        }
    }

    /// Calls `visitor` with the aggregate that keeps this of values of type `input`, or of rows where
    /// there is none.
    pub fn visit<V: Visitor>(
        self,
        input: Option<DataType>,
        visitor: V,
    ) -> Result<V::Output, Error> {
        if self == Self::Count {
            return Ok(visitor.visit(Count));
        }
        let unfit = Error::Unfit {
            component: self,
            input,
        };
        match input {
            Some(DataType::Scalar(scalar)) => self.visit_scalar(scalar, visitor).ok_or(unfit),
            _ => Err(unfit),
        }
    }

    fn visit_scalar<V: Visitor>(self, scalar: ScalarType, visitor: V) -> Option<V::Output> {
        match scalar {
            ScalarType::Bool => self.visit_integer(Bool, visitor),
            ScalarType::Int32 => self.visit_integer(Int32, visitor),
            ScalarType::Int64 => self.visit_integer(Int64, visitor),
            ScalarType::Float32 => self.visit_float(Float32, visitor),
            ScalarType::Float64 => self.visit_float(Float64, visitor),
            ScalarType::String => self.visit_any(Text, visitor),
            ScalarType::Bytes => self.visit_any(Binary, visitor),
            ScalarType::Timestamp => self.visit_any(Micros, visitor),
        }
    }

    fn visit_integer<I: Integer, V: Visitor>(self, input: I, visitor: V) -> Option<V::Output> {
        match self {
            Self::Sum => Some(visitor.visit(IntegerSum::of(input))),
            Self::Moments => Some(visitor.visit(IntegerMoments::of(input))),
            _ => self.visit_number(input, visitor),
        }
    }

    fn visit_float<I: Float, V: Visitor>(self, input: I, visitor: V) -> Option<V::Output> {
        match self {
            Self::Sum => Some(visitor.visit(FloatSum::of(input))),
            Self::Moments => Some(visitor.visit(FloatMoments::of(input))),
            _ => self.visit_number(input, visitor),
        }
    }

    fn visit_number<I: Number, V: Visitor>(self, input: I, visitor: V) -> Option<V::Output> {
        match self {
            Self::Sketch => Some(visitor.visit(Sketch::of(input))),
            _ => self.visit_any(input, visitor),
        }
    }

    fn visit_any<I: Input, V: Visitor>(self, input: I, visitor: V) -> Option<V::Output> {
        match self {
            Self::Min => Some(visitor.visit(Min::of(input))),
            Self::Max => Some(visitor.visit(Max::of(input))),
            Self::First { n: 1 } => Some(visitor.visit(One::of(input, Oldest))),
            Self::First { n } => Some(visitor.visit(Few::of(input, Oldest, n))),
            Self::Last { n: 1 } => Some(visitor.visit(One::of(input, Newest))),
            Self::Last { n } => Some(visitor.visit(Few::of(input, Newest, n))),
            Self::Distinct => Some(visitor.visit(Distinct::of(input))),
            Self::Tally => Some(visitor.visit(Tally::of(input))),
            Self::Registers => Some(visitor.visit(Registers::of(input))),
            Self::Count | Self::Sum | Self::Moments | Self::Sketch => None,
        }
    }
}

/// As the fingerprints of plans have it, so the words never change.
impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count => f.write_str("count"),
            Self::Sum => f.write_str("sum"),
            Self::Moments => f.write_str("moments"),
            Self::Min => f.write_str("min"),
            Self::Max => f.write_str("max"),
            Self::First { n } => write!(f, "first {n}"),
            Self::Last { n } => write!(f, "last {n}"),
            Self::Distinct => f.write_str("distinct"),
            Self::Tally => f.write_str("tally"),
            Self::Registers => f.write_str("registers"),
            Self::Sketch => f.write_str("sketch"),
        }
    }
}
