//! How a server is set up.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::Limits;

/// Where a server listens, and how it behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerOptions {
    /// gRPC and Flight. Port 0 is any free port.
    pub grpc_addr: SocketAddr,
    /// HTTP. Port 0 is any free port.
    pub http_addr: SocketAddr,
    /// How often a newer registry version is looked for.
    pub reload_interval: Duration,
    /// How long the registry may take to answer.
    pub registry_time: Duration,
    /// How long requests that have begun may go on after shutdown was asked for.
    pub drain_time: Duration,
    /// Whether anything is measured, and `/metrics` is there.
    pub metrics: bool,
    /// How much one client may ask for.
    pub limits: Limits,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            grpc_addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 50_051)),
            http_addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 6_566)),
            reload_interval: Duration::from_secs(1),
            registry_time: Duration::from_secs(10),
            drain_time: Duration::from_secs(30),
            metrics: true,
            limits: Limits::default(),
        }
    }
}
