//! The point-in-time join as an operator of `DataFusion`.
//!
//! ```text
//!   PointInTimeJoinExec     every row of the spine, in order, with what was visible at its time
//!     spine                 read whole, once; in memory or, beyond the limit, on disk
//!     history 1             streamed past the spine, in any order, all partitions side by side
//!     history 2             …
//! ```
//!
//! The lookup is built on the spine ([`fs_pit::SpineIndex`]), which is usually far smaller than what
//! it is joined with. Histories are neither sorted nor kept: of each, the join holds one candidate for
//! every place where a row can win. Before a history is read, the operator tells it which event times,
//! and of a spine with few keys which keys, can matter at all, through the dynamic filters of
//! `DataFusion`: scans below skip files and row groups by them.
//!
//! What a join takes from a history is either columns, kept while their row may still win, or just
//! the place of the winning row ([`Take::Place`]), from which
//! [`FetchRowsExec`](crate::fetch_rows::FetchRowsExec) reads the columns later, those of the winners
//! only.
//!
//! Or it takes what windows over the history make ([`Take::Windows`]): every row that comes by is added to a
//! partial aggregate of its key and stretch of time, and forgotten. That is the same single pass, beside
//! joins of other kinds over the same scan.
//!
//! Memory is charged to the pool of the session. What does not fit is dealt to disk by a hash of the
//! keys and joined part by part; the answer is the same, byte for byte.
//!
//! | Module | Holds |
//! |---|---|
//! | [`spec`] | [`JoinSpec`]: what to join, by the names of the columns |
//! | [`exec`] | [`PointInTimeJoinExec`], the physical operator |
//! | [`node`] | [`PointInTimeJoinNode`], the logical one |
//! | `spine`, `race`, `runner`, `parts`, `output` | the steps of a run |

mod aggregated;
mod bounds;
mod columns;
pub mod exec;
mod found;
pub mod node;
mod output;
mod parts;
mod race;
mod run;
mod runner;
pub mod spec;
mod spine;

pub use exec::PointInTimeJoinExec;
pub use node::PointInTimeJoinNode;
pub use spec::{JoinSpec, PointInTimeSpec, Take, Windowed};

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
