//! Feast's HTTP.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fs_core::KeyValue;
use serde::Deserialize;
use serde_json::{Value, json};

use super::same_rows;
use crate::entities::KeyColumn;
use crate::{Selection, Values};

const MICROS_PER_SECOND: i64 = 1_000_000;

pub(super) fn encode(selection: &Selection, entities: Vec<KeyColumn>) -> Vec<u8> {
    let column = |column: KeyColumn| {
        (
            column.name,
            column.values.into_iter().map(value).collect::<Vec<_>>(),
        )
    };
    let entities: BTreeMap<String, Vec<Value>> = entities.into_iter().map(column).collect();
    let question = match selection {
        Selection::Service(service) => json!({ "feature_service": service, "entities": entities }),
        Selection::Features(features) => json!({ "features": features, "entities": entities }),
    };
    question.to_string().into_bytes()
}

fn value(key: KeyValue) -> Value {
    match key {
        KeyValue::Bool(value) => value.into(),
        KeyValue::Int32(value) => value.into(),
        KeyValue::Int64(value) => value.into(),
        KeyValue::String(value) => value.into(),
        KeyValue::Bytes(value) => STANDARD.encode(value).into(),
        KeyValue::Timestamp(micros) => micros.div_euclid(MICROS_PER_SECOND).into(),
    }
}

#[derive(Deserialize)]
struct Answer {
    metadata: Metadata,
    results: Vec<Column>,
}

#[derive(Deserialize)]
struct Metadata {
    feature_names: Vec<String>,
}

#[derive(Deserialize)]
struct Column {
    values: Vec<Value>,
    statuses: Vec<String>,
}

pub(super) fn check(answer: &[u8], rows: usize) -> Result<Values, String> {
    let answer: Answer = serde_json::from_slice(answer).map_err(|error| error.to_string())?;
    let names = answer.metadata.feature_names;
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
            found.count(number(status))?;
        }
    }
    Ok(found)
}

fn number(status: &str) -> i32 {
    match status {
        "PRESENT" => 1,
        "NULL_VALUE" => 2,
        "NOT_FOUND" => 3,
        "OUTSIDE_MAX_AGE" => 4,
        _ => 0,
    }
}
