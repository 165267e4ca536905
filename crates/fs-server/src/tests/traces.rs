//! Traces, as a collector gets them.

use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};
use tracing_subscriber::layer::SubscriberExt;

use super::fixture::{Running, ask, running, service};
use crate::{TraceOptions, Traces};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "b7ad6b7169203331";

/// Keeps what it is sent.
#[derive(Debug, Clone, Default)]
struct Collector(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// A collector that listens, and its address.
    async fn start(&self) -> (String, AbortOnDropHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let service = TraceServiceServer::new(self.clone());
        let serving = async move {
            let server = tonic::transport::Server::builder().add_service(service);
            let incoming = TcpIncoming::from(listener);
            server.serve_with_incoming(incoming).await.unwrap();
        };
        (address, AbortOnDropHandle::new(tokio::spawn(serving)))
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.0.lock().unwrap();
        let resources = requests.iter().flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        scopes.flat_map(|scope| scope.spans.clone()).collect()
    }

    fn service_name(&self) -> String {
        let requests = self.0.lock().unwrap();
        let resource = requests[0].resource_spans[0].resource.as_ref().unwrap();
        let name = resource.attributes.iter();
        let mut name = name.filter(|attribute| attribute.key == "service.name");
        text(name.next().unwrap().value.as_ref())
    }
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        other => format!("{other:?}"),
    }
}

fn attribute(span: &Span, name: &str) -> String {
    let found = span.attributes.iter().find(|found| found.key == name);
    let found = found.unwrap_or_else(|| panic!("{name} is not in {span:?}"));
    text(found.value.as_ref())
}

fn hex(bytes: &[u8]) -> String {
    let digits = |byte: &u8| [byte >> 4, byte & 15];
    let digits = bytes.iter().flat_map(digits).map(u32::from);
    digits
        .filter_map(|digit| char::from_digit(digit, 16))
        .collect()
}

/// What a collector gets of `sampled` of the traces while `work` is done.
async fn collected(sampled: f64, work: impl AsyncFnOnce(&Running)) -> Collector {
    let collector = Collector::default();
    let (endpoint, _serving) = collector.start().await;
    let options = TraceOptions {
        endpoint,
        service_name: "flights".to_owned(),
        sampled,
    };
    let traces = Arc::new(Traces::to(&options).unwrap());
    let subscriber = tracing_subscriber::registry().with(traces.layer());
    // `tracing` takes an only subscriber for that of all threads, and lets other tests beside this
    // one decide which spans anybody wants.
    let _another = tracing::Dispatch::new(tracing_subscriber::registry());
    {
        let _subscriber = tracing::subscriber::set_default(subscriber);
        let running = running().await;
        work(&running).await;
    }
    // As at the end of the process, beside a runtime that still runs.
    let finished = tokio::task::spawn_blocking(move || traces.finish());
    finished.await.unwrap();
    collector
}

/// Asks for a service, as a client that has a trace already.
async fn ask_traced(running: &Running, name: &str, sampled: bool) {
    let mut request = Request::new(ask(service(name), &["EWR"]));
    let metadata = request.metadata_mut();
    let flags = u8::from(sampled);
    let parent = format!("00-{TRACE}-{CALLER}-{flags:02x}");
    metadata.insert("traceparent", parent.parse().unwrap());
    metadata.insert("x-request-id", "order-7".parse().unwrap());
    running.client().get_online_features(request).await.ok();
}

#[tokio::test]
async fn the_trace_of_the_caller_goes_on_through_the_stages_of_its_request() {
    let work = async |running: &Running| ask_traced(running, "model", true).await;
    let collector = collected(1.0, work).await;
    let spans = collector.spans();
    let named = |name: &str| {
        let found = spans.iter().find(|span| span.name == name);
        found.unwrap_or_else(|| panic!("no {name} among {spans:#?}"))
    };
    let request = named("GetOnlineFeatures");
    assert_eq!(hex(&request.trace_id), TRACE);
    assert_eq!(hex(&request.parent_span_id), CALLER);
    assert_eq!(attribute(request, "request_id"), "order-7");
    assert_eq!(attribute(request, "code"), "OK");
    for stage in ["plan", "store", "assemble"] {
        let stage = named(stage);
        assert_eq!(hex(&stage.trace_id), TRACE);
        assert_eq!(stage.parent_span_id, request.span_id, "{stage:?}");
    }
    assert_eq!(collector.service_name(), "flights");
}

#[tokio::test]
async fn a_request_that_failed_is_a_span_that_says_so() {
    let work = async |running: &Running| ask_traced(running, "nothing", true).await;
    let collector = collected(1.0, work).await;
    let spans = collector.spans();
    let request = spans.iter().find(|span| span.name == "GetOnlineFeatures");
    let request = request.unwrap_or_else(|| panic!("{spans:#?}"));
    assert_eq!(attribute(request, "code"), "NOT_FOUND");
    let error = 2;
    assert_eq!(request.status.as_ref().unwrap().code, error);
}

#[tokio::test]
async fn only_a_part_of_the_traces_is_sent_but_what_the_caller_decided_stands() {
    let work = async |running: &Running| {
        let request = ask(service("model"), &["EWR"]);
        running.client().get_online_features(request).await.unwrap();
        ask_traced(running, "model", false).await;
        ask_traced(running, "model", true).await;
    };
    let spans = collected(0.0, work).await.spans();
    assert!(
        spans.iter().all(|span| hex(&span.trace_id) == TRACE),
        "{spans:#?}"
    );
    let requests = spans.iter().filter(|span| span.name == "GetOnlineFeatures");
    assert_eq!(requests.count(), 1);
}
