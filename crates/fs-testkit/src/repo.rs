//! Feature repos in a folder that is gone when the test is over.

mod folder;
mod rows;
mod tiny;

pub use folder::Folder;
pub use rows::{Click, Trip, clicks_batch, trips_batch};
pub use tiny::{Online, TinyRepo};
