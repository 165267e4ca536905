//! The Redis online store.
