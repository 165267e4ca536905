//! How the store uses Redis.

use std::time::Duration;

/// How many connections, and how long to wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisOptions {
    /// The most connections to keep; at least 1. They are opened when they are first needed.
    pub connections: u32,
    /// The longest that opening a connection may take.
    pub connect_timeout: Duration,
    /// The longest that a read may take, waiting for a connection included.
    pub read_timeout: Duration,
    /// The longest that one round trip of a write may take; a large write makes several.
    pub write_timeout: Duration,
}

impl Default for RedisOptions {
    /// 16 connections, opened within 1 s; reads within 1 s, writes within 10 s.
    fn default() -> Self {
        Self {
            connections: 16,
            connect_timeout: Duration::from_secs(1),
            read_timeout: Duration::from_secs(1),
            write_timeout: Duration::from_secs(10),
        }
    }
}
