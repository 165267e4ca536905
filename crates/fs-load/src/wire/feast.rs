//! Feast's gRPC.

use bytes::Bytes;
use fs_core::KeyValue;
use fs_proto::feast::serving;
use fs_proto::feast::serving::get_online_features_request::Kind;
use fs_proto::feast::types::value::Val;
use fs_proto::feast::types::{RepeatedValue, Value};
use prost::Message;

use super::same_rows;
use crate::entities::KeyColumn;
use crate::{Selection, Values};

const MICROS_PER_SECOND: i64 = 1_000_000;

pub(super) fn encode(selection: &Selection, entities: Vec<KeyColumn>) -> Vec<u8> {
    let kind = match selection {
        Selection::Service(service) => Kind::FeatureService(service.clone()),
        Selection::Features(features) => Kind::Features(serving::FeatureList {
            val: features.clone(),
        }),
    };
    let column = |column: KeyColumn| {
        let val = column.values.into_iter().map(value).collect();
        (column.name, RepeatedValue { val })
    };
    serving::GetOnlineFeaturesRequest {
        kind: Some(kind),
        entities: entities.into_iter().map(column).collect(),
        ..serving::GetOnlineFeaturesRequest::default()
    }
    .encode_to_vec()
}

fn value(key: KeyValue) -> Value {
    let value = match key {
        KeyValue::Bool(value) => Val::BoolVal(value),
        KeyValue::Int32(value) => Val::Int32Val(value),
        KeyValue::Int64(value) => Val::Int64Val(value),
        KeyValue::String(value) => Val::StringVal(value),
        KeyValue::Bytes(value) => Val::BytesVal(value.into()),
        KeyValue::Timestamp(micros) => Val::UnixTimestampVal(micros.div_euclid(MICROS_PER_SECOND)),
    };
    Value { val: Some(value) }
}

pub(super) fn check(answer: Bytes, rows: usize) -> Result<Values, String> {
    let answer =
        serving::GetOnlineFeaturesResponse::decode(answer).map_err(|error| error.to_string())?;
    let names = answer.metadata.and_then(|metadata| metadata.feature_names);
    let names = names.map(|names| names.val).unwrap_or_default();
    if names.is_empty() || names.len() != answer.results.len() {
        return Err(format!(
            "{} names for {} columns",
            names.len(),
            answer.results.len()
        ));
    }
    let mut found = Values::default();
    for (name, column) in names.iter().zip(&answer.results) {
        same_rows(name, column.values.len(), rows)?;
        same_rows(name, column.statuses.len(), rows)?;
        for status in &column.statuses {
            found.count(*status)?;
        }
    }
    Ok(found)
}
