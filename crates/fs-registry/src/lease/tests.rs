//! Leases on a folder and in memory, with time that passes when it is told to.
