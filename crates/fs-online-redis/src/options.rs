//! How the store uses Redis.

use std::path::PathBuf;
use std::time::Duration;

/// Where Redis is, beyond its URL; how many connections; how long to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisOptions {
    /// Whether the URL leads to a Redis Cluster: `redis://HOST:PORT,HOST:PORT` names some of its nodes.
    pub cluster: bool,
    /// Certificates for a `rediss://` URL.
    pub tls: RedisTls,
    /// The connections for reads, to each node, and as many for writes; at least 1. Requests share
    /// them; they are opened when they are first needed.
    pub connections: u32,
    /// The longest that opening a connection may take.
    pub connect_timeout: Duration,
    /// The longest that a read may take, connecting included.
    pub read_timeout: Duration,
    /// The longest that one round trip of a write may take; a large write makes several.
    pub write_timeout: Duration,
    /// Whether rows are forgotten once they need not be
    /// [kept](fs_online::RowWrite::keep_until) any more.
    pub expiry: bool,
    /// How many [buckets](crate::keyspace::Buckets) a view gets that has none yet, a power of two.
    /// If `None`, [16](Self::BUCKETS) on a server and [256](Self::CLUSTER_BUCKETS) in a cluster.
    pub buckets: Option<u16>,
}

/// Files with certificates, in PEM.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RedisTls {
    /// Whom to trust; if `None`, the authorities that browsers trust.
    pub ca_file: Option<PathBuf>,
    /// Who we are, for a server that asks: a certificate and its key.
    pub client: Option<RedisClientCertificate>,
}

/// A certificate of our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisClientCertificate {
    /// The file of the certificate, and of those that lead to its authority.
    pub cert_file: PathBuf,
    /// The file of its private key.
    pub key_file: PathBuf,
}

impl RedisOptions {
    /// The buckets of a view on a single server: few, since every bucket that a read touches is a
    /// command.
    pub const BUCKETS: u16 = 16;

    /// The buckets of a view in a cluster: enough for equal shares, and for slots that move quickly.
    pub const CLUSTER_BUCKETS: u16 = 256;

    pub(crate) fn new_buckets(&self) -> u16 {
        self.buckets.unwrap_or(if self.cluster {
            Self::CLUSTER_BUCKETS
        } else {
            Self::BUCKETS
        })
    }
}

impl Default for RedisOptions {
    /// A single server; one connection for reads and one for writes, opened within 1 s; reads within
    /// 1 s, writes within 10 s; rows are forgotten.
    ///
    /// One connection, because requests that share it share system calls, too: on two cores, with 64
    /// reads of one key at a time, 1, 4 and 16 connections made 239, 174 and 102 thousand reads a
    /// second, and there was no difference with reads of a hundred keys, where the server is the limit.
    fn default() -> Self {
        Self {
            cluster: false,
            tls: RedisTls::default(),
            connections: 1,
            connect_timeout: Duration::from_secs(1),
            read_timeout: Duration::from_secs(1),
            write_timeout: Duration::from_secs(10),
            expiry: true,
            buckets: None,
        }
    }
}
