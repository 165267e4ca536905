//! `fs.v1.FeatureStore`.

mod answer;

use std::sync::Arc;
use std::time::Instant;

use fs_proto::v1::feature_store_server::{FeatureStore, FeatureStoreServer};
use fs_proto::v1::get_online_features_request::Selection;
use fs_proto::v1::{
    GetOnlineFeaturesRequest, GetOnlineFeaturesResponse, GetServingInfoRequest,
    GetServingInfoResponse, NamedColumn,
};
use fs_serving::EntityColumns;
use tokio::time::timeout;
use tonic::{Request, Response, Status};

use crate::off_runtime::off_runtime;
use crate::request::{feature_request, naming};
use crate::shared::Shared;
use crate::{Error, telemetry, wire};

/// Answers of more values than this are translated off the runtime's threads.
const INLINE_VALUES: usize = 32_768;

/// The service, with its message limits.
pub(crate) fn service(shared: Arc<Shared>) -> FeatureStoreServer<Service> {
    let bytes = shared.limits.message_bytes;
    FeatureStoreServer::new(Service { shared })
        .max_decoding_message_size(bytes)
        .max_encoding_message_size(bytes)
}

#[derive(Debug)]
pub(crate) struct Service {
    shared: Arc<Shared>,
}

impl Service {
    async fn answer(
        &self,
        request: GetOnlineFeaturesRequest,
    ) -> Result<GetOnlineFeaturesResponse, Error> {
        let snapshot = self.shared.live.snapshot()?;
        let (service, features) = match &request.selection {
            Some(Selection::FeatureService(name)) => (Some(name.as_str()), None),
            Some(Selection::Features(list)) => (None, Some(list.features.as_slice())),
            None => (None, None),
        };
        let features = feature_request(service, features)?;
        let naming = naming(request.full_feature_names);
        let serving = &self.shared.serving;
        let plan = serving.plan(&snapshot.catalog, snapshot.version, &features, naming)?;
        let entities = self.entities(request.entities)?;
        let vectors = serving.get(&plan, &entities).await?;

        let with_times = request.include_event_times;
        let values = vectors.rows.saturating_mul(vectors.columns.len());
        let translate = move || answer::response(&vectors, snapshot.version, with_times);
        if values <= INLINE_VALUES {
            return Ok(translate());
        }
        off_runtime(async move { translate() }).await
    }

    fn entities(&self, columns: Vec<NamedColumn>) -> Result<EntityColumns, Error> {
        let columns = columns
            .into_iter()
            .map(|NamedColumn { name, values }| {
                let array = wire::to_array(&name, values.unwrap_or_default())?;
                Ok((name, array))
            })
            .collect::<Result<_, Error>>()?;
        let entities = EntityColumns::new(columns)?;
        let (rows, limit) = (entities.rows(), self.shared.limits.rows);
        if rows > limit {
            return Err(Error::TooManyRows { rows, limit });
        }
        Ok(entities)
    }
}

#[tonic::async_trait]
impl FeatureStore for Service {
    async fn get_online_features(
        &self,
        request: Request<GetOnlineFeaturesRequest>,
    ) -> Result<Response<GetOnlineFeaturesResponse>, Status> {
        let started = Instant::now();
        let after = self.shared.limits.request_time;
        let answer = timeout(after, self.answer(request.into_inner()));
        let answer = async { answer.await.map_err(|_elapsed| Error::Timeout { after })? };
        let outcome = self.shared.until_cutoff(answer).await;
        telemetry::request("GetOnlineFeatures", started, &outcome);
        Ok(Response::new(outcome?))
    }

    async fn get_serving_info(
        &self,
        _: Request<GetServingInfoRequest>,
    ) -> Result<Response<GetServingInfoResponse>, Status> {
        let live = &self.shared.live;
        Ok(Response::new(GetServingInfoResponse {
            project: live.project().to_string(),
            registry_version: live.version().unwrap_or(0),
            server_version: env!("CARGO_PKG_VERSION").to_owned(),
        }))
    }
}
