//! The whole path, from the text of files to a repo or to problems.

mod files;
mod good;
mod many_problems;
mod rules;
mod robustness;
