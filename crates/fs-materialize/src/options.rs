//! How runs work.

/// How runs work.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Publishing keeps at most about this many keys in memory, and looks through the table once
    /// more for every so many.
    pub keys_in_memory: usize,
    /// How many keys are written to the online store at once.
    pub write_batch: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            keys_in_memory: 1_000_000,
            write_batch: 2_048,
        }
    }
}
