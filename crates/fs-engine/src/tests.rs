//! The engine on tiny files, which the tests write themselves.

mod bad_rows;
mod boundaries;
mod changed_since;
mod checks;
mod delta;
mod expectations;
mod files;
mod fixture;
mod late_rows;
mod order;
mod queries;
mod source_changed;
mod source_state;
mod spread;
mod sql;
mod text;
mod view_inputs;
