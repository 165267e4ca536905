//! From a path to its handler.

use std::convert::Infallible;
use std::future::{Future, ready};
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use prost::Message;
use tonic::body::Body;
use tonic::codegen::{Body as HttpBody, BoxStream, StdError, http};
use tonic::server::{Grpc, StreamingService, UnaryService};
use tonic::{Request, Response, Status, Streaming};
use tonic_prost::ProstCodec;

use super::codec::{LookupCodec, Outgoing};
use super::message::OnlineRequest;
use super::{lookup, stream};
use crate::shared::Shared;

/// What becomes of an HTTP request.
type Answering = BoxFuture<'static, Result<http::Response<Body>, Infallible>>;

/// One request, one answer, both of them structs.
pub(super) fn unary<B, R, A, H, F>(
    shared: Arc<Shared>,
    request: http::Request<B>,
    handle: H,
) -> Answering
where
    B: HttpBody + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
    R: Message + Default + 'static,
    A: Message + 'static,
    H: Fn(Arc<Shared>, Request<R>) -> F + Send + 'static,
    F: Future<Output = Result<Response<A>, Status>> + Send + 'static,
{
    let limit = Some(shared.limits.message_bytes);
    let mut grpc =
        Grpc::new(ProstCodec::<A, R>::default()).apply_max_message_size_config(limit, limit);
    let handler = Unary { shared, handle };
    async move { Ok(grpc.unary(handler, request).await) }.boxed()
}

/// `GetOnlineFeatures`.
pub(super) fn lookups<B>(shared: Arc<Shared>, request: http::Request<B>) -> Answering
where
    B: HttpBody + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    let mut grpc = lookup_grpc(&shared);
    let handle = lookup::get_online_features;
    let handler = Unary { shared, handle };
    async move { Ok(grpc.unary(handler, request).await) }.boxed()
}

/// `GetOnlineFeaturesStream`.
pub(super) fn streamed_lookups<B>(shared: Arc<Shared>, request: http::Request<B>) -> Answering
where
    B: HttpBody + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    let mut grpc = lookup_grpc(&shared);
    async move { Ok(grpc.streaming(Streamed(shared), request).await) }.boxed()
}

/// The answer to a method that there is not.
pub(super) fn unimplemented() -> Answering {
    let status = Status::unimplemented("the service has no such method");
    ready(Ok(status.into_http())).boxed()
}

fn lookup_grpc(shared: &Shared) -> Grpc<LookupCodec> {
    let limit = Some(shared.limits.message_bytes);
    Grpc::new(LookupCodec).apply_max_message_size_config(limit, limit)
}

struct Unary<H> {
    shared: Arc<Shared>,
    handle: H,
}

impl<R, A, H, F> UnaryService<R> for Unary<H>
where
    H: Fn(Arc<Shared>, Request<R>) -> F,
    F: Future<Output = Result<Response<A>, Status>> + Send + 'static,
{
    type Response = A;
    type Future = F;

    fn call(&mut self, request: Request<R>) -> F {
        (self.handle)(Arc::clone(&self.shared), request)
    }
}

struct Streamed(Arc<Shared>);

impl StreamingService<OnlineRequest> for Streamed {
    type Response = Outgoing;
    type ResponseStream = BoxStream<Outgoing>;
    type Future = BoxFuture<'static, Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<Streaming<OnlineRequest>>) -> Self::Future {
        let answers = stream::get_online_features_stream(Arc::clone(&self.0), request);
        ready(Ok(Response::new(answers))).boxed()
    }
}
