//! [`Count`]: how many rows, or values.

use fs_core::Function;

use super::input::Rows;
use super::{Aggregate, Answer, Unanswered, bytes};
use crate::{Error, RowRank};

/// How many rows there were, or values of any type.
#[derive(Debug, Clone, Copy)]
pub struct Count;

impl Aggregate for Count {
    type Input = Rows;
    type State = u64;

    fn init(&self) -> u64 {
        0
    }

    fn is_empty(&self, state: &u64) -> bool {
        *state == 0
    }

    #[inline]
    fn update(&self, state: &mut u64, (): (), _: RowRank) {
        *state = state.wrapping_add(1);
    }

    #[inline]
    fn merge(&self, state: &mut u64, other: &u64) {
        *state = state.wrapping_add(*other);
    }

    fn write(&self, state: &u64, out: &mut Vec<u8>) {
        bytes::put_count(*state, out);
    }

    fn read(&self, bytes: &mut &[u8]) -> Result<u64, Error> {
        bytes::count(bytes)
    }

    fn answer(&self, state: &u64, function: &Function) -> Result<Answer<'static>, Unanswered> {
        match function {
            Function::Count => Ok(Answer::count(*state)),
            _ => Err(Unanswered::NotKept),
        }
    }
}
