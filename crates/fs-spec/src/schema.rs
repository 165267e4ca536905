//! The JSON Schema of the format, for editors and for people.
//!
//! The types here are never made: they only give `schemars` the shape. What they say about fields
//! and words is tested against the decoders; what a schema cannot say (references, duplicates) is
//! left to the decoders alone.

mod aggregations;
mod documents;
mod expectations;
mod settings;
mod values;

use schemars::{Schema, SchemaGenerator};
use serde_json::{Value, json};

use documents::{EntityDocument, FeatureServiceDocument, FeatureViewDocument, SourceDocument};
use settings::FeatureStore;

/// The JSON Schema of one YAML document of a feature repo.
///
/// It covers the four kinds of definitions and `feature_store.yaml`.
pub fn json_schema() -> Value {
    let mut generator = SchemaGenerator::default();
    let documents: [Schema; 5] = [
        generator.subschema_for::<EntityDocument>(),
        generator.subschema_for::<SourceDocument>(),
        generator.subschema_for::<FeatureViewDocument>(),
        generator.subschema_for::<FeatureServiceDocument>(),
        generator.subschema_for::<FeatureStore>(),
    ];
    let definitions = generator.take_definitions(true);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fs feature repo",
        "description": "One document of a feature repo: a definition, or feature_store.yaml",
        "oneOf": documents,
        "$defs": definitions,
    })
}

#[cfg(test)]
mod tests;
