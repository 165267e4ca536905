//! What a run tells while it works.

use fs_core::ViewName;

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Judging the rows of the source before any is written; rows read so far.
    Check,
    /// Reading the source into the offline table; rows read so far.
    Ingest,
    /// Looking through the offline table for rows to publish; rows looked at so far.
    Search,
    /// Writing to the online store; keys written so far.
    Publish,
    /// Over, well or not; keys written in all.
    Done,
}

/// Who is told.
pub trait Progress: Send + Sync {
    /// `view` is in `phase` and has come to `rows` there. Called once for every batch of rows, so it
    /// must be quick.
    fn report(&self, view: &ViewName, phase: Phase, rows: u64);

    /// `phase` of `view` will come to about `rows`. Told before its first report, and again when the
    /// guess is better; not at all where nobody can know.
    fn expect(&self, _view: &ViewName, _phase: Phase, _rows: u64) {}

    /// Something that whoever watches should know, in a few words: for whom the run waits, where it
    /// goes on, that it begins again.
    fn note(&self, _view: &ViewName, _note: &str) {}
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn report(&self, _view: &ViewName, _phase: Phase, _rows: u64) {}
}
