//! Feature vectors as people and programs read them.

use arrow::array::{Array, ArrayRef};
use serde_json::{Map, Value, json};

use crate::cells;
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
                entity.insert(name.clone(), cells::value(values, row)?);
            }
            let (mut features, mut statuses) = (Map::new(), Map::new());
            for feature in &self.features {
                features.insert(feature.name.clone(), cells::value(&feature.values, row)?);
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
            let keys = self.keys.iter().map(|(_, values)| cells::text(values, row));
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
                    "PRESENT" => cells::text(&feature.values, row)?,
                    status => status.to_owned(),
                });
            }
            lines.push(line);
        }
        Ok(dynamic_table(header, lines))
    }
}
