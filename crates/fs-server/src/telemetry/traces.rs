//! Traces over OTLP, off unless they are asked for.
//!
//! ```text
//!   traceparent of the client ─► request ─► plan, store, assemble      spans of `tracing`
//!                                   └──► Traces::layer ─► batches ─► OTLP/gRPC collector
//! ```
//!
//! Spans of a request are `debug` spans. Where no layer wants them, `tracing` knows that a place in
//! the code is of no interest to anybody, and passing it is one comparison.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{TraceContextExt, TracerProvider};
use opentelemetry::{Context, KeyValue, TraceId};
use opentelemetry_otlp::{SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::{Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::registry::LookupSpan;

use crate::Error;

/// How long the collector may take to accept spans, at the end, too.
const PATIENCE: Duration = Duration::from_secs(5);

/// Whose spans are sent: not those of libraries.
const TARGETS: [&str; 4] = [
    "fs_server",
    "fs_serving",
    "fs_online_redis",
    "fs_materialize",
];

/// Whether the callers' traces are to be continued.
static IS_ON: AtomicBool = AtomicBool::new(false);

/// Where traces go, and how many.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceOptions {
    /// The collector: `http://127.0.0.1:4317`.
    pub endpoint: String,
    /// What the collector calls this process.
    pub service_name: String,
    /// The part of new traces that is sent, from 0 to 1. A trace that a client began goes on as the
    /// client decided.
    pub sampled: f64,
}

/// Traces on their way to a collector.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// Sends traces from now on; needs a Tokio runtime. A collector that is away is no error: what
    /// cannot be sent is dropped, and logged.
    pub fn to(options: &TraceOptions) -> Result<Self, Error> {
        let exporter = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(&options.endpoint)
            .with_timeout(PATIENCE)
            .build()
            .map_err(|source| Error::Traces {
                endpoint: options.endpoint.clone(),
                source,
            })?;
        let sampler = Sampler::TraceIdRatioBased(options.sampled.clamp(0.0, 1.0));
        let resource = Resource::builder()
            .with_service_name(options.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(sampler)))
            .with_resource(resource)
            .build();
        IS_ON.store(true, Ordering::Relaxed);
        Ok(Self { provider })
    }

    /// What has to be among the layers of the subscriber.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static
    where
        S: Subscriber + for<'a> LookupSpan<'a> + Send + Sync,
    {
        let targets = TARGETS.map(|target| (target, LevelFilter::DEBUG));
        tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("fs"))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_filter(Targets::new().with_targets(targets))
    }

    /// Sends what has not been sent yet. Blocks until it is, or for some seconds.
    pub fn finish(&self) {
        if let Err(error) = self.provider.shutdown_with_timeout(PATIENCE) {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// Makes `span` go on where the client's trace is, if it has one.
pub(crate) fn adopt(span: &Span, headers: Option<&HeaderMap>) {
    let Some(headers) = headers else { return };
    let context = TraceContextPropagator::new().extract(&Headers(headers));
    // Nobody listens: then there is nothing to go on with.
    span.set_parent(context).ok();
}

/// The headers that say where the client's trace is.
pub(crate) fn parent(headers: &HeaderMap) -> Option<Box<HeaderMap>> {
    if !IS_ON.load(Ordering::Relaxed) || !headers.contains_key("traceparent") {
        return None;
    }
    let named = ["traceparent", "tracestate"].into_iter();
    let found = named.filter_map(|name| Some((name.parse().ok()?, headers.get(name)?.clone())));
    Some(Box::new(found.collect()))
}

/// The trace that the present span belongs to.
pub(crate) fn trace_id(span: &Span) -> Option<TraceId> {
    if span.is_disabled() || !IS_ON.load(Ordering::Relaxed) {
        return None;
    }
    let context: Context = span.context();
    let trace = context.span().span_context().trace_id();
    (trace != TraceId::INVALID).then_some(trace)
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(axum::http::HeaderName::as_str).collect()
    }
}
