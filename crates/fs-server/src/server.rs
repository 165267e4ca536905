//! The server: bound, run, drained.

mod drain;
mod health;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fs_core::Clock;
use fs_engine::Engine;
use fs_registry::Registry;
use fs_serving::Serving;
use fs_training::TrainingSets;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::transport::server::{Router, TcpIncoming};

use self::health::HealthWatch;
use crate::live::Live;
use crate::shared::Shared;
use crate::turn::Turns;
use crate::{Error, Reloader, ServerOptions, flight, grpc, telemetry};

/// How often an idle connection is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// What a server answers from.
#[derive(Debug, Clone)]
pub struct Backends {
    /// Where the definitions come from.
    pub registry: Registry,
    /// Feature vectors of now.
    pub serving: Arc<Serving>,
    /// Training sets.
    pub training: TrainingSets,
    /// What finds rows of training sets that SQL selects, or that are every key as of an instant.
    pub engine: Arc<Engine>,
    /// What the age of uploaded spines is measured with.
    pub clock: Arc<dyn Clock>,
}

/// A server that listens, and answers once it is [`run`](Self::run).
///
/// ```text
///   let server = Server::bind(backends, options).await?;
///   println!("{} {}", server.grpc_addr(), server.http_addr());
///   server.run(shutdown).await?;
/// ```
#[derive(Debug)]
pub struct Server {
    grpc: TcpListener,
    grpc_addr: SocketAddr,
    http: TcpListener,
    http_addr: SocketAddr,
    options: ServerOptions,
    shared: Arc<Shared>,
}

impl Server {
    /// Reads the current registry version and listens on both addresses.
    ///
    /// A registry without a version is fine: requests are refused until there is one.
    pub async fn bind(backends: Backends, options: ServerOptions) -> Result<Self, Error> {
        telemetry::prometheus();
        let live = Live::new(backends.registry, options.registry_time);
        live.reload().await?;
        let (grpc, grpc_addr) = listen(options.grpc_addr, "gRPC").await?;
        let (http, http_addr) = listen(options.http_addr, "HTTP").await?;
        let limits = options.limits.clone();
        let shared = Shared {
            live: Arc::new(live),
            serving: backends.serving,
            training: backends.training,
            engine: backends.engine,
            clock: backends.clock,
            turns: Turns::new(limits.training_sets),
            limits,
            uploads: flight::Uploads::default(),
            draining: CancellationToken::new(),
            cutoff: CancellationToken::new(),
        };
        Ok(Self {
            grpc,
            grpc_addr,
            http,
            http_addr,
            options,
            shared: Arc::new(shared),
        })
    }

    /// Where gRPC and Flight are.
    pub const fn grpc_addr(&self) -> SocketAddr {
        self.grpc_addr
    }

    /// Where HTTP is.
    pub const fn http_addr(&self) -> SocketAddr {
        self.http_addr
    }

    /// Looks for newer registry versions on demand.
    pub fn reloader(&self) -> Reloader {
        Reloader(self.shared.live.clone())
    }

    /// Answers until `shutdown`, then finishes what has begun and returns.
    ///
    /// Draining: health says that nothing new should come, connections are told to go, requests
    /// that have begun go on for as long as `drain_time`, the rest is answered with `UNAVAILABLE`.
    /// `/health` and `/metrics` are there to the end.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), Error> {
        let health = HealthWatch::new();
        let router = grpc_router(&self.shared, &health)?;
        drain::run(self, router, health, shutdown).await
    }
}

fn grpc_router(shared: &Arc<Shared>, health: &HealthWatch) -> Result<Router, Error> {
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(fs_proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let router = tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE))
        .add_service(health.service())
        .add_service(reflection().build_v1().map_err(Error::Reflection)?)
        .add_service(reflection().build_v1alpha().map_err(Error::Reflection)?)
        .add_service(grpc::service(shared.clone()))
        .add_service(flight::service(shared.clone()));
    Ok(router)
}

fn incoming(listener: TcpListener) -> TcpIncoming {
    // Answers are small: waiting to fill a packet would only make them late.
    TcpIncoming::from(listener).with_nodelay(Some(true))
}

async fn listen(
    address: SocketAddr,
    what: &'static str,
) -> Result<(TcpListener, SocketAddr), Error> {
    let failed = |source| Error::Bind {
        address,
        what,
        source,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
