//! `POST /push` and `POST /write-to-online-store`.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::{INLINE_BYTES, respond};
use crate::Error;
use crate::call::CallContext;
use crate::feast::frame::Columns;
use crate::feast::writing::Writing;
use crate::feast::{FeastError, idempotency_key, json};
use crate::http::read_body;
use crate::off_runtime::off_runtime;
use crate::shared::Shared;

/// What `/push` takes; what Feast's clients send beyond that makes no difference here.
#[derive(Debug, Deserialize)]
struct PushRequest<'a> {
    push_source_name: String,
    #[serde(borrow)]
    df: Columns<'a>,
    #[serde(default = "online")]
    to: String,
}

/// What `/write-to-online-store` takes.
#[derive(Debug, Deserialize)]
struct WriteRequest<'a> {
    feature_view_name: String,
    #[serde(borrow)]
    df: Columns<'a>,
}

fn online() -> String {
    "online".to_owned()
}

pub(super) async fn push(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let read = |shared: &Shared, body: &Bytes| {
        let request: PushRequest<'_> = json::read(body).map_err(FeastError::Body)?;
        let frame = request.df.frame()?;
        Writing::push(shared, &request.push_source_name, &request.to, &frame)
    };
    let done = write(&shared, "POST /push", &headers, body, read).await;
    respond(done.map(|()| StatusCode::OK.into_response()))
}

pub(super) async fn write_to_online_store(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let read = |shared: &Shared, body: &Bytes| {
        let request: WriteRequest<'_> = json::read(body).map_err(FeastError::Body)?;
        let frame = request.df.frame()?;
        Writing::to_online_store(shared, &request.feature_view_name, &frame)
    };
    let method = "POST /write-to-online-store";
    let done = write(&shared, method, &headers, body, read).await;
    respond(done.map(|()| Json(()).into_response()))
}

async fn write(
    shared: &Arc<Shared>,
    method: &'static str,
    headers: &HeaderMap,
    body: Body,
    read: impl FnOnce(&Shared, &Bytes) -> Result<Writing, Error> + Send + 'static,
) -> Result<(), Error> {
    let context = CallContext::from_headers(headers);
    let body = read_body(body, &shared.limits).await;
    let work = async {
        let key = idempotency_key(headers)?;
        let body = body?;
        let writing = if body.len() <= INLINE_BYTES {
            read(shared, &body)?
        } else {
            let shared = Arc::clone(shared);
            off_runtime(async move { read(&shared, &body) }).await??
        };
        writing.write(shared, key).await
    };
    shared.write(method, &context, work).await
}
