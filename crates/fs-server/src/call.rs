//! One call, whichever wire brought it.
//!
//! ```text
//!   arrived ─► admission ─► work, until the deadline or the cut-off ─► counted, timed, logged
//!                 └─ RESOURCE_EXHAUSTED, and when to try again
//! ```
//!
//! | Through | For | Admission | Deadline |
//! |---|---|---|---|
//! | [`Shared::call`] | lookups of feature vectors | in flight, sized by what calls take | the client's, at most `request_time` |
//! | [`Shared::write`] | pushed rows | in flight, without counting for that size | the client's, at most `write_time` |
//! | [`Shared::job`] | work that takes as long as it takes: a materialization | none | the client's |
//!
//! A call whose client goes away is dropped with its work, gives back its place, and is counted as
//! `CANCELLED`. A call costs a microsecond or two: handles of metrics are kept, nothing is formatted
//! unless it is said.

mod deadline;
mod request_id;

use std::future::Future;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue};
use tokio::time::timeout_at;
use tonic::metadata::MetadataMap;

pub(crate) use self::request_id::REQUEST_ID;
use crate::Error;
use crate::shared::Shared;

/// What a client says about its call, apart from what it asks for.
#[derive(Debug, Clone)]
pub(crate) struct CallContext {
    request_id: HeaderValue,
    arrived: Instant,
    /// How long the client waits, counted from the arrival.
    patience: Option<Duration>,
}

impl CallContext {
    /// The context of a gRPC call.
    pub(crate) fn from_metadata(metadata: &MetadataMap) -> Self {
        Self::from_headers(metadata.as_ref())
    }

    /// The context of an HTTP request; `grpc-timeout` counts there, too.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        Self {
            request_id: request_id::of(headers),
            arrived: Instant::now(),
            patience: deadline::of(headers),
        }
    }

    /// The `x-request-id` of the client, or the one it was given.
    pub(crate) fn request_id(&self) -> &str {
        self.request_id.to_str().unwrap_or_default()
    }

    /// How long the call may take, counted from its arrival.
    fn patience(&self, allowed: Option<Duration>) -> Option<Duration> {
        match (self.patience, allowed) {
            (Some(client), Some(server)) => Some(client.min(server)),
            (patience, None) | (None, patience) => patience,
        }
    }
}

impl Shared {
    /// Answers a lookup: admitted, within its deadline, measured.
    pub(crate) async fn call<T>(
        &self,
        method: &'static str,
        context: &CallContext,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let allowed = Some(self.limits.request_time);
        self.run(method, context, allowed, work).await
    }

    /// Takes rows: admitted, within its deadline, measured.
    pub(crate) async fn write<T>(
        &self,
        method: &'static str,
        context: &CallContext,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let allowed = Some(self.limits.write_time);
        self.run(method, context, allowed, work).await
    }

    /// Does what takes long: measured, and ended when the server ends.
    pub(crate) async fn job<T>(
        &self,
        method: &'static str,
        context: &CallContext,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        self.run(method, context, None, work).await
    }

    async fn run<T>(
        &self,
        method: &'static str,
        context: &CallContext,
        allowed: Option<Duration>,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let work = self.until_cutoff(work);
        let outcome = match context.patience(allowed) {
            None => work.await,
            Some(after) => timeout_at((context.arrived + after).into(), work)
                .await
                .unwrap_or(Err(Error::Timeout { after })),
        };
        crate::telemetry::request(method, context.arrived, &outcome);
        outcome
    }
}
