//! [`Reading`]: what of a view is read, and how.

use fs_core::TimeRange;

use crate::SourceState;

/// What of a view is read, and how.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// Rows with an event time in here.
    pub range: TimeRange,
    /// What the sources were when the run began: these files and versions are read.
    pub state: &'a SourceState,
    /// Whether a [`Validator`](crate::Validator) gets the rows. It then sees those without a join key
    /// or an event time too, where a `not_null` of the view says what happens to them.
    pub validated: bool,
}

impl<'a> Reading<'a> {
    /// The rows of `range`, to be used as they are.
    pub const fn of(range: TimeRange, state: &'a SourceState) -> Self {
        Self {
            range,
            state,
            validated: false,
        }
    }

    /// The rows of `range`, to be handed to a [`Validator`](crate::Validator).
    pub const fn to_validate(range: TimeRange, state: &'a SourceState) -> Self {
        Self {
            range,
            state,
            validated: true,
        }
    }
}
