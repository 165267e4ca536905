//! What `feature_store.yaml` says.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

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
    /// A Redis server, or a cluster of them.
    Redis(RedisSettings),
}

/// Where Redis is, and how it is used. What is absent has the default of the store.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct RedisSettings {
    /// Its `redis://` or `rediss://` URL; of a cluster with several addresses, `HOST:PORT,HOST:PORT`.
    pub url: String,
    /// Whether it is a Redis Cluster.
    pub cluster: bool,
    /// Certificates of the authorities to trust, in PEM, absolute.
    pub ca_file: Option<PathBuf>,
    /// A certificate of our own and its private key, in PEM, absolute.
    pub client: Option<(PathBuf, PathBuf)>,
    /// How many connections to keep for reads, and how many for writes.
    pub connections: Option<u32>,
    /// The longest that opening a connection may take.
    pub connect_timeout: Option<Duration>,
    /// The longest that a read may take.
    pub read_timeout: Option<Duration>,
    /// The longest that a round trip of a write may take.
    pub write_timeout: Option<Duration>,
    /// Whether rows past their `ttl` are forgotten.
    pub expiry: Option<bool>,
}

impl fmt::Debug for RedisSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("RedisSettings")
            .field("cluster", &self.cluster)
            .finish_non_exhaustive()
    }
}
