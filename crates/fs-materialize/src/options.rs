//! How runs work.

use std::time::Duration;

use fs_pit::state::Limits;

/// How runs work.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How many bytes publishing may use to know the newest row of every key, some 70 for each. Where
    /// there are more keys it looks through those of the table once more for every so many. Of a windowed
    /// view: how many bytes the states may take that are made at once.
    pub publish_memory: usize,
    /// How much is kept of every key of a windowed view.
    pub states: Limits,
    /// How many keys are written to the online store at once.
    pub write_batch: usize,
    /// A long window is cut in parts of about so many rows, which commit one by one.
    pub chunk_rows: u64,
    /// How long a run waits for whoever else materializes its view.
    pub wait: Duration,
    /// How long a run waits before it reads a source again that was changed while it was read.
    pub pause: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            publish_memory: 128 << 20,
            states: Limits::default(),
            write_batch: 4_096,
            chunk_rows: 4 << 20,
            wait: Duration::from_mins(1),
            pause: Duration::from_secs(2),
        }
    }
}
