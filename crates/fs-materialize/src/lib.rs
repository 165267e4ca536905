//! Source to Delta table to online store.
//!
//! ```text
//!                  ingest                                publish
//!   source ──► rows of a window ──► one Delta commit ──► newest row of every key that changed
//!                                   rows, watermark      then: published = (version, as of)
//! ```
//!
//! The two halves only meet in the offline table. Ingesting replaces a window of event time in one
//! atomic commit, so running it twice leaves the same rows, and killing it leaves the old ones.
//! Publishing follows the *commit version* of the table and not event time: it asks the log what
//! changed since the version that the online store recorded, so a late row and a correction reach the
//! online store by the same way as a new row. See [`publish`] for its protocol.
//!
//! | Module | Holds |
//! |---|---|
//! | [`materializer`] | [`Materializer`]: runs, one view after the other, recorded in `_runs` |
//! | [`window`] | which window a run replaces, and where it leaves the watermark |
//! | [`publish`] | from the offline table to the online store |
//! | [`push`] | [`Pusher`]: rows that clients hand in, straight to both stores |
//! | [`progress`] | [`Progress`]: what a run tells while it works |
//! | [`freshness`] | [`Freshness`]: how far a view has come, and how far it should have |
//! | [`telemetry`] | what runs and views are measured by |
//!
//! A run, or a push, decodes, sorts and packs rows on the runtime that polls it: a process that also
//! serves gives them threads of their own.

pub mod asked;
pub mod error;
mod expiry;
pub mod freshness;
mod ingest;
pub mod materializer;
pub mod options;
pub mod progress;
pub mod publish;
pub mod push;
mod rows;
mod run;
pub mod telemetry;
pub mod window;

pub use asked::{Asked, Work};
pub use error::Error;
pub use freshness::Freshness;
pub use materializer::{Materializer, Views};
pub use options::Options;
pub use progress::{Phase, Progress, Silent};
pub use publish::Publication;
pub use push::{PushReport, PushTo, Pushed, Pusher, RowOutcome, Target};
pub use run::RunSummary;
pub use telemetry::ViewMetrics;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;
