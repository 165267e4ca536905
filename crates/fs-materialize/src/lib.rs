//! Source to Delta table to online store.
//!
//! ```text
//!                  ingest                                publish
//!   source ──► rows of a window ──► one Delta commit ──► newest row of every key that changed
//!                                   rows, watermark      then: published = (version, as of)
//! ```
//!
//! The two halves only meet in the offline table. Ingesting replaces a window of event time, in atomic
//! commits, so running it twice leaves the same rows, and killing it leaves old ones or new ones.
//! Publishing follows the *commit version* of the table and not event time: it asks the log what
//! changed since the version that the online store recorded, so a late row and a correction reach the
//! online store by the same way as a new row.
//!
//! # A run
//!
//! ```text
//!   1  acquire the lease of the view             fence = one more than all before; wait for the holder
//!   2  taken over? raise the fence offline       whoever was taken over from commits nothing any more
//!                  record the dead run as lost
//!   3  look at the sources                       files and versions: all that follows reads these
//!   4  judge the window                          only if it has several chunks and views expect anything
//!   5  for each chunk, in order of event time
//!      a  read, hold against expectations        a row that fails goes aside, or fails the run
//!      b  replace the chunk in the quarantine    one commit, with the fence
//!      c  replace the chunk in the table         one commit: rows, watermark, version of the source,
//!                                                how far the run has come, fence
//!   6  raise the fence online, publish           see [`publish`]
//!   7  record the run in `_runs`
//!   8  release the lease
//! ```
//!
//! A crash after any step, or in the middle of one, loses nothing and repeats nothing:
//!
//! | After | Is there | The next run of the view |
//! |---|---|---|
//! | 1 | a lease that nobody renews | takes over: at once if the process is known to be dead, else when the lease has stood still for its ttl |
//! | 2, the fence | a table that refuses the dead run's fence | takes over, with a greater one |
//! | 2, the record | one record of the run before that | finds it by its fence, and does not record it again |
//! | 3, 4 | what was there | begins again |
//! | 5 a | data files that nothing refers to | writes its own; `fs vacuum` removes the others |
//! | 5 b | rows in quarantine that are in the table as well, or that its old rows know nothing of | replaces the same chunk of both |
//! | 5 c | some chunks new, the others old, each whole | goes on behind the last one: an incremental run at the watermark, a ranged one at what that commit says of it, if definitions, sources and table are what they were |
//! | 6 | a table that is ahead of the online store, which has whole rows, the newest of their time | publishes what has changed since the version that the online store recorded |
//! | 7, before it is written | stores that are whole, no record | takes over and records the run as lost |
//! | 7 | a record, and a lease that nobody renews | takes over, and finds the run recorded |
//! | 8 | everything | finds nothing that is not done |
//!
//! A run that is *frozen* instead, and wakes up when somebody has taken over, shows a fence that the
//! stores refuse: in 5 b, 5 c and 6. A run that is *asked to stop*, or that cannot renew its lease, ends
//! between two batches of rows: what it has not committed is discarded. When somebody replaces a file
//! that a run reads, it begins again at 3, three times at most. When a store has seen a greater fence
//! than that of the lease, although nobody else holds it (the registry was made anew, or restored), the
//! lease gets ahead of it and the run begins again.
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
mod events;
mod expiry;
pub mod freshness;
mod horizon;
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
