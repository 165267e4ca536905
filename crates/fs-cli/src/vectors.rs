//! Feature vectors as people and programs read them.

use arrow::array::{Array, ArrayRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::output::dynamic_table;

/// One feature of every entity: a null wherever the status is not `PRESENT`.
pub(crate) struct Feature {
    pub(crate) name: String,
    pub(crate) values: ArrayRef,
    pub(crate) statuses: Vec<&'static str>,
}

/// The answer to `get-online-features`.
pub(crate) struct Vectors {
    pub(crate) registry_version: u64,
    pub(crate) keys: Vec<(String, ArrayRef)>,
    pub(crate) features: Vec<Feature>,
}

impl Vectors {
    /// The features in the order asked for, and one object per entity: its keys, values, statuses.
    pub(crate) fn to_json(&self) -> Result<Value, Failure> {
        let rows = self.keys.first().map_or(1, |(_, array)| array.len());
        let mut vectors = Vec::with_capacity(rows);
        for row in 0..rows {
            let mut entity = Map::new();
            for (name, values) in &self.keys {
                entity.insert(name.clone(), cell_json(values, row)?);
            }
            let (mut features, mut statuses) = (Map::new(), Map::new());
            for feature in &self.features {
                features.insert(feature.name.clone(), cell_json(&feature.values, row)?);
                statuses.insert(feature.name.clone(), json!(feature.statuses[row]));
            }
            vectors.push(json!({ "entity": entity, "features": features, "statuses": statuses }));
        }
        let names: Vec<&str> = self
            .features
            .iter()
            .map(|feature| feature.name.as_str())
            .collect();
        Ok(json!({
            "registry_version": self.registry_version,
            "features": names,
            "vectors": vectors,
        }))
    }

    /// A table with a line per feature, in the order asked for, and a column per entity.
    pub(crate) fn to_table(&self) -> Result<String, Failure> {
        let rows = self.keys.first().map_or(1, |(_, array)| array.len());
        let mut header = vec!["feature".to_owned()];
        for row in 0..rows {
            let keys = self.keys.iter().map(|(_, values)| cell_text(values, row));
            let keys = keys.collect::<Result<Vec<_>, _>>()?.join(",");
            // Without keys there is one row for all.
            header.push(if self.keys.is_empty() {
                "value".to_owned()
            } else {
                keys
            });
        }
        let mut lines = Vec::with_capacity(self.features.len());
        for feature in &self.features {
            let mut line = vec![feature.name.clone()];
            for row in 0..rows {
                line.push(match feature.statuses[row] {
                    "PRESENT" => cell_text(&feature.values, row)?,
                    status => status.to_owned(),
                });
            }
            lines.push(line);
        }
        Ok(dynamic_table(header, lines))
    }
}

fn cell_text(values: &ArrayRef, row: usize) -> Result<String, Failure> {
    let options = FormatOptions::default().with_null("null");
    ArrayFormatter::try_new(values.as_ref(), &options)
        .and_then(|cells| cells.value(row).try_to_string())
        .map_err(|error| Failure::new(fs_core::Code::Internal, error.to_string()))
}

/// A value as JSON: numbers as numbers, not-a-number and infinities as strings, bytes as
/// hexadecimal digits, timestamps as RFC 3339.
fn cell_json(values: &ArrayRef, row: usize) -> Result<Value, Failure> {
    use arrow::array::AsArray;
    use arrow::datatypes::{
        DataType, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
    };
    if values.is_null(row) {
        return Ok(Value::Null);
    }
    let float = |value: f64| {
        if value.is_finite() {
            json!(value)
        } else {
            json!(value.to_string())
        }
    };
    Ok(match values.data_type() {
        DataType::Boolean => json!(values.as_boolean().value(row)),
        DataType::Int32 => json!(values.as_primitive::<Int32Type>().value(row)),
        DataType::Int64 => json!(values.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => float(f64::from(values.as_primitive::<Float32Type>().value(row))),
        DataType::Float64 => float(values.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => json!(values.as_string::<i32>().value(row)),
        DataType::Timestamp(_, _) => {
            let micros = values.as_primitive::<TimestampMicrosecondType>().value(row);
            json!(fs_core::time::format_micros(micros))
        }
        DataType::List(_) => {
            let items = values.as_list::<i32>().value(row);
            let items: Result<Vec<_>, _> =
                (0..items.len()).map(|at| cell_json(&items, at)).collect();
            Value::Array(items?)
        }
        _ => json!(cell_text(values, row)?),
    })
}
