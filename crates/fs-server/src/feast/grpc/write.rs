//! `Push` and `WriteToOnlineStore`: one row a call.

use std::sync::Arc;

use bytes::Bytes;
use fs_proto::feast::grpc::{
    PushRequest, PushResponse, WriteToOnlineStoreRequest, WriteToOnlineStoreResponse,
};
use prost::Message as _;
use tonic::{Request, Status};

use crate::call::CallContext;
use crate::feast::frame::Frame;
use crate::feast::idempotency_key;
use crate::feast::writing::Writing;
use crate::shared::Shared;

pub(super) async fn push(
    shared: Arc<Shared>,
    request: Request<PushRequest>,
) -> Result<Bytes, Status> {
    let context = CallContext::from_metadata(request.metadata());
    let (metadata, _, request) = request.into_parts();
    let work = async {
        let key = idempotency_key(metadata.as_ref())?;
        let frame = Frame::of_row(&request.features, &request.typed_features)?;
        let source = &request.stream_feature_view;
        let writing = Writing::push(&shared, source, &request.to, &frame)?;
        writing.write(&shared, key).await
    };
    shared.write("feast.Push", &context, work).await?;
    Ok(PushResponse { status: true }.encode_to_vec().into())
}

pub(super) async fn write_to_online_store(
    shared: Arc<Shared>,
    request: Request<WriteToOnlineStoreRequest>,
) -> Result<Bytes, Status> {
    let context = CallContext::from_metadata(request.metadata());
    let (metadata, _, request) = request.into_parts();
    let work = async {
        let key = idempotency_key(metadata.as_ref())?;
        let frame = Frame::of_row(&request.features, &request.typed_features)?;
        let writing = Writing::to_online_store(&shared, &request.feature_view_name, &frame)?;
        writing.write(&shared, key).await
    };
    shared
        .write("feast.WriteToOnlineStore", &context, work)
        .await?;
    Ok(WriteToOnlineStoreResponse { status: true }
        .encode_to_vec()
        .into())
}
