//! `GetOnlineFeatures`, which both services have, and `GetFeastServingInfo`.

use std::sync::Arc;

use bytes::Bytes;
use fs_proto::feast::serving::get_online_features_request::Kind;
use fs_proto::feast::serving::{
    GetFeastServingInfoRequest, GetFeastServingInfoResponse, GetOnlineFeaturesRequest,
};
use prost::Message as _;
use tonic::{Request, Status};

use crate::Error;
use crate::call::CallContext;
use crate::feast::frame::Frame;
use crate::feast::online::{Asked, Selection};
use crate::off_runtime::off_runtime;
use crate::shared::Shared;

/// Answers of more values than this are encoded off the runtime's threads.
const INLINE_VALUES: usize = 32_768;

pub(super) async fn get_online_features(
    shared: Arc<Shared>,
    request: Request<GetOnlineFeaturesRequest>,
) -> Result<Bytes, Status> {
    let context = CallContext::from_metadata(request.metadata());
    let answer = answer(&shared, request.get_ref());
    let answer = shared.call("feast.GetOnlineFeatures", &context, answer);
    Ok(answer.await?)
}

async fn answer(shared: &Shared, request: &GetOnlineFeaturesRequest) -> Result<Bytes, Error> {
    let (service, features) = match &request.kind {
        Some(Kind::FeatureService(name)) => (Some(name.as_str()), &[][..]),
        Some(Kind::Features(list)) => (None, list.val.as_slice()),
        None => return Err(Error::Selection),
    };
    let selection = Selection {
        service,
        features,
        full_feature_names: request.full_feature_names,
        with_versions: request.include_feature_view_version_metadata,
    };
    let entities = Frame::of_columns(&request.entities)?;
    let found = Asked::new(shared, &selection, &entities)?
        .find(shared)
        .await?;
    let bytes = if found.values() <= INLINE_VALUES {
        found.answer().protobuf()
    } else {
        off_runtime(async move { found.answer().protobuf() }).await?
    };
    Ok(bytes.into())
}

pub(super) async fn get_feast_serving_info(
    shared: Arc<Shared>,
    request: Request<GetFeastServingInfoRequest>,
) -> Result<Bytes, Status> {
    let context = CallContext::from_metadata(request.metadata());
    let info = async {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Ok(GetFeastServingInfoResponse { version })
    };
    let info = shared.call("feast.GetFeastServingInfo", &context, info);
    Ok(info.await?.encode_to_vec().into())
}
