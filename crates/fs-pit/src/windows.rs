//! Sliding windows, exact at both ends: what the events of a window make at the time of each spine
//! row.
//!
//! ```text
//!   spine         events              sum of clicks in the last 2h
//!   user  t       user  event  clicks     user  t      clicks_sum_2h
//!   7     10:00   7     08:00  1          7     10:00  3      08:00 is too early, by an instant
//!   7     11:30   7     10:00  3          7     11:30  7
//!   8     10:00   7     11:00  4          8     10:00  null   no events
//! ```
//!
//! The spine's times and the starts of its windows [cut](time_line) the time of each key into
//! intervals. Events come in any order; each is added to a partial aggregate of [its
//! interval](WindowJoin), and forgotten. In the end one sweep over each key merges partials into
//! the answers, for all windows of a spine row at once. Every [aggregate](crate::aggregate) is a
//! commutative monoid with an exact state, so neither the order nor the partitions of events show
//! in an answer.
//!
//! | Module | Holds |
//! |---|---|
//! | [`covers`] | which events a window covers: the rule |
//! | [`plan`] | [`WindowPlan`]: what is kept, and which answers are made of it |
//! | [`time_line`] | [`TimeLine`]: the intervals of each key |
//! | [`join`] | [`WindowJoin`]: takes the events |
//! | [`answers`] | [`WindowAnswers`]: columns for the spine |

pub mod answers;
pub mod covers;
#[cfg(test)]
mod fixture;
mod held;
pub mod join;
mod lane;
mod places;
pub mod plan;
#[cfg(test)]
mod properties;
mod records;
mod sweep;
pub mod time_line;
mod touched;
mod tree;

pub use answers::WindowAnswers;
pub use join::{Events, WindowJoin};
pub use plan::WindowPlan;
pub use time_line::TimeLine;
