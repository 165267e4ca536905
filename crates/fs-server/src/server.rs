//! The server: bound, run, drained.

mod drain;
mod edge;
mod health;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fs_core::Clock;
use fs_engine::Engine;
use fs_materialize::{Materializer, Pusher};
use fs_registry::Registry;
use fs_serving::Serving;
use fs_training::TrainingSets;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;

use self::edge::Edge;
use self::health::HealthWatch;
use crate::admission::Admission;
use crate::feast::{self, Jobs};
use crate::live::Live;
use crate::push::Pushing;
use crate::shared::Shared;
use crate::telemetry::{Calls, Freshness, Lines};
use crate::turn::Turns;
use crate::{Error, Limits, Reloader, ServerOptions, flight, grpc, telemetry};

/// How often an idle connection is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// How long it may take to say so.
const KEEPALIVE_ANSWER: Duration = Duration::from_secs(10);

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
    /// What clients of Feast let bring rows from the sources to the stores. Its online store may be
    /// the one that is served from, or another way to it: its connections live on other threads.
    pub materializer: Materializer,
    /// What takes rows from clients. Its online store is another way to the one that is served from,
    /// for the same reason.
    pub pusher: Pusher,
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
        if options.metrics {
            telemetry::prometheus();
        }
        let live = Live::new(backends.registry, options.registry_time);
        live.reload().await?;
        let (grpc, grpc_addr) = listen(options.grpc_addr, "gRPC").await?;
        let (http, http_addr) = listen(options.http_addr, "HTTP").await?;
        let limits = options.limits.clone();
        let began = Instant::now();
        let shared = Shared {
            admission: Admission::new(&limits, began),
            calls: Calls::new(options.metrics),
            failures: Lines::new(began),
            freshness: Freshness::default(),
            live: Arc::new(live),
            serving: backends.serving,
            training: backends.training,
            engine: backends.engine,
            jobs: Jobs::new(backends.materializer),
            pusher: Pushing::new(backends.pusher, limits.push_rows),
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

    /// What the handlers share, for tests that look at it.
    #[cfg(test)]
    pub(crate) fn shared(&self) -> Arc<Shared> {
        self.shared.clone()
    }

    /// Answers until `shutdown`, then finishes what has begun and returns.
    ///
    /// Draining: health says that nothing new should come, connections are told to go, requests
    /// that have begun go on for as long as `drain_time`, the rest is answered with `UNAVAILABLE`.
    /// `/health` and `/metrics` are there to the end.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) -> Result<(), Error> {
        let health = HealthWatch::new();
        let edge = Edge::new(routes(&self.shared, &health)?, self.shared.clone());
        drain::run(self, edge, health, shutdown).await
    }
}

/// The transport of gRPC. What tonic does by itself and what is chosen here:
///
/// | | Chosen | Instead of | Because |
/// |---|---|---|---|
/// | streams of a connection | twice the requests in flight | 200 | what is too much is to be told so, not to wait in its client |
/// | resets that are not taken in yet | as many | 20 | clients that give up under load must not lose their connection |
/// | window of a stream | 1 MiB | 64 KiB | a request of thousands of entities comes without waiting for permission |
/// | window of a connection | 4 MiB | 64 KiB | several such requests at the same time; no more, so that a flood stays in the sockets |
/// | adaptive windows | no | no | they are found out with pings of their own, for loads that we know |
/// | frames that come | up to 64 KiB | 16 KiB | fewer of them for large requests; those that go follow the client's setting |
/// | pings when idle | every 30 s, answered in 10 s | none | connections of clients that vanished end |
/// | Nagle's delay | off | off | answers are small: waiting to fill a packet only makes them late |
fn grpc_server(limits: &Limits) -> tonic::transport::Server {
    let streams = limits.requests_in_flight.saturating_mul(2).max(256);
    tonic::transport::Server::builder()
        .max_concurrent_streams(u32::try_from(streams).unwrap_or(u32::MAX))
        .http2_max_pending_accept_reset_streams(Some(streams))
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .max_frame_size(64 << 10)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_ANSWER))
}

fn routes(shared: &Arc<Shared>, health: &HealthWatch) -> Result<Routes, Error> {
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(fs_proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let routes = Routes::new(health.service())
        .add_service(reflection().build_v1().map_err(Error::Reflection)?)
        .add_service(reflection().build_v1alpha().map_err(Error::Reflection)?)
        .add_service(grpc::service(shared.clone()))
        .add_service(feast::serving_service(shared.clone()))
        .add_service(feast::feature_server(shared.clone()))
        .add_service(flight::service(shared.clone()));
    Ok(routes)
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
