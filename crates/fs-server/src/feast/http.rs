//! Feast's paths over HTTP.
//!
//! | Path | Answer |
//! |---|---|
//! | `POST /get-online-features` | 200 and the feature vectors |
//! | `POST /push`, `POST /write-to-online-store` | 200 once the rows are written |
//! | `POST /materialize`, `POST /materialize-incremental` | 200 once it is done; with `?async=true` 202 at once |
//!
//! Errors have Feast's shape; see [`refusal`](super::refusal). The header `Idempotency-Key` makes a push
//! that is sent again count once.

mod materialize;
mod read;
mod write;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::post;

use super::refusal::refusal;
use crate::Error;
use crate::shared::Shared;

/// All of them.
pub(crate) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/get-online-features", post(read::get_online_features))
        .route("/push", post(write::push))
        .route("/write-to-online-store", post(write::write_to_online_store))
        .route("/materialize", post(materialize::window))
        .route("/materialize-incremental", post(materialize::incremental))
}

/// Bodies of more bytes than this are read off the runtime's threads.
const INLINE_BYTES: usize = 256 << 10;

/// A body that is JSON already.
fn json_body(body: impl Into<axum::body::Body>) -> Response {
    let headers = [(CONTENT_TYPE, "application/json")];
    (StatusCode::OK, headers, body.into()).into_response()
}

/// The answer, or the refusal.
fn respond(outcome: Result<Response, Error>) -> Response {
    outcome.unwrap_or_else(|error| refusal(&error))
}
