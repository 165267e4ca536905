//! Which features a packed row holds, in which order.

use std::collections::BTreeSet;

use fs_core::{DataType, FeatureName, FeatureView};
use serde::{Deserialize, Serialize};

/// The features of a packed row, in the order in which they are packed.
///
/// A row names its layout by [`id`](Self::id) and nothing else, so it carries no names and no types.
/// A view whose schema changes gets another layout; rows of the old one stay readable for as long as
/// the store remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RowLayout {
    features: Vec<(FeatureName, DataType)>,
    id: u32,
}

/// How a layout is written: frozen, see `golden/layout.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format: u32,
    features: Vec<WrittenFeature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFeature {
    name: FeatureName,
    #[serde(rename = "type")]
    data_type: DataType,
}

const FORMAT: u32 = 1;

impl RowLayout {
    /// The layout that packs `features` in this order; their names differ.
    pub fn new(features: Vec<(FeatureName, DataType)>) -> Self {
        let id = id_of(&features);
        Self { features, id }
    }

    /// The layout of the schema that `view` has now.
    pub fn of_view(view: &FeatureView) -> Self {
        Self::new(
            view.schema
                .iter()
                .map(|feature| (feature.name.clone(), feature.data_type))
                .collect(),
        )
    }

    /// The features, in the order in which they are packed.
    pub fn features(&self) -> &[(FeatureName, DataType)] {
        &self.features
    }

    /// The number that rows of this layout carry: a hash of its names and types, the same for ever.
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// The layout as a store keeps it.
    ///
    /// ```
    /// use fs_core::{DataType, ScalarType};
    /// use fs_online::RowLayout;
    ///
    /// let layout = RowLayout::new(vec![("temp".parse()?, DataType::Scalar(ScalarType::Float64))]);
    /// let json = r#"{"format":1,"features":[{"name":"temp","type":"float64"}]}"#;
    /// assert_eq!(layout.to_json(), json);
    /// assert_eq!(RowLayout::from_json(json.as_bytes())?, layout);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_json(&self) -> String {
        let features = self
            .features
            .iter()
            .map(|(name, data_type)| serde_json::json!({"name": name, "type": data_type}));
        let features: Vec<String> = features.map(|feature| feature.to_string()).collect();
        format!(
            r#"{{"format":{FORMAT},"features":[{}]}}"#,
            features.join(",")
        )
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    pub fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        use serde::de::Error as _;

        let written: Written = serde_json::from_slice(json)?;
        if written.format != FORMAT {
            return Err(serde_json::Error::custom(format_args!(
                "format {} is newer than {FORMAT}, which this release reads",
                written.format
            )));
        }
        let mut names = BTreeSet::new();
        for feature in &written.features {
            if !names.insert(&feature.name) {
                return Err(serde_json::Error::custom(format_args!(
                    "feature `{}` appears twice",
                    feature.name
                )));
            }
        }
        drop(names);
        Ok(Self::new(
            written
                .features
                .into_iter()
                .map(|feature| (feature.name, feature.data_type))
                .collect(),
        ))
    }
}

/// FNV-1a, 32 bits, over `name:type` and a line feed for every feature.
fn id_of(features: &[(FeatureName, DataType)]) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    for (name, data_type) in features {
        for byte in format!("{name}:{data_type}\n").bytes() {
            hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(features: &[(&str, &str)]) -> RowLayout {
        RowLayout::new(
            features
                .iter()
                .map(|(name, data_type)| (name.parse().unwrap(), data_type.parse().unwrap()))
                .collect(),
        )
    }

    #[test]
    fn the_id_of_a_layout_is_frozen() {
        assert_eq!(layout(&[]).id(), 0x811c_9dc5);
        assert_eq!(
            layout(&[("temp", "float64"), ("tags", "array<string>")]).id(),
            0xb005_12a0
        );
    }

    #[test]
    fn names_types_and_order_all_make_another_layout() {
        let all = [
            layout(&[("a", "int64"), ("b", "int64")]),
            layout(&[("b", "int64"), ("a", "int64")]),
            layout(&[("a", "int64"), ("b", "int32")]),
            layout(&[("a", "int64")]),
            layout(&[("a", "array<int64>"), ("b", "int64")]),
        ];
        let ids: BTreeSet<u32> = all.iter().map(RowLayout::id).collect();
        assert_eq!(ids.len(), all.len());
    }

    #[test]
    fn a_layout_of_a_later_format_or_with_a_name_twice_is_refused() {
        let later = r#"{"format":2,"features":[]}"#;
        assert!(RowLayout::from_json(later.as_bytes()).is_err());
        let twice =
            r#"{"format":1,"features":[{"name":"a","type":"bool"},{"name":"a","type":"bool"}]}"#;
        assert!(RowLayout::from_json(twice.as_bytes()).is_err());
    }
}
