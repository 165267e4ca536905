//! What an engine is told when it is made.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// What an engine is told when it is made.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// The folder that relative paths of sources start from: the feature repo.
    pub base_dir: PathBuf,
    /// Bytes that sorts, joins and aggregations may hold before they spill to the temporary folder
    /// of the operating system; no limit if absent.
    pub memory_limit: Option<usize>,
    /// Options of object stores and Delta tables, such as `aws_region`: everything that their
    /// clients would read from the environment.
    pub storage_options: BTreeMap<String, String>,
}
