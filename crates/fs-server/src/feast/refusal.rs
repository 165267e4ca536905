//! An error in the shape in which Feast's HTTP server gives it.
//!
//! | Error | Status | Body |
//! |---|---|---|
//! | a body that is not what the path takes | 422 | `{"detail": [{"type", "loc", "msg"}]}` |
//! | views that are being materialized | 409 | `{"error", "feature_views"}` |
//! | all others | below | a JSON string that holds JSON: `"{\"module\": …, \"class\": …, \"message\": …}"` |
//!
//! The status is that of the [`Code`], with one exception: what will fail again however often it is
//! tried has a status from 400 to 428, because Feast's clients repeat a request three times after
//! 429, 500, 502, 503 and 504, and then hide what it was.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use fs_core::code::report;
use fs_core::{Code, Coded, SelectionError};
use serde::Serialize;
use serde_json::json;

use super::FeastError;
use crate::Error;
use crate::http::status_of;

/// The response for `error`.
pub(super) fn refusal(error: &Error) -> Response {
    let (status, message) = (status(error), report(error));
    if status == StatusCode::INTERNAL_SERVER_ERROR {
        tracing::error!(error = message, "a request failed");
    }
    match error {
        Error::Feast(FeastError::Body(cause)) => {
            let kind = if cause.is_syntax() {
                "json_invalid"
            } else {
                "value_error"
            };
            let detail = [json!({ "type": kind, "loc": ["body"], "msg": message })];
            (status, Json(json!({ "detail": detail }))).into_response()
        }
        Error::Feast(FeastError::Busy { views }) => {
            let body = json!({ "error": message, "feature_views": views });
            (status, Json(body)).into_response()
        }
        Error::Overloaded { again_in } => {
            let seconds = HeaderValue::from(again_in.as_secs().max(1));
            let body = Detail::of(error, message);
            (status, [(header::RETRY_AFTER, seconds)], body).into_response()
        }
        _ => (status, Detail::of(error, message)).into_response(),
    }
}

/// What Feast's clients turn back into an exception.
#[derive(Debug, Serialize)]
struct Detail {
    module: &'static str,
    class: &'static str,
    message: String,
}

impl Detail {
    fn of(error: &Error, message: String) -> Json<String> {
        let detail = Self {
            module: "feast.errors",
            class: class(error),
            message,
        };
        // Three texts are JSON, whatever they are.
        Json(serde_json::to_string(&detail).unwrap_or_default())
    }
}

/// The exception that a Python client raises.
fn class(error: &Error) -> &'static str {
    match error {
        Error::Serving(fs_serving::Error::Selection(selection)) => match selection.as_ref() {
            SelectionError::UnknownService { .. } => "FeatureServiceNotFoundException",
            SelectionError::UnknownView { .. } => "FeatureViewNotFoundException",
            SelectionError::UnknownFeature { .. } => "FeastObjectNotFoundException",
            SelectionError::NameClash { .. } => "FeatureNameCollisionError",
            _ => "FeastError",
        },
        Error::Feast(FeastError::UnknownView { .. }) => "FeatureViewNotFoundException",
        Error::Push(error) if is_no_push_source(error) => "PushSourceNotFoundException",
        _ => "FeastError",
    }
}

const fn is_no_push_source(error: &fs_materialize::Error) -> bool {
    matches!(
        error,
        fs_materialize::Error::UnknownTarget { .. } | fs_materialize::Error::NoViewOfSource { .. }
    )
}

fn status(error: &Error) -> StatusCode {
    match error {
        Error::Feast(FeastError::Body(_)) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::Push(error) if is_no_push_source(error) => StatusCode::UNPROCESSABLE_ENTITY,
        Error::Stalled { .. } => StatusCode::REQUEST_TIMEOUT,
        error if error.code() == Code::Unimplemented => StatusCode::UNPROCESSABLE_ENTITY,
        error => status_of(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_again_is_never_tried_again_by_a_client_of_feast() {
        let repeated = [429, 500, 502, 503, 504];
        for error in [
            Error::Selection,
            Error::TooManyRows { rows: 2, limit: 1 },
            Error::BodyTooLarge { limit: 1 },
            FeastError::NoRows.into(),
            FeastError::Version.into(),
        ] {
            let status = refusal(&error).status().as_u16();
            assert!(!repeated.contains(&status), "{error}: {status}");
        }
        let overloaded = Error::Overloaded {
            again_in: std::time::Duration::from_millis(5),
        };
        let response = refusal(&overloaded);
        assert_eq!(response.status(), 429);
        assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    }
}
