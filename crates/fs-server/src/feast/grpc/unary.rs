//! A call with one request and one answer.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use prost::Message;
use tonic::body::Body;
use tonic::codegen::{Body as HttpBody, StdError, http};
use tonic::server::{Grpc, UnaryService};
use tonic::{Request, Response, Status};

use crate::encoded::EncodedCodec;
use crate::shared::Shared;

/// What becomes of an HTTP request.
type Answering = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

/// Reads a request, has it handled, and sends the bytes of its answer.
pub(super) fn unary<B, R, H, F>(
    shared: Arc<Shared>,
    request: http::Request<B>,
    handle: H,
) -> Answering
where
    B: HttpBody + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
    R: Message + Default + 'static,
    H: Fn(Arc<Shared>, Request<R>) -> F + Send + 'static,
    F: Future<Output = Result<Bytes, Status>> + Send + 'static,
{
    let limit = Some(shared.limits.message_bytes);
    let mut grpc =
        Grpc::new(EncodedCodec::<R>::default()).apply_max_message_size_config(limit, limit);
    let handler = Handler { shared, handle };
    async move { Ok(grpc.unary(handler, request).await) }.boxed()
}

/// The answer to a method that there is not.
pub(super) fn unimplemented() -> Answering {
    let status = Status::unimplemented("the service has no such method");
    ready(Ok(status.into_http())).boxed()
}

struct Handler<H> {
    shared: Arc<Shared>,
    handle: H,
}

impl<R, H, F> UnaryService<R> for Handler<H>
where
    H: Fn(Arc<Shared>, Request<R>) -> F,
    F: Future<Output = Result<Bytes, Status>> + Send + 'static,
{
    type Response = Bytes;
    type Future = BoxFuture<'static, Result<Response<Bytes>, Status>>;

    fn call(&mut self, request: Request<R>) -> Self::Future {
        let handled = (self.handle)(Arc::clone(&self.shared), request);
        handled.map(|outcome| outcome.map(Response::new)).boxed()
    }
}
