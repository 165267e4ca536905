//! The wires of Feast, so that its clients read and write here without a change.
//!
//! | Wire | Where |
//! |---|---|
//! | HTTP | `POST /get-online-features`, `/push`, `/write-to-online-store`, `/materialize`, `/materialize-incremental` |
//! | gRPC | `feast.serving.ServingService`, `GrpcFeatureServer` |
//!
//! A request goes the way of our own: [`Given`](given::Given) values become typed key columns or rows,
//! [`Answer`](answer::Answer)s are written from the packed rows. Names, numbers and shapes are Feast's.
//! Where its server departs from what its proto documents (statuses, the order of features, the ttl), we
//! answer as documented.

mod answer;
mod column;
mod entities;
mod error;
mod frame;
mod given;
mod grpc;
mod http;
mod jobs;
mod online;
mod refusal;
mod rows;
mod targets;

use axum::http::HeaderMap;

pub use error::FeastError;
pub(crate) use grpc::{feature_server, serving_service};
pub(crate) use http::router;
pub(crate) use jobs::Jobs;

/// What a client calls its write, so that it counts once: the header, or metadata, `idempotency-key`.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, FeastError> {
    const LONGEST: usize = 256;
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    let fits = (1..=LONGEST).contains(&key.len());
    let text = key.to_str().ok().filter(|_| fits);
    text.map(Some).ok_or(FeastError::BadKey)
}
