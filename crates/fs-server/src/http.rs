//! `/health` and `/metrics`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use fs_core::code::report;
use serde::Serialize;
use tokio::time::timeout;

use crate::shared::Shared;
use crate::telemetry;

/// How long the online store may take to say that it is there.
const PING_TIME: Duration = Duration::from_secs(2);

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .with_state(shared)
}

/// The body of `/health`. The status is 200 if `status` is `serving`, else 503.
#[derive(Debug, Serialize)]
struct Health {
    status: &'static str,
    project: String,
    registry_version: Option<u64>,
    online_store: StoreHealth,
}

#[derive(Debug, Serialize)]
struct StoreHealth {
    store: String,
    reachable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

async fn health(State(shared): State<Arc<Shared>>) -> Response {
    let store = shared.serving.store();
    let error = match timeout(PING_TIME, store.ping()).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(report(&error)),
        Err(_elapsed) => Some(format!("no answer within {} s", PING_TIME.as_secs())),
    };
    let registry_version = shared.live.version();
    let status = if shared.draining.is_cancelled() {
        "draining"
    } else if registry_version.is_none() {
        "nothing_applied"
    } else if error.is_some() {
        "online_store_unreachable"
    } else {
        "serving"
    };
    let body = Health {
        status,
        project: shared.live.project().to_string(),
        registry_version,
        online_store: StoreHealth {
            store: store.describe(),
            reachable: error.is_none(),
            error,
        },
    };
    let code = match status {
        "serving" => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    (code, Json(body)).into_response()
}

async fn metrics() -> impl IntoResponse {
    let text = telemetry::prometheus().render();
    (
        [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")],
        text,
    )
}
