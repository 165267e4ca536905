//! `POST /materialize` and `POST /materialize-incremental`.
//!
//! | Field | Of | Meaning |
//! |---|---|---|
//! | `start_ts`, `end_ts` | `/materialize` | rows from the one to the other, both included, as Feast has it |
//! | `end_ts` | `/materialize-incremental` | what is new, up to there |
//! | `feature_views` | both | which; all if it is null |
//! | `disable_event_timestamp` | `/materialize` | all rows up to now; the window is left out |
//! | `?async=true` | both | 202 at once, and the work goes on |
//! | `?force=true` | both, with `async` | also if the view is being materialized |
//!
//! An instant without an offset is UTC.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use fs_core::time::parse_micros;
use fs_core::{EventTime, TimeRange, ViewName};
use serde::Deserialize;

use super::respond;
use crate::Error;
use crate::call::CallContext;
use crate::feast::jobs::Asked;
use crate::feast::writing::find_view;
use crate::feast::{FeastError, json};
use crate::http::read_body;
use crate::shared::Shared;

/// How it is to be done.
#[derive(Debug, Deserialize)]
pub(super) struct Manner {
    #[serde(default, rename = "async")]
    in_background: bool,
    #[serde(default)]
    force: bool,
}

/// What both paths take; what Feast's clients send beyond that makes no difference here.
#[derive(Debug, Deserialize)]
struct Request {
    start_ts: Option<String>,
    end_ts: Option<String>,
    feature_views: Option<Vec<String>>,
    #[serde(default)]
    disable_event_timestamp: bool,
    version: Option<String>,
}

pub(super) async fn window(
    State(shared): State<Arc<Shared>>,
    Query(manner): Query<Manner>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let run = run(&shared, manner, body, |shared, request| {
        request.window(shared)
    });
    let context = CallContext::from_headers(&headers);
    respond(shared.job("POST /materialize", &context, run).await)
}

pub(super) async fn incremental(
    State(shared): State<Arc<Shared>>,
    Query(manner): Query<Manner>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let run = run(&shared, manner, body, |_, request| {
        Ok(Asked::UpTo(instant("end_ts", request.end_ts.as_deref())?))
    });
    let context = CallContext::from_headers(&headers);
    respond(
        shared
            .job("POST /materialize-incremental", &context, run)
            .await,
    )
}

async fn run(
    shared: &Shared,
    manner: Manner,
    body: Body,
    asked: impl FnOnce(&Shared, &Request) -> Result<Asked, FeastError> + Send,
) -> Result<Response, Error> {
    let body = read_body(body, &shared.limits).await?;
    let request: Request = json::read(&body).map_err(FeastError::Body)?;
    if request.version.is_some() {
        return Err(FeastError::Version.into());
    }
    let asked = asked(shared, &request)?;
    let snapshot = shared.live.snapshot()?;
    let catalog = Arc::clone(&snapshot.catalog);
    let views = match &request.feature_views {
        None => catalog.feature_views.keys().cloned().collect(),
        Some(names) => names
            .iter()
            .map(|name| Ok(find_view(&catalog, name)?.name.clone()))
            .collect::<Result<Vec<ViewName>, FeastError>>()?,
    };
    let force = manner.in_background && manner.force;
    let reserved = shared.jobs.reserve(views, force)?;
    let told = serde_json::json!({ "status": "accepted", "feature_views": reserved.views() });
    let job = shared.jobs.start(reserved, catalog, asked)?;
    if manner.in_background {
        return Ok((StatusCode::ACCEPTED, Json(told)).into_response());
    }
    job.await??;
    Ok(Json(()).into_response())
}

impl Request {
    fn window(&self, shared: &Shared) -> Result<Asked, FeastError> {
        let (start, end) = if self.disable_event_timestamp {
            (EventTime::from_micros(0), shared.clock.now())
        } else {
            let start = instant("start_ts", self.start_ts.as_deref())?;
            (start, instant("end_ts", self.end_ts.as_deref())?)
        };
        let range = TimeRange::new(start, end).map_err(FeastError::EmptyWindow)?;
        // The end itself is part of the window, and the end of ours is not.
        let end = EventTime::from_micros(end.as_micros().saturating_add(1));
        let range = TimeRange::new(start, end).unwrap_or(range);
        Ok(Asked::Window(range))
    }
}

fn instant(field: &'static str, text: Option<&str>) -> Result<EventTime, FeastError> {
    let text = text.ok_or(FeastError::NoInstant { field })?;
    let micros = parse_micros(text).map_err(|source| FeastError::Instant { field, source })?;
    Ok(EventTime::from_micros(micros))
}
