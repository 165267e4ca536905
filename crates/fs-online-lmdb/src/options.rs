//! How much an embedded store may take.

/// How much an embedded store may take.
///
/// The sizes are of address space, not of memory or disk: the file is as large as what is in it.
/// Where a process opens a folder twice, the options of the first time count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LmdbOptions {
    /// How much of the file is mapped at first, in bytes.
    pub map_bytes: usize,
    /// How far the map may grow, in bytes. It doubles when it is full.
    pub max_map_bytes: usize,
    /// How many views one process may use. Every read clears 49 bytes for each.
    pub max_views: u32,
    /// How many threads of all processes may read.
    pub max_readers: u32,
}

impl Default for LmdbOptions {
    /// 16 GiB mapped, up to 16 TiB; 512 views; 1,024 readers.
    fn default() -> Self {
        Self {
            map_bytes: 16 << 30,
            max_map_bytes: 16 << 40,
            max_views: 512,
            max_readers: 1_024,
        }
    }
}
