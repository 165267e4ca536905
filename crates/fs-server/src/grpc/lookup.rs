//! One lookup, from the request to its answer.

use std::sync::Arc;

use fs_core::{DataType, ScalarType};
use fs_serving::{EntityColumns, FeatureVectors, Plan};
use tonic::{Request, Response, Status};

use super::answer::Answer;
use super::codec::Outgoing;
use super::entities::entities;
use super::message::{OnlineRequest, Selection, read_features};
use crate::Error;
use crate::call::CallContext;
use crate::off_runtime::off_runtime;
use crate::request::{feature_request, naming};
use crate::shared::Shared;

/// What takes more than this many units of [`effort`], some 0.3 ms, is written off the runtime's
/// threads.
const INLINE_EFFORT: usize = 131_072;

/// `GetOnlineFeatures`.
pub(super) async fn get_online_features(
    shared: Arc<Shared>,
    request: Request<OnlineRequest>,
) -> Result<Response<Outgoing>, Status> {
    let context = CallContext::from_metadata(request.metadata());
    let request = request.into_inner();
    let work = async {
        let plan = plan(&shared, &request)?.ok_or(Error::Selection)?;
        Lookup::new(plan, request)?.answer(&shared).await
    };
    let outcome = shared.call("GetOnlineFeatures", &context, work).await;
    Ok(Response::new(outcome?))
}

/// The plan of what a request selects; none if it selects nothing.
pub(super) fn plan(shared: &Shared, request: &OnlineRequest) -> Result<Option<Arc<Plan>>, Error> {
    let naming = naming(request.full_feature_names);
    let plan = match &request.selection {
        Some(Selection::FeatureService(service)) => {
            let request = feature_request(Some(service), None)?;
            shared.plan(&request, naming)?.1
        }
        Some(Selection::Features(written)) => {
            shared.plan_as_written(written, naming, || read_features(written))?
        }
        None => return Ok(None),
    };
    Ok(Some(plan))
}

/// A request that is understood.
pub(super) struct Lookup {
    plan: Arc<Plan>,
    entities: EntityColumns,
    with_times: bool,
}

impl Lookup {
    pub(super) fn new(plan: Arc<Plan>, request: OnlineRequest) -> Result<Self, Error> {
        if let Some(column) = request.request_values.into_iter().next() {
            return Err(Error::RequestValue {
                column: column.name,
            });
        }
        Ok(Self {
            plan,
            entities: entities(request.entities)?,
            with_times: request.include_event_times,
        })
    }

    pub(super) async fn answer(self, shared: &Shared) -> Result<Outgoing, Error> {
        let vectors = shared.vectors(&self.plan, &self.entities).await?;
        let with_times = self.with_times;
        if effort(&vectors) <= INLINE_EFFORT {
            let answer = Answer::new(vectors, with_times);
            return Ok(Outgoing::Answer(Box::new(answer)));
        }
        let written = off_runtime(async move { Answer::new(vectors, with_times).to_bytes() });
        Ok(Outgoing::Written(written.await?))
    }
}

/// How long an answer takes to write, in units of about 2.5 ns: one for a value that is copied.
fn effort(vectors: &FeatureVectors) -> usize {
    use ScalarType::{Bytes, Int32, Int64, String};
    let of_one = |data_type| match data_type {
        DataType::Scalar(Int32 | Int64) => 2,
        DataType::Scalar(String | Bytes) => 8,
        DataType::Scalar(_) => 1,
        DataType::Array(_) => 32,
    };
    let columns = vectors.columns().map(|column| of_one(column.data_type()));
    columns.sum::<usize>().saturating_mul(vectors.rows())
}
