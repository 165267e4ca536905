//! HTTP: `/health`, `/metrics`, and what every HTTP request gets.
//!
//! | | |
//! |---|---|
//! | id | `x-request-id`, the client's or a new one, on every answer |
//! | body | at most `message_bytes`, and at most `client_time` to send it: [`read_body`] |
//! | time | handlers go through [`Shared::call`], which has the deadline |
//! | connection | HTTP/1.1, kept alive, without Nagle's delay |
//! | errors | the HTTP status of the [code](fs_core::Code) ([`status_of`]); `retry-after` where another attempt is worth while |

mod body;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use fs_core::code::report;
use serde::Serialize;
use tokio::time::timeout;

pub(crate) use self::body::{read_body, status_of};
use crate::call::{Arrived, REQUEST_ID, give_request_id};
use crate::shared::Shared;
use crate::{feast, telemetry};

/// How long the online store may take to say that it is there.
const PING_TIME: Duration = Duration::from_secs(2);

pub(crate) fn router(shared: Arc<Shared>) -> Router {
    let bytes = shared.limits.message_bytes;
    Router::new()
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .merge(feast::router())
        .with_state(shared)
        .layer(DefaultBodyLimit::max(bytes))
        .layer(from_fn(identified))
}

/// Gives a request its id and its time of arrival, and the answer the id.
async fn identified(mut request: Request, next: Next) -> Response {
    let id = give_request_id(request.headers_mut());
    let mut response = Arrived::now(Box::pin(next.run(request))).await;
    response.headers_mut().insert(REQUEST_ID, id);
    response
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

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    if !shared.calls.is_on() {
        let text = "metrics are off: start the server without `--metrics off`\n";
        return (StatusCode::NOT_FOUND, text).into_response();
    }
    let kind = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    ([kind], telemetry::render(&shared)).into_response()
}
