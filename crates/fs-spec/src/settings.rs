//! What `feature_store.yaml` says.

use std::path::PathBuf;

use fs_core::{Location, ProjectName};

/// Where a project keeps its things, and how much memory its work may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The project.
    pub project: ProjectName,
    /// Where the versions of the registry are.
    pub registry: Location,
    /// The root of the Delta tables.
    pub offline_store: Location,
    /// Where the newest rows are.
    pub online_store: OnlineStoreSettings,
    /// Most bytes that queries may hold in memory; no limit if absent.
    pub memory_limit: Option<u64>,
}

/// Where the newest rows are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnlineStoreSettings {
    /// An LMDB folder of this machine.
    Embedded {
        /// The folder, absolute.
        path: PathBuf,
    },
    /// A Redis server.
    Redis {
        /// Its `redis://` or `rediss://` URL.
        url: String,
    },
}
