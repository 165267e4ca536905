//! `fs.v1`.

use bytes::Bytes;
use fs_core::{KeyType, KeyValue};
use fs_proto::v1;
use fs_proto::v1::column::Values as Column;
use fs_proto::v1::get_online_features_request::Selection as Wanted;
use prost::Message;

use super::same_rows;
use crate::entities::KeyColumn;
use crate::{Selection, Values};

pub(super) fn encode(selection: &Selection, entities: Vec<KeyColumn>) -> Vec<u8> {
    let selection = match selection {
        Selection::Service(service) => Wanted::FeatureService(service.clone()),
        Selection::Features(features) => Wanted::Features(v1::FeatureList {
            features: features.clone(),
        }),
    };
    let column = |column: KeyColumn| v1::NamedColumn {
        name: column.name,
        values: Some(v1::Column {
            values: Some(values(column.key_type, column.values)),
            ..v1::Column::default()
        }),
    };
    v1::GetOnlineFeaturesRequest {
        selection: Some(selection),
        entities: entities.into_iter().map(column).collect(),
        ..v1::GetOnlineFeaturesRequest::default()
    }
    .encode_to_vec()
}

fn values(key_type: KeyType, keys: Vec<KeyValue>) -> Column {
    // Every value of a column has its type, so nothing is filtered out.
    macro_rules! gather {
        ($variant:ident) => {
            keys.into_iter()
                .filter_map(|key| match key {
                    KeyValue::$variant(value) => Some(value.into()),
                    _ => None,
                })
                .collect()
        };
    }
    match key_type {
        KeyType::Bool => Column::Bools(v1::Bools {
            values: gather!(Bool),
        }),
        KeyType::Int32 => Column::Int32s(v1::Int32s {
            values: gather!(Int32),
        }),
        KeyType::Int64 => Column::Int64s(v1::Int64s {
            values: gather!(Int64),
        }),
        KeyType::String => Column::Strings(v1::Strings {
            values: gather!(String),
        }),
        KeyType::Bytes => Column::BytesValues(v1::BytesValues {
            values: gather!(Bytes),
        }),
        KeyType::Timestamp => Column::Timestamps(v1::Timestamps {
            micros: gather!(Timestamp),
        }),
    }
}

pub(super) fn check(answer: Bytes, rows: usize) -> Result<Values, String> {
    let answer =
        v1::GetOnlineFeaturesResponse::decode(answer).map_err(|error| error.to_string())?;
    let answered = usize::try_from(answer.row_count).unwrap_or(usize::MAX);
    same_rows("the answer", answered, rows)?;
    if answer.columns.is_empty() {
        return Err("the answer has no features".to_owned());
    }
    let mut found = Values::default();
    for column in &answer.columns {
        same_rows(&column.name, length(column.values.as_ref()), rows)?;
        if column.statuses.is_empty() {
            found.present += rows as u64;
            continue;
        }
        same_rows(&column.name, column.statuses.len(), rows)?;
        for status in &column.statuses {
            found.count(i32::from(*status))?;
        }
    }
    Ok(found)
}

fn length(column: Option<&v1::Column>) -> usize {
    match column.and_then(|column| column.values.as_ref()) {
        Some(Column::Bools(array)) => array.values.len(),
        Some(Column::Int32s(array)) => array.values.len(),
        Some(Column::Int64s(array)) => array.values.len(),
        Some(Column::Floats(array)) => array.values.len(),
        Some(Column::Doubles(array)) => array.values.len(),
        Some(Column::Strings(array)) => array.values.len(),
        Some(Column::BytesValues(array)) => array.values.len(),
        Some(Column::Timestamps(array)) => array.micros.len(),
        Some(Column::Lists(array)) => array.lengths.len(),
        None => 0,
    }
}
