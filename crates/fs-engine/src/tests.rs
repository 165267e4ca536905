//! The engine on tiny files, which the tests write themselves.

mod bad_rows;
mod boundaries;
mod checks;
mod delta;
mod files;
mod fixture;
mod late_rows;
mod order;
mod queries;
mod sql;
mod text;
