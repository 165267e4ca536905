//! The whole path, from the text of files to a repo or to problems.

mod aggregations;
mod between_definitions;
mod definitions;
mod expectations;
pub(crate) mod files;
mod good;
mod many_problems;
mod robustness;
mod settings;
mod types_from_sources;
