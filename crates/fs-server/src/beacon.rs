//! `/health` and `/metrics` of a process that serves no features, such as a scheduler.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::{MissedTickBehavior, interval};

use crate::{Error, telemetry};

/// How often what was recorded is folded into buckets.
const UPKEEP: Duration = Duration::from_secs(5);

/// What there is to see of a process.
pub trait Seen: Debug + Send + Sync + 'static {
    /// Whether all is well, and the body of `/health`.
    fn health(&self) -> (bool, Value);

    /// Sets the metrics that are only set when somebody asks.
    fn show(&self) {}
}

/// A listener that answers `/health` (200, or 503 where all is not well) and `/metrics`.
#[derive(Debug)]
pub struct Beacon {
    listener: TcpListener,
    addr: SocketAddr,
}

impl Beacon {
    /// Listens on `addr`; what the process measures from here on is kept.
    pub async fn bind(addr: SocketAddr) -> Result<Self, Error> {
        telemetry::prometheus();
        let failed = |source| Error::Bind {
            address: addr,
            what: "HTTP",
            source,
        };
        let listener = TcpListener::bind(addr).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, addr })
    }

    /// Where it listens.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Answers until `shutdown`.
    pub async fn run(
        self,
        seen: Arc<dyn Seen>,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), Error> {
        let app = Router::new()
            .route("/health", get(health))
            .route("/metrics", get(metrics))
            .with_state(seen);
        let upkeep = async {
            let mut ticks = interval(UPKEEP);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                telemetry::upkeep();
            }
        };
        let serving = axum::serve(self.listener, app).with_graceful_shutdown(shutdown);
        tokio::select! {
            ended = serving.into_future() => ended.map_err(Error::Http),
            () = upkeep => Ok(()),
        }
    }
}

async fn health(State(seen): State<Arc<dyn Seen>>) -> Response {
    let (well, body) = seen.health();
    let status = if well {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(body)).into_response()
}

async fn metrics(State(seen): State<Arc<dyn Seen>>) -> Response {
    seen.show();
    let kind = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    ([kind], telemetry::prometheus().render()).into_response()
}
