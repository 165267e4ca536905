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
mod json;
mod online;
mod refusal;
mod rows;
mod writing;

use axum::http::{HeaderMap, HeaderValue};

pub use error::FeastError;
pub(crate) use grpc::{feature_server, serving_service};
pub(crate) use http::router;
pub(crate) use jobs::Jobs;
pub use json::JsonError;

/// What a client calls its write, so that it counts once: the header, or metadata, `idempotency-key`.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, FeastError> {
    let key = headers.get("idempotency-key").map(HeaderValue::to_str);
    key.transpose().map_err(FeastError::BadKey)
}
