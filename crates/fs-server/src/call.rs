//! One call, whichever wire brought it.
//!
//! ```text
//!   arrived ─► admission ─► work, until the deadline or the cut-off ─► counted, timed, logged
//!                 └─ RESOURCE_EXHAUSTED, and when to try again
//! ```
//!
//! | Through | For | Admission | Deadline |
//! |---|---|---|---|
//! | [`Shared::call`] | lookups of feature vectors | as many as can be answered in time | the client's, at most `request_time` |
//! | [`Shared::write`] | pushed rows | `writes_in_flight` | the client's, at most `write_time` |
//! | [`Shared::job`] | work that takes as long as it takes: a materialization, a training set | none | the client's |
//!
//! The deadline counts from the arrival of the request's headers, which [`Arrived`] remembers. A
//! call whose client goes away is dropped with its work, gives back its place, and is counted as
//! `CANCELLED`. A call costs a microsecond or two: metrics are at hand, nothing is formatted unless
//! it is said, and a span is made only where somebody listens.

mod arrival;
mod deadline;
mod request_id;

use std::future::Future;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue};
use fs_core::code::report;
use fs_core::{Code, Coded};
use tokio::time::timeout_at;
use tonic::metadata::MetadataMap;
use tracing::{Instrument, Span};

pub(crate) use self::arrival::Arrived;
pub(crate) use self::request_id::{REQUEST_ID, give as give_request_id};
use crate::Error;
use crate::admission::{Ended, Place};
use crate::shared::Shared;
use crate::telemetry::{Measured, adopt, parent, trace_id};

/// What a client says about its call, apart from what it asks for.
#[derive(Debug, Clone)]
pub(crate) struct CallContext {
    request_id: HeaderValue,
    arrived: Instant,
    /// How long the client waits, counted from the arrival.
    patience: Option<Duration>,
    /// Where the client's trace is, if traces are on.
    parent: Option<Box<HeaderMap>>,
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
            arrived: arrival::read(),
            patience: deadline::of(headers),
            parent: parent(headers),
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
        let begun = Begun::new(self, method, context, Kind::Lookup);
        let allowed = Some(self.limits.request_time);
        begun.run(self.admission.lookup(), allowed, work).await
    }

    /// Takes rows: admitted, within its deadline, measured.
    pub(crate) async fn write<T>(
        &self,
        method: &'static str,
        context: &CallContext,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let begun = Begun::new(self, method, context, Kind::Other);
        let allowed = Some(self.limits.write_time);
        begun.run(self.admission.write(), allowed, work).await
    }

    /// Does what takes long: measured, and ended when the server ends.
    pub(crate) async fn job<T>(
        &self,
        method: &'static str,
        context: &CallContext,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let begun = Begun::new(self, method, context, Kind::Other);
        begun.run(Ok(()), None, work).await
    }

    /// Room for an answer of `rows` times `features` values, for as long as the place is held.
    pub(crate) fn room(&self, rows: usize, features: usize) -> Result<Place<'_>, Error> {
        let limit = self.limits.rows;
        if rows > limit {
            return Err(Error::TooManyRows { rows, limit });
        }
        let (values, limit) = (rows.saturating_mul(features), self.limits.values);
        if values > limit {
            return Err(Error::TooManyValues {
                rows,
                features,
                values,
                limit,
            });
        }
        self.admission.values(values)
    }
}

/// Whether admission learns from the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Lookup,
    Other,
}

/// A call that has begun; dropped before its end, it was cancelled.
struct Begun<'a> {
    shared: &'a Shared,
    method: &'static str,
    context: &'a CallContext,
    kind: Kind,
    ended: bool,
}

impl<'a> Begun<'a> {
    const fn new(
        shared: &'a Shared,
        method: &'static str,
        context: &'a CallContext,
        kind: Kind,
    ) -> Self {
        Self {
            shared,
            method,
            context,
            kind,
            ended: false,
        }
    }

    async fn run<T, P: Send>(
        mut self,
        place: Result<P, Error>,
        allowed: Option<Duration>,
        work: impl Future<Output = Result<T, Error>> + Send,
    ) -> Result<T, Error> {
        let span = self.span();
        let outcome = match place {
            Err(shed) => Err(shed),
            Ok(_place) => {
                let work = self.shared.until_cutoff(work).instrument(span.clone());
                match self.context.patience(allowed) {
                    None => work.await,
                    Some(after) => timeout_at((self.context.arrived + after).into(), work)
                        .await
                        .unwrap_or(Err(Error::Timeout { after })),
                }
            }
        };
        self.end(&outcome, &span);
        outcome
    }

    fn span(&self) -> Span {
        let span = tracing::debug_span!(
            "request",
            otel.name = self.method,
            otel.kind = "server",
            method = self.method,
            request_id = self.context.request_id(),
            code = tracing::field::Empty,
            otel.status_code = tracing::field::Empty,
        );
        if !span.is_disabled() {
            adopt(&span, self.context.parent.as_deref());
        }
        span
    }

    fn end<T>(&mut self, outcome: &Result<T, Error>, span: &Span) {
        self.ended = true;
        let how = match outcome {
            Ok(_) => Measured::Ok,
            Err(error) => Measured::Failed(error.code()),
        };
        let took = self.count(how);
        if !span.is_disabled() {
            span.record("code", how.name());
            if let Measured::Failed(_) = how {
                span.record("otel.status_code", "ERROR");
            }
        }
        if let Err(error) = outcome {
            self.say(error, how, took, span);
        } else {
            tracing::debug!(
                request_id = self.context.request_id(),
                method = self.method,
                code = how.name(),
                took_us = micros(took),
                "answered"
            );
        }
    }

    fn count(&self, how: Measured) -> Duration {
        let now = Instant::now();
        let took = now.saturating_duration_since(self.context.arrived);
        self.shared.calls.ended(self.method, took, how);
        if self.kind == Kind::Lookup {
            let ended = match how {
                Measured::Ok => Ended::Answered,
                Measured::Cancelled | Measured::Failed(Code::DeadlineExceeded) => Ended::GivenUp,
                Measured::Failed(_) => Ended::Otherwise,
            };
            let arrived = self.context.arrived;
            self.shared.admission.learn(arrived, now, ended);
        }
        took
    }

    /// A line for a call that failed: `warn` if it is for whoever runs the server, `info` if it is
    /// for whoever asked.
    fn say(&self, error: &Error, how: Measured, took: Duration, span: &Span) {
        macro_rules! line {
            ($level:ident) => {
                if tracing::enabled!(tracing::Level::$level)
                    && let Some(left_out) = self.shared.failures.next(Instant::now())
                {
                    tracing::event!(
                        tracing::Level::$level,
                        request_id = self.context.request_id(),
                        method = self.method,
                        code = how.name(),
                        took_us = micros(took),
                        trace_id = trace_id(span).map(tracing::field::display),
                        left_out = (left_out > 0).then_some(left_out),
                        error = report(error),
                        "a request failed"
                    );
                }
            };
        }
        match error.code() {
            Code::Internal | Code::Unavailable | Code::DeadlineExceeded => line!(WARN),
            _ => line!(INFO),
        }
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.count(Measured::Cancelled);
        }
    }
}
