//! A server at the other end: the same questions, over gRPC and Arrow Flight.

use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow_flight::FlightClient;
use arrow_flight::FlightDescriptor;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use fs_core::{Code, FeatureRequest, Naming};
use fs_proto::v1;
use fs_proto::v1::feature_store_client::FeatureStoreClient;
use fs_proto::v1::get_online_features_request::Selection;
use fs_training::{TrainingQuery, TrainingSet};
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tonic::transport::{Channel, Endpoint};

use crate::failure::Failure;

/// How long a server may take to answer the telephone.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// Bytes of one gRPC message that are accepted.
const MESSAGE_BYTES: usize = 256 << 20;

/// A query as a Flight command.
pub(crate) fn command(query: &TrainingQuery) -> Value {
    let mut command = json!({ "full_feature_names": query.naming == Naming::Full });
    match &query.request {
        FeatureRequest::Service(service) => command["feature_service"] = json!(service),
        FeatureRequest::Features(features) => command["features"] = json!(features),
    }
    if let Some(column) = &query.timestamp_field {
        command["timestamp_field"] = json!(column);
    }
    command
}

/// A connection to a server.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    url: String,
    channel: Channel,
}

impl Remote {
    /// Connects to `http://HOST:PORT`.
    pub(crate) async fn connect(url: &str) -> Result<Self, Failure> {
        let is_http = url.starts_with("http://") || url.starts_with("https://");
        let endpoint = Endpoint::from_shared(url.to_owned()).ok();
        let endpoint = endpoint.filter(|_| is_http).ok_or_else(|| {
            Failure::input(format!("`{url}` is not a server: write http://HOST:PORT"))
        })?;
        let endpoint = endpoint.connect_timeout(CONNECT_TIME);
        let channel = endpoint.connect().await.map_err(|error| {
            let cause = fs_core::code::report(&error);
            Failure::new(
                Code::Unavailable,
                format!("no server answers at {url}: {cause}"),
            )
        })?;
        Ok(Self {
            url: url.to_owned(),
            channel,
        })
    }

    /// The channel, for other services of the server.
    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Feature vectors.
    pub(crate) async fn online(
        &self,
        request: &FeatureRequest,
        naming: Naming,
        entities: Vec<v1::NamedColumn>,
    ) -> Result<v1::GetOnlineFeaturesResponse, Failure> {
        let selection = match request {
            FeatureRequest::Service(service) => Selection::FeatureService(service.to_string()),
            FeatureRequest::Features(features) => Selection::Features(v1::FeatureList {
                features: features.iter().map(ToString::to_string).collect(),
            }),
        };
        let request = v1::GetOnlineFeaturesRequest {
            selection: Some(selection),
            entities,
            full_feature_names: naming == Naming::Full,
            include_event_times: false,
            request_values: Vec::new(),
        };
        FeatureStoreClient::new(self.channel())
            .max_decoding_message_size(MESSAGE_BYTES)
            .get_online_features(request)
            .await
            .map(tonic::Response::into_inner)
            .map_err(|status| self.refused(&status))
    }

    /// Pushes rows to a feature view.
    pub(crate) async fn push(&self, request: v1::PushRequest) -> Result<v1::PushResponse, Failure> {
        FeatureStoreClient::new(self.channel())
            .push(request)
            .await
            .map(tonic::Response::into_inner)
            .map_err(|status| self.refused(&status))
    }

    /// A training set: the spine goes up and comes down with features, in one exchange.
    pub(crate) async fn training_set(
        &self,
        command: &Value,
        schema: SchemaRef,
        spine: Vec<RecordBatch>,
    ) -> Result<FlightRecordBatchStream, Failure> {
        let upload = FlightDataEncoderBuilder::new()
            .with_schema(schema)
            .with_flight_descriptor(Some(FlightDescriptor::new_cmd(command.to_string())))
            .build(futures::stream::iter(spine.into_iter().map(Ok)));
        FlightClient::new(self.channel())
            .do_exchange(upload)
            .await
            .map_err(|error| self.flight_failure(error))
    }

    /// The training set that an exchange brings, of a spine of `rows` rows.
    pub(crate) async fn received(
        &self,
        mut stream: FlightRecordBatchStream,
        rows: usize,
    ) -> Result<TrainingSet, Failure> {
        // Errors of the request come before the first batch, as statuses with codes.
        let first = stream
            .try_next()
            .await
            .map_err(|error| self.flight_failure(error))?;
        let schema = match (&first, stream.schema()) {
            (Some(batch), _) => batch.schema(),
            (None, Some(schema)) => SchemaRef::clone(schema),
            (None, None) => {
                let message = format!("{} ended the exchange without a schema", self.url);
                return Err(Failure::new(Code::Internal, message));
            }
        };
        let batches = futures::stream::iter(first.map(Ok)).chain(stream);
        Ok(TrainingSet::received(schema, rows, batches))
    }

    /// What the server said no to.
    pub(crate) fn refused(&self, status: &tonic::Status) -> Failure {
        let number = status.code() as i32;
        let code = Code::ALL.into_iter().find(|code| code.grpc() == number);
        Failure::new(
            code.unwrap_or(Code::Internal),
            format!("{}: {}", self.url, status.message()),
        )
    }

    fn flight_failure(&self, error: FlightError) -> Failure {
        match error {
            FlightError::Tonic(status) => self.refused(&status),
            other => Failure::new(Code::Internal, format!("{}: {other}", self.url)),
        }
    }
}
