//! `fs.v1.FeatureStore`.
//!
//! The answers to lookups are written straight from packed rows, which a generated server cannot
//! send: the calls are told apart here, by their paths.

mod answer;
mod codec;
mod entities;
mod lookup;
mod message;
mod push;
mod route;
mod stream;

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use fs_proto::v1::{GetServingInfoRequest, GetServingInfoResponse};
use futures::future::BoxFuture;
use tonic::body::Body;
use tonic::codegen::{Body as HttpBody, Service, StdError, http};
use tonic::server::NamedService;
use tonic::{Request, Response, Status};

pub(crate) use self::answer::Answer;
use self::route::{lookups, streamed_lookups, unary, unimplemented};
use crate::shared::Shared;

/// The service.
#[derive(Debug, Clone)]
pub(crate) struct FeatureStore(Arc<Shared>);

/// The service, over what every handler shares.
pub(crate) const fn service(shared: Arc<Shared>) -> FeatureStore {
    FeatureStore(shared)
}

impl NamedService for FeatureStore {
    const NAME: &'static str = fs_proto::SERVICE;
}

impl<B> Service<http::Request<B>> for FeatureStore
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
            "/fs.v1.FeatureStore/GetOnlineFeatures" => lookups(shared, request),
            "/fs.v1.FeatureStore/GetOnlineFeaturesStream" => streamed_lookups(shared, request),
            "/fs.v1.FeatureStore/GetServingInfo" => unary(shared, request, get_serving_info),
            "/fs.v1.FeatureStore/Push" => unary(shared, request, push::push),
            _ => unimplemented(),
        }
    }
}

async fn get_serving_info(
    shared: Arc<Shared>,
    _: Request<GetServingInfoRequest>,
) -> Result<Response<GetServingInfoResponse>, Status> {
    let live = &shared.live;
    Ok(Response::new(GetServingInfoResponse {
        project: live.project().to_string(),
        registry_version: live.version().unwrap_or(0),
        server_version: env!("CARGO_PKG_VERSION").to_owned(),
    }))
}
