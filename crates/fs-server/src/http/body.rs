//! Bodies of requests, and statuses of answers.

use axum::body::{Body, Bytes, to_bytes};
use axum::http::StatusCode;
use fs_core::Coded;
use tokio::time::timeout;

use crate::{Error, Limits};

/// The whole body of a request, within the limits on its size and on the client's time.
pub(crate) async fn read_body(body: Body, limits: &Limits) -> Result<Bytes, Error> {
    let (limit, after) = (limits.message_bytes, limits.client_time);
    match timeout(after, to_bytes(body, limit)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_large(&error) => Err(Error::BodyTooLarge { limit }),
        Ok(Err(error)) => Err(Error::Body(error)),
        Err(_elapsed) => Err(Error::Stalled {
            step: "send its request",
            after,
        }),
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.to_string() == "length limit exceeded" {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The HTTP status of an error: that of its code, but 413 for what is too large to be tried again.
pub(crate) fn status_of(error: &Error) -> StatusCode {
    let status = if error.is_too_large() {
        return StatusCode::PAYLOAD_TOO_LARGE;
    } else {
        error.code().http()
    };
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
