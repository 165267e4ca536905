//! From the first request to the last.
//!
//! ```text
//!   run ──────────── shutdown ─────────────────────────── drain_time ── the end
//!   health SERVING   NOT_SERVING
//!   gRPC   accepts   tells clients to go, finishes        cuts off
//!   HTTP   accepts   /health 503 ──────────────────────────────────────► stops
//! ```

use std::sync::Arc;
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::edge::Edge;
use super::health::HealthWatch;
use super::{Server, grpc_server, incoming};
use crate::live::Live;
use crate::telemetry::Freshness;
use crate::{Error, http};

/// How long handlers may take to notice that they were cut off, and clients to hear it.
const CUTOFF_TIME: Duration = Duration::from_secs(1);

pub(super) async fn run(
    server: Server,
    edge: Edge,
    health: HealthWatch,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), Error> {
    let shared = server.shared;
    let live = shared.live.clone();
    health.set_applied(live.version().is_some()).await;

    let stop_grpc = CancellationToken::new();
    let stopping = stop_grpc.clone().cancelled_owned();
    let listener = incoming(server.grpc);
    let serving =
        grpc_server(&shared.limits).serve_with_incoming_shutdown(edge, listener, stopping);
    let mut grpc = AbortOnDropHandle::new(tokio::spawn(serving));

    let stop_http = CancellationToken::new();
    let stopping = stop_http.clone().cancelled_owned();
    let app = http::router(shared.clone());
    let listener = server.http.tap_io(|stream| {
        // Answers are written at once and whole; where it fails, they are only later.
        stream.set_nodelay(true).ok();
    });
    let serving = axum::serve(listener, app).with_graceful_shutdown(stopping);
    let mut http = AbortOnDropHandle::new(tokio::spawn(serving.into_future()));

    let every = server.options.reload_interval;
    let follow = follow(live, health.clone(), every, shared.draining.clone());
    let follow = AbortOnDropHandle::new(tokio::spawn(follow));
    // Only metrics tell of it.
    let fresh = server.options.metrics.then(|| {
        let fresh = Freshness::follow(shared.clone(), shared.draining.clone());
        AbortOnDropHandle::new(tokio::spawn(fresh))
    });
    tracing::info!(grpc = %server.grpc_addr, http = %server.http_addr, "serving");

    tokio::select! {
        () = shutdown => {}
        ended = &mut grpc => return ended?.map_err(Error::Grpc),
        ended = &mut http => return ended?.map_err(Error::Http),
    }

    tracing::info!("draining");
    shared.draining.cancel();
    follow.await?;
    health.set_draining().await;
    stop_grpc.cancel();
    health.end_watches().await;
    match timeout(server.options.drain_time, &mut grpc).await {
        Ok(ended) => ended?.map_err(Error::Grpc)?,
        Err(_elapsed) => {
            tracing::warn!("requests that took too long are cut off");
            shared.cutoff.cancel();
            if let Ok(ended) = timeout(CUTOFF_TIME, &mut grpc).await {
                ended?.map_err(Error::Grpc)?;
            }
        }
    }
    stop_http.cancel();
    if let Ok(ended) = timeout(CUTOFF_TIME, &mut http).await {
        ended?.map_err(Error::Http)?;
    }
    // Last, because it may be in the middle of reading tables.
    if let Some(fresh) = fresh {
        fresh.await?;
    }
    tracing::info!("stopped");
    Ok(())
}

/// Follows the registry, and lets health know when there is a first version.
async fn follow(live: Arc<Live>, health: HealthWatch, every: Duration, stop: CancellationToken) {
    let mut applied = live.changes();
    let report = async {
        while applied.changed().await.is_ok() {
            health.set_applied(true).await;
        }
    };
    tokio::select! {
        () = live.clone().follow(every, stop) => {}
        () = report => {}
    }
}
