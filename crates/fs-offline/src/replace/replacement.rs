//! [`Replacement`]: what is put in the place of a window, and what the commit says beside the rows.

use std::fmt;

use datafusion::execution::SendableRecordBatchStream;
use deltalake::kernel::Transaction;
use fs_core::{EventTime, Fence, TimeRange};

use crate::fence;
use crate::store::{RUN_APP, SOURCE_APP};

/// What is put in the place of a window, in one commit.
pub struct Replacement {
    /// The event times whose rows are replaced.
    pub window: TimeRange,
    /// The columns of the schema but `_sequence`, in any order; columns that may be null may be
    /// missing. Their order is the order in which they count as committed.
    pub rows: SendableRecordBatchStream,
    /// The watermark becomes the greater of itself and this; `None` leaves it.
    pub watermark: Option<EventTime>,
    /// What the writer shows to prove that nobody has taken over from it; the table then refuses
    /// smaller ones. `None` proves nothing, and is let through.
    pub fence: Option<Fence>,
    /// The version of the Delta source that the rows were read from; `None` leaves what was said.
    pub source_version: Option<i64>,
    /// How far a run of several windows has come with this one.
    pub progress: Option<RunProgress>,
}

/// How far a run has come that replaces several windows, one after the other.
///
/// It is in the same commit as the rows, so that whoever repeats the run goes on where it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunProgress {
    /// What tells the run from others.
    pub key: String,
    /// The end of the window that was replaced last.
    pub done: EventTime,
    /// When it was, so that it can be forgotten a day later; `None`: never.
    pub at: Option<EventTime>,
}

impl Replacement {
    /// Puts `rows` in the place of `window`, and says nothing else.
    pub const fn of(window: TimeRange, rows: SendableRecordBatchStream) -> Self {
        Self {
            window,
            rows,
            watermark: None,
            fence: None,
            source_version: None,
            progress: None,
        }
    }
}

/// What a commit says of its writer: how it proves itself, what it read, how far it has come.
pub(crate) fn notes(
    fence: Option<Fence>,
    source_version: Option<i64>,
    progress: Option<&RunProgress>,
) -> Vec<Transaction> {
    let fence = fence.map(fence::note);
    let source = source_version.map(|version| Transaction::new(SOURCE_APP, version));
    let progress = progress.map(|progress| {
        let at = progress.at.map(|at| at.as_micros().div_euclid(1_000));
        Transaction::new_with_last_update(run_app(&progress.key), progress.done.as_micros(), at)
    });
    fence.into_iter().chain(source).chain(progress).collect()
}

/// The application transaction that says how far the run with this key has come.
pub(crate) fn run_app(key: &str) -> String {
    format!("{RUN_APP}{key}")
}

impl fmt::Debug for Replacement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replacement")
            .field("window", &self.window)
            .field("watermark", &self.watermark)
            .field("fence", &self.fence)
            .field("source_version", &self.source_version)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}
