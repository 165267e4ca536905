//! The whole path, from the text of files to a repo or to problems.

mod between_definitions;
mod definitions;
mod expectations;
pub(crate) mod files;
mod good;
mod many_problems;
mod robustness;
mod settings;
