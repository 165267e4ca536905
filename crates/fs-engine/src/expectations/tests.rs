//! Rows against expectations.
