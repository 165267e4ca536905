//! The offline store: the full history of every feature view, one Delta table per view.
//!
//! ```text
//!   <root>/<project>/<view>/              join keys │ event_timestamp │ created_timestamp │ features │ _sequence
//!                                         (of a windowed view, its events: what its aggregations read)
//!   <root>/<project>/_quarantine/<view>/  rows that broke an expectation, and why
//!   <root>/<project>/_runs/               one row per materialization run
//!   <root>/<project>/_datasets/<name>/    a training set that was saved
//! ```
//!
//! Any Delta reader can open the tables. What makes them ours lies in the commits:
//!
//! | In the commit | Means |
//! |---|---|
//! | application transaction `fs.ingest` | how many windows have been replaced; the upper half of `_sequence` |
//! | application transaction `fs.watermark` | how far the table has come, microseconds UTC |
//! | application transaction `fs.pushed` | the greatest `_sequence` of a pushed row |
//! | application transaction `fs.push.<key>` | the first `_sequence` of the push with this key; lasts for a day |
//! | application transaction `fs.fence` | the greatest fence that a writer has shown; smaller ones are refused |
//! | application transaction `fs.source` | the version of the Delta source that was read last |
//! | application transaction `fs.run.<key>` | how far the run with this key has come, microseconds UTC; lasts for a day |
//! | `fs.window` in the commit information | the event times whose rows this commit replaced |
//! | `fs.push` in the commit information | the first `_sequence` and the number of the rows that this commit pushed |
//! | `fs.backfill` in the commit information | the event times whose rows got values for features that were added |
//! | `fs.fence` in the commit information | this commit only raised the fence |
//! | `fs.optimize` in the commit information | this commit only moved rows: how many files became how many |
//!
//! They are in the same atomic commit as the rows, so a reader sees all of a run or none of it. Commits
//! follow each other one by one: each is made right after the version that it was prepared for, or after
//! others that do not matter to it, or not at all.
//!
//! | Module | Holds |
//! |---|---|
//! | [`schema`] | [`TableSchema`]: the columns that a definition asks for |
//! | [`store`] | [`OfflineStore`]: opening, state, dropping |
//! | [`replace`] | how rows of sources get in: a window of event time is replaced |
//! | [`append`] | how pushed rows get in: they are added, each push once |
//! | [`backfill`] | how features that were added later get into rows that are there |
//! | [`fence`] | how a writer is kept out that was taken over from |
//! | [`quarantine`] | the table of rows that broke an expectation |
//! | [`optimize`] | small and overlapping files are put together |
//! | [`vacuum`] | files that nothing needs any more are removed |
//! | [`scan`] | reading, with files pruned on event time |
//! | [`offline_table`] | the same as a table of DataFusion, whose rows have addresses |
//! | [`changes`] | which rows came and went between two versions |
//! | [`versions`] | a version of a table that can be named, and found again |
//! | [`runs`] | the `_runs` table |
//! | [`datasets`] | training sets that were saved under a name |
//! | [`fitting`] | which columns of a file have a dictionary, and which are compressed |
//!
//! Reading and writing decode, sort and encode on the runtime that polls them: whoever must answer
//! within microseconds gives this crate a runtime of its own.

pub mod append;
pub mod backfill;
mod batches;
pub mod changes;
mod commit;
mod data_file;
pub mod datasets;
pub mod error;
mod evolution;
pub mod fence;
mod file_groups;
mod file_statistics;
pub mod fitting;
mod handlers;
mod landing;
mod log_entry;
pub mod offline_table;
mod once;
pub mod optimize;
mod plans;
pub mod quarantine;
pub mod replace;
mod rewrite;
pub mod runs;
pub mod scan;
pub mod schema;
mod sequence;
mod stale;
mod stamp;
pub mod store;
mod table;
pub mod vacuum;
pub mod versions;

pub use append::{Appended, Push, PushKey};
pub use backfill::{Backfill, Backfilled, Lacking};
pub use changes::Changes;
pub use datasets::{Dataset, NewDataset};
pub use error::Error;
pub use handlers::register_handlers;
pub use offline_table::OfflineTable;
pub use optimize::Optimized;
pub use quarantine::Quarantined;
pub use replace::{Ingested, Replacement, RunProgress};
pub use runs::{RunKind, RunRecord, RunStatus, RunTrigger};
pub use scan::{Between, Scan, ScanStats, TableScan};
pub use schema::TableSchema;
pub use store::{OfflineOptions, OfflineStore, TableState};
pub use vacuum::{Retention, Vacuumed};
pub use versions::TableVersion;

#[cfg(test)]
mod fixture;
