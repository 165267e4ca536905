//! Feast's services over gRPC.
//!
//! Their answers are bytes already, which the generated servers cannot send: the calls are told apart
//! here, by their paths.

mod read;
mod unary;
mod write;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use tonic::body::Body;
use tonic::codegen::{Body as HttpBody, Service, StdError, http};
use tonic::server::NamedService;

use self::unary::{unary, unimplemented};
use crate::shared::Shared;

/// `feast.serving.ServingService`: reading.
#[derive(Debug, Clone)]
pub(crate) struct ServingService(Arc<Shared>);

/// `GrpcFeatureServer`: reading and writing.
#[derive(Debug, Clone)]
pub(crate) struct FeatureServer(Arc<Shared>);

pub(crate) const fn serving_service(shared: Arc<Shared>) -> ServingService {
    ServingService(shared)
}

pub(crate) const fn feature_server(shared: Arc<Shared>) -> FeatureServer {
    FeatureServer(shared)
}

impl NamedService for ServingService {
    const NAME: &'static str = fs_proto::feast::SERVING_SERVICE;
}

impl NamedService for FeatureServer {
    const NAME: &'static str = fs_proto::feast::FEATURE_SERVER;
}

impl<B> Service<http::Request<B>> for ServingService
where
    B: HttpBody + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let shared = Arc::clone(&self.0);
        match request.uri().path() {
            "/feast.serving.ServingService/GetOnlineFeatures" => {
                unary(shared, request, read::get_online_features)
            }
            "/feast.serving.ServingService/GetFeastServingInfo" => {
                unary(shared, request, read::get_feast_serving_info)
            }
            _ => unimplemented(),
        }
    }
}

impl<B> Service<http::Request<B>> for FeatureServer
where
    B: HttpBody + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let shared = Arc::clone(&self.0);
        match request.uri().path() {
            "/GrpcFeatureServer/GetOnlineFeatures" => {
                unary(shared, request, read::get_online_features)
            }
            "/GrpcFeatureServer/Push" => unary(shared, request, write::push),
            "/GrpcFeatureServer/WriteToOnlineStore" => {
                unary(shared, request, write::write_to_online_store)
            }
            _ => unimplemented(),
        }
    }
}
