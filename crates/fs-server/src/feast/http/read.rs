//! `POST /get-online-features`.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use super::{INLINE_BYTES, json_body, respond};
use crate::Error;
use crate::call::CallContext;
use crate::feast::frame::Columns;
use crate::feast::online::{Asked, Selection};
use crate::feast::{FeastError, json};
use crate::http::read_body;
use crate::off_runtime::off_runtime;
use crate::shared::Shared;

/// Answers of more values than this are written off the runtime's threads.
const INLINE_VALUES: usize = 8_192;

/// What the path takes.
#[derive(Debug, Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    entities: Columns<'a>,
    feature_service: Option<String>,
    features: Option<Vec<String>>,
    #[serde(default)]
    full_feature_names: bool,
    #[serde(default)]
    include_feature_view_version_metadata: bool,
}

pub(super) async fn get_online_features(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let context = CallContext::from_headers(&headers);
    // What has not arrived takes no place of those that are answered.
    let body = read_body(body, &shared.limits).await;
    let answer = async {
        let body = body?;
        let asked = if body.len() <= INLINE_BYTES {
            asked(&shared, &body)?
        } else {
            let shared = Arc::clone(&shared);
            off_runtime(async move { asked(&shared, &body) }).await??
        };
        let found = asked.find(&shared).await?;
        let text = if found.values() <= INLINE_VALUES {
            found.answer().json()
        } else {
            off_runtime(async move { found.answer().json() }).await?
        };
        Ok(json_body(text))
    };
    let method = "POST /get-online-features";
    respond(shared.call(method, &context, answer).await)
}

fn asked(shared: &Shared, body: &Bytes) -> Result<Asked, Error> {
    let request: Request<'_> = json::read(body).map_err(FeastError::Body)?;
    let selection = Selection {
        service: request.feature_service.as_deref(),
        // No service and no features at all is an empty list of features.
        features: request.features.as_deref().unwrap_or_default(),
        full_feature_names: request.full_feature_names,
        with_versions: request.include_feature_view_version_metadata,
    };
    Asked::new(shared, &selection, &request.entities.frame()?)
}
