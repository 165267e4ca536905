//! `Push`, from the request to its answer.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use fs_core::ViewName;
use fs_materialize::{PushReport, PushTo, Pushed, RowOutcome};
use fs_proto::v1;
use tonic::{Request, Response, Status};

use crate::call::CallContext;
use crate::shared::Shared;
use crate::{Error, wire};

/// `Push`.
pub(super) async fn push(
    shared: Arc<Shared>,
    request: Request<v1::PushRequest>,
) -> Result<Response<v1::PushResponse>, Status> {
    let context = CallContext::from_metadata(request.metadata());
    let request = request.into_inner();
    let work = async {
        let snapshot = shared.live.snapshot()?;
        let to = to(&request)?;
        let rows = rows(request.columns)?;
        let key = Some(request.idempotency_key.as_str()).filter(|key| !key.is_empty());
        let pushing = &shared.pusher;
        let pushed = pushing.push_to(&snapshot.catalog, &request.name, &rows, to, key);
        Ok(response(snapshot.version, pushed.await?))
    };
    let outcome = shared.write("Push", &context, work).await;
    Ok(Response::new(outcome?))
}

fn to(request: &v1::PushRequest) -> Result<PushTo, Error> {
    match v1::PushTo::try_from(request.to) {
        Ok(v1::PushTo::Unspecified | v1::PushTo::Both) => Ok(PushTo::Both),
        Ok(v1::PushTo::Online) => Ok(PushTo::Online),
        Ok(v1::PushTo::Offline) => Ok(PushTo::Offline),
        Err(_) => Err(Error::PushPlace { to: request.to }),
    }
}

fn rows(columns: Vec<v1::NamedColumn>) -> Result<RecordBatch, Error> {
    let mut arrays = Vec::with_capacity(columns.len());
    for v1::NamedColumn { name, values } in columns {
        let array = wire::to_array(&name, values.unwrap_or_default())?;
        if let Some((first, rows)) = arrays.first().map(first_column)
            && rows != array.len()
        {
            return Err(Error::Lengths {
                column: name,
                found: array.len(),
                first,
                expected: rows,
            });
        }
        arrays.push((name, array, true));
    }
    if arrays.is_empty() {
        return Ok(RecordBatch::new_empty(Arc::new(
            arrow::datatypes::Schema::empty(),
        )));
    }
    RecordBatch::try_from_iter_with_nullable(arrays).map_err(Error::Schema)
}

fn first_column(column: &(String, arrow::array::ArrayRef, bool)) -> (String, usize) {
    (column.0.clone(), column.1.len())
}

fn response(registry_version: u64, pushed: Pushed) -> v1::PushResponse {
    let left_out = pushed.left_out.into_iter();
    v1::PushResponse {
        registry_version,
        views: pushed.views.iter().map(pushed_view).collect(),
        left_out: left_out
            .map(|(view, reason)| v1::LeftOutView {
                view: view.to_string(),
                reason,
            })
            .collect(),
    }
}

fn pushed_view((view, report): &(ViewName, PushReport)) -> v1::PushedView {
    let count = |outcome| u32::try_from(report.count(outcome)).unwrap_or(u32::MAX);
    v1::PushedView {
        view: view.to_string(),
        outcomes: report.outcomes.iter().copied().map(byte).collect(),
        repeated: report.repeated,
        stored: count(RowOutcome::Stored),
        outdone: count(RowOutcome::Outdone),
        unpublished: count(RowOutcome::Appended).saturating_add(count(RowOutcome::Later)),
    }
}

const fn byte(outcome: RowOutcome) -> u8 {
    let outcome = match outcome {
        RowOutcome::Stored => v1::PushOutcome::Stored,
        RowOutcome::Outdone => v1::PushOutcome::Outdone,
        RowOutcome::Appended => v1::PushOutcome::Appended,
        RowOutcome::Later => v1::PushOutcome::Later,
        RowOutcome::Ignored => v1::PushOutcome::Ignored,
    };
    outcome as u8
}
