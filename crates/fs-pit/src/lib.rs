//! Point-in-time kernels over Arrow, each beside its naive reference.
//!
//! Everything here is a pure function of arrays: no files, no runtime, no query engine. The
//! kernels stream: feature rows are offered batch by batch, in any order, and the kernel keeps one
//! candidate per place where a row could win. It answers with [`RowId`]s; [`KeptRows`] holds the
//! columns of the rows that are still in the race, so memory follows the spine and not the history.
//!
//! | Module | Holds |
//! |---|---|
//! | [`rule`] | [`Rule`]: when a feature row is visible, and when it is too old |
//! | [`join`] | [`PointInTimeJoin`]: the newest visible row for each spine row |
//! | [`spine_index`] | [`SpineIndex`]: the keys and times of a spine, ready to be looked up |
//! | [`newest`] | [`NewestPerKey`]: the newest visible row of each key at one instant |
//! | [`kept`] | [`KeptRows`]: the columns of the rows that may still win |
//! | [`aggregate`] | what a window makes of the values in it: exact states that merge in any order |
//! | [`windows`] | when events count, and what is kept of them |
//! | [`state`] | [`State`](state::State): what answers windows of one key at any `now`, for serving |
//! | [`naive`] | the same answers by comparing everything with everything |

pub mod aggregate;
mod error;
pub mod join;
pub mod kept;
mod keys;
pub mod naive;
pub mod newest;
#[cfg(test)]
mod properties;
mod row;
pub mod rule;
pub mod spine_index;
pub mod state;
pub mod windows;

pub use error::Error;
pub use join::{Matches, PointInTimeJoin};
pub use kept::KeptRows;
pub use keys::partition;
pub use newest::NewestPerKey;
pub use row::{FeatureRows, RowId, RowIds, RowRank};
pub use rule::Rule;
pub use spine_index::{SpineIndex, SpineIndexBuilder};
