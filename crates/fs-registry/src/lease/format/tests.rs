//! How leases are written.
