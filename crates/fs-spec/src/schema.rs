//! The JSON Schema of the format, for editors and for people.
//!
//! The types here are never made: they only give `schemars` the shape. What they say about fields
//! and words is tested against the decoders; what a schema cannot say (references, duplicates) is
//! left to the decoders alone.

#![expect(
    dead_code,
    reason = "only the shape matters: nobody makes or reads these"
)]

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Value, json};

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

const NAME: &str = "^([A-Za-z][A-Za-z0-9_]{0,63}|.*\\$\\{.*)$";
const INTERPOLATED: &str = "\\$\\{";

fn name(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": NAME })
}

fn duration(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "anyOf": [
            {
                "type": "string",
                "pattern": "^(0|([0-9]+(w|d|h|m|s|ms|us))+|.*\\$\\{.*)$",
                "examples": ["90s", "15m", "3h", "7d"],
            },
            { "const": 0 },
            { "type": "null" },
        ],
    })
}

fn boolean(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "anyOf": [
            { "type": "boolean" },
            { "type": "string", "pattern": INTERPOLATED },
            { "type": "null" },
        ],
        "default": true,
    })
}

fn memory(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "anyOf": [
            { "type": "string", "examples": ["512MiB", "2GiB", "1GB"] },
            { "type": "integer", "minimum": 1 },
            { "type": "null" },
        ],
    })
}

fn tags(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["object", "null"],
        "additionalProperties": { "type": ["string", "number", "boolean"] },
    })
}

fn key_type(_: &mut SchemaGenerator) -> Schema {
    let names = fs_core::KeyType::ALL.map(|key_type| key_type.to_string());
    json_schema!({
        "anyOf": [
            { "enum": names },
            { "type": "string", "pattern": INTERPOLATED },
        ],
    })
}

