//! [`Answer`]: what a function makes of a state, and columns of answers.

mod builder;

use super::Scalar;

pub use builder::AnswerBuilder;

/// What a function makes of the values in a window.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer<'s> {
    /// Nothing: there were no values, or too few.
    Null,
    /// One value.
    One(Scalar<'s>),
    /// A list, which may be empty; of `first_n`, `last_n` and `top_k`.
    Many(Vec<Scalar<'s>>),
}

/// Why a state has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// The sum of the integers does not fit.
    #[error("the sum is beyond what int64 holds")]
    Overflow,
    /// The state is one of another component than the function needs.
    #[error("the state does not hold what the function needs")]
    NotKept,
}

impl<'s> Answer<'s> {
    /// The value, or null where there is none.
    pub fn of(value: Option<Scalar<'s>>) -> Self {
        value.map_or(Self::Null, Self::One)
    }

    /// A number of things.
    pub(super) fn count(count: u64) -> Self {
        Self::One(Scalar::Int64(i64::try_from(count).unwrap_or(i64::MAX)))
    }

    /// A number, or null where there is none.
    pub(super) fn float(number: Option<f64>) -> Self {
        Self::of(number.map(Scalar::Float64))
    }
}
