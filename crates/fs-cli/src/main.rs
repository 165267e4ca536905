//! The `fs` binary.
fn main() {}