fn data_type(_: &mut SchemaGenerator) -> Schema {
    use fs_core::{DataType, ScalarType};
    let scalars = ScalarType::ALL.map(DataType::Scalar);
    let arrays = ScalarType::ALL.map(DataType::Array);
    let names: Vec<String> = scalars
        .iter()
        .chain(&arrays)
        .map(ToString::to_string)
        .collect();
    json_schema!({
        "anyOf": [
            { "enum": names },
            { "type": "string", "pattern": INTERPOLATED },
        ],
    })
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum EntityKind {
    Entity,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum SourceKind {
    Source,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum FeatureViewKind {
    FeatureView,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum FeatureServiceKind {
    FeatureService,
}

/// A thing that features describe, told apart by one or more join keys.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "entity")]
struct EntityDocument {
    kind: EntityKind,
    /// Its name, once among entities.
    #[schemars(schema_with = "name")]
    name: String,
    /// The columns that identify one, in order.
    #[schemars(length(min = 1))]
    join_keys: Vec<JoinKey>,
    /// What it is, in a sentence.
    description: Option<String>,
    /// Whom to ask.
    owner: Option<String>,
    /// Anything else.
    #[schemars(schema_with = "tags", default)]
    tags: (),
}

/// One named, typed column of an entity's key.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "join_key")]
struct JoinKey {
    /// The column.
    #[schemars(schema_with = "name")]
    name: String,
    /// Its type.
    #[schemars(schema_with = "key_type", rename = "type")]
    key_type: (),
}

/// Where raw rows come from.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "source")]
struct SourceDocument {
    kind: SourceKind,
    /// Its name, once among sources; also the table that queries select from.
    #[schemars(schema_with = "name")]
    name: String,
    /// How its rows are read.
    format: Format,
    /// File, folder, glob or URL, relative to the repo; not with `format: sql`.
    path: Option<String>,
    /// One SELECT over other sources; only with `format: sql`.
    query: Option<String>,
    /// The column that holds event time, after `field_mapping`.
    timestamp_field: String,
    /// The column that holds created time, after `field_mapping`.
    created_timestamp_column: Option<String>,
    /// New names for columns: from the name in the files to the name used everywhere else.
    field_mapping: Option<BTreeMap<String, String>>,
    /// How far below the watermark an incremental run reads again, for rows that arrive late.
    #[schemars(schema_with = "duration", default)]
    lateness: (),
    /// What separates the columns; only with `format: csv`. A comma if absent.
    delimiter: Option<String>,
    /// What it is, in a sentence.
    description: Option<String>,
    /// Whom to ask.
    owner: Option<String>,
    /// Anything else.
    #[schemars(schema_with = "tags", default)]
    tags: (),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", rename = "format")]
enum Format {
    Parquet,
    Csv,
    Json,
    Delta,
    Sql,
}

/// Features of an entity, computed from a source.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "feature_view")]
struct FeatureViewDocument {
    kind: FeatureViewKind,
    /// Its name, once among views.
    #[schemars(schema_with = "name")]
    name: String,
    /// Whose features these are; empty for one global row.
    entities: Vec<String>,
    /// Where the rows come from.
    #[schemars(schema_with = "name")]
    source: String,
    /// How long a row may be used after its event time; no limit if absent or 0.
    #[schemars(schema_with = "duration", default)]
    ttl: (),
    /// How long after its event time a row becomes visible.
    #[schemars(schema_with = "duration", default)]
    delay: (),
    /// Which time decides whether a row was visible; `event_time` if absent.
    point_in_time: Option<PointInTime>,
    /// The features, in order.
    #[schemars(length(min = 1))]
    schema: Vec<Feature>,
    /// SQL over the source, whose result has the keys, the times and the features.
    query: Option<String>,
    /// When to materialize: five cron fields, UTC.
    schedule: Option<String>,
    /// Whether the newest rows are published to the online store.
    #[schemars(schema_with = "boolean", default)]
    online: (),
    /// What it is, in a sentence.
    description: Option<String>,
    /// Whom to ask.
    owner: Option<String>,
    /// Anything else.
    #[schemars(schema_with = "tags", default)]
    tags: (),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", rename = "point_in_time")]
enum PointInTime {
    EventTime,
    KnownAt,
}

/// One feature of a view.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "feature")]
struct Feature {
    /// Its name, and its column.
    #[schemars(schema_with = "name")]
    name: String,
    /// Its type.
    #[schemars(schema_with = "data_type", rename = "type")]
    data_type: (),
    /// What it is, in a sentence.
    description: Option<String>,
}

/// The named list of features that one model version uses.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "feature_service")]
struct FeatureServiceDocument {
    kind: FeatureServiceKind,
    /// Its name, once among services.
    #[schemars(schema_with = "name")]
    name: String,
    /// What it takes from which view, in order.
    #[schemars(length(min = 1))]
    features: Vec<ServiceFeatures>,
    /// What it is, in a sentence.
    description: Option<String>,
    /// Whom to ask.
    owner: Option<String>,
    /// Anything else.
    #[schemars(schema_with = "tags", default)]
    tags: (),
}

/// What a service takes from one view.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "service_features")]
enum ServiceFeatures {
    /// All features of this view.
    View(String),
    /// Features of this view, under another name or with other key columns.
    Entry(ServiceEntry),
    /// `view: [feature, …]`: some features of this view.
    Some(#[schemars(schema_with = "some_features")] ()),
}

fn some_features(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": { "type": "array", "items": { "type": "string" }, "minItems": 1 },
    })
}

/// Features of one view, under another name or with other key columns.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "service_entry")]
struct ServiceEntry {
    /// The view.
    #[schemars(schema_with = "name")]
    view: String,
    /// The name that the view goes by in this service; its own if absent.
    #[schemars(rename = "as")]
    alias: Option<String>,
    /// For join keys whose column in the request has another name: from key to column.
    join_keys: Option<BTreeMap<String, String>>,
    /// Which features; all of them if absent.
    features: Option<Vec<String>>,
}

/// `feature_store.yaml`: where a project keeps its things.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "feature_store")]
struct FeatureStore {
    /// The project: one registry, one offline root and one online namespace.
    #[schemars(schema_with = "name")]
    project: String,
    /// Where the versions of the registry are.
    registry: Folder,
    /// The root of the Delta tables.
    offline_store: Folder,
    /// Where the newest rows are.
    online_store: OnlineStore,
    /// What does the work.
    engine: Option<Engine>,
}

/// A folder or an object-store URL.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "folder")]
struct Folder {
    /// A path relative to the repo, or a URL: file, s3, gs, az.
    path: String,
}

/// Where the newest rows are.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "online_store")]
enum OnlineStore {
    Embedded(Embedded),
    Redis(Redis),
}

/// A folder of this machine.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "embedded")]
struct Embedded {
    r#type: EmbeddedType,
    /// The folder, relative to the repo.
    path: String,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum EmbeddedType {
    Embedded,
}

/// A Redis server.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "redis")]
struct Redis {
    r#type: RedisType,
    /// Its `redis://` or `rediss://` URL.
    url: String,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum RedisType {
    Redis,
}

/// What does the work.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "engine")]
struct Engine {
    r#type: EngineType,
    /// Most bytes that queries may hold in memory; no limit if absent.
    #[schemars(schema_with = "memory", default)]
    memory_limit: (),
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case")]
enum EngineType {
    Local,
}

#[cfg(test)]
mod tests;
