//! Around every gRPC request: when it came, its id, and what is said about requests that no method
//! has read.
//!
//! | | What the client hears |
//! |---|---|
//! | any request | `x-request-id`: its own, or a new one |
//! | an unknown service or method | `UNIMPLEMENTED`, and where to look for what there is |
//! | a message that cannot be read, or is too large | tonic's own status |

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, HeaderValue, Request, Response};
use fs_core::Code;
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::service::Routes;

use crate::call::{Arrived, REQUEST_ID, give_request_id};
use crate::shared::Shared;
use crate::telemetry::Measured;

/// All gRPC services, and what is around them.
#[derive(Debug, Clone)]
pub(super) struct Edge {
    routes: Routes,
    shared: Arc<Shared>,
}

impl Edge {
    pub(super) fn new(routes: Routes, shared: Arc<Shared>) -> Self {
        let routes = routes.prepare();
        Self { routes, shared }
    }
}

/// What tonic does not give a name to outside.
type Routed = <Routes as Service<Request<Body>>>::Future;

impl Service<Request<Body>> for Edge {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<Body>>::poll_ready(&mut self.routes, context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Answer {
        Answer {
            request_id: give_request_id(request.headers_mut()),
            path: request.uri().path_and_query().cloned(),
            shared: self.shared.clone(),
            routed: Arrived::now(self.routes.call(request)),
        }
    }
}

/// The answer to one request.
#[derive(Debug)]
pub(super) struct Answer {
    request_id: HeaderValue,
    path: Option<PathAndQuery>,
    shared: Arc<Shared>,
    routed: Arrived<Routed>,
}

impl Future for Answer {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut response = ready!(Pin::new(&mut self.routed).poll(context))?;
        if !self.routed.was_read() {
            self.unread(response.headers_mut());
        }
        let id = self.request_id.clone();
        response.headers_mut().insert(REQUEST_ID, id);
        Poll::Ready(Ok(response))
    }
}

impl Answer {
    /// Counts what was refused without a handler of ours, and says what tonic does not.
    fn unread(&self, headers: &mut HeaderMap) {
        let Some(number) = headers.get(Status::GRPC_STATUS) else {
            return;
        };
        let number = number.to_str().ok().and_then(|number| number.parse().ok());
        let refused = Code::ALL
            .into_iter()
            .find(|code| Some(code.grpc()) == number);
        let Some(code) = refused else { return };
        self.shared.calls.unread(Measured::Failed(code));
        if code == Code::Unimplemented && !headers.contains_key(Status::GRPC_MESSAGE) {
            let path = self.path.as_ref().map_or("", PathAndQuery::path);
            let said = Status::unimplemented(format!(
                "there is no method {path}: ask the reflection service which there are"
            ));
            // What cannot be said in a header is left out.
            said.add_header(headers).ok();
        }
    }
}
