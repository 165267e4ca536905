//! The shapes of the four kinds of definitions.

#![expect(
    dead_code,
    reason = "only the shape matters: nobody makes or reads these"
)]

use std::collections::BTreeMap;

use schemars::JsonSchema;

use super::aggregations::Aggregation;
use super::expectations::Expectation;
use super::values::{AnyType, Boolean, Duration, Key, Name, SomeFeatures, Tags};

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum EntityKind {
    Entity,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum SourceKind {
    Source,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum FeatureViewKind {
    FeatureView,
}

#[derive(JsonSchema)]
#[schemars(rename_all = "snake_case", inline)]
enum FeatureServiceKind {
    FeatureService,
}

/// A thing that features describe, told apart by one or more join keys.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "entity")]
pub(super) struct EntityDocument {
    kind: EntityKind,
    /// Its name, once among entities.
    name: Name,
    /// The columns that identify one, in order.
    #[schemars(length(min = 1))]
    join_keys: Vec<JoinKey>,
    /// What it is, in a sentence.
    description: Option<String>,
    /// Whom to ask.
    owner: Option<String>,
    /// Anything else.
    tags: Option<Tags>,
}

/// One named, typed column of an entity's key.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "join_key")]
struct JoinKey {
    /// The column.
    name: Name,
    /// Its type.
    #[schemars(rename = "type")]
    key_type: Key,
}

/// Where raw rows come from.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "source")]
pub(super) struct SourceDocument {
    kind: SourceKind,
    /// Its name, once among sources; also the table that queries select from.
    name: Name,
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
    lateness: Option<Duration>,
    /// What separates the columns; only with `format: csv`. A comma if absent.
    delimiter: Option<String>,
    /// What it is, in a sentence.
    description: Option<String>,
    /// Whom to ask.
    owner: Option<String>,
    /// Anything else.
    tags: Option<Tags>,
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
#[schemars(extend("anyOf" = [{ "required": ["schema"] }, { "required": ["aggregations"] }]))]
pub(super) struct FeatureViewDocument {
    kind: FeatureViewKind,
    /// Its name, once among views.
    name: Name,
    /// Whose features these are; empty for one global row.
    entities: Vec<Name>,
    /// Where the rows come from.
    source: Name,
    /// How long a row may be used after its event time; no limit if absent or 0.
    ttl: Option<Duration>,
    /// How long after its event time a row becomes visible.
    delay: Option<Duration>,
    /// Which time decides whether a row was visible; `event_time` if absent.
    point_in_time: Option<PointInTime>,
    /// The features, in order; a view without `aggregations` needs them. With `aggregations`: the types of
    /// columns of the events, where the source does not tell them.
    schema: Option<Vec<Feature>>,
    /// What is computed from the events of a window, in order.
    #[schemars(length(min = 1))]
    aggregations: Option<Vec<Aggregation>>,
    /// SQL over the source, whose result has the keys, the times and the features.
    query: Option<String>,
    /// When to materialize: five cron fields, UTC.
    schedule: Option<String>,
    /// How old what is published may get before somebody should look; no objective if absent.
    freshness: Option<Duration>,
    /// What its rows must be like before they are committed.
    expectations: Option<Vec<Expectation>>,
    /// Whether the newest rows are published to the online store.
    #[schemars(extend("default" = true))]
    online: Option<Boolean>,
    /// What it is, in a sentence.
    description: Option<String>,
    /// Whom to ask.
    owner: Option<String>,
    /// Anything else.
    tags: Option<Tags>,
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
    name: Name,
    /// Its type.
    #[schemars(rename = "type")]
    data_type: AnyType,
    /// What it is, in a sentence.
    description: Option<String>,
}

/// The named list of features that one model version uses.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "feature_service")]
pub(super) struct FeatureServiceDocument {
    kind: FeatureServiceKind,
    /// Its name, once among services.
    name: Name,
    /// What it takes from which view, in order.
    #[schemars(length(min = 1))]
    features: Vec<ServiceFeatures>,
    /// What it is, in a sentence.
    description: Option<String>,
    /// Whom to ask.
    owner: Option<String>,
    /// Anything else.
    tags: Option<Tags>,
}

/// What a service takes from one view.
#[derive(JsonSchema)]
#[schemars(untagged, rename = "service_features")]
enum ServiceFeatures {
    /// All features of this view.
    View(Name),
    /// Features of this view, under another name or with other key columns.
    Entry(ServiceEntry),
    /// `view: [feature, …]`: some features of this view.
    Some(SomeFeatures),
}

/// Features of one view, under another name or with other key columns.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename = "service_entry")]
struct ServiceEntry {
    /// The view.
    view: Name,
    /// The name that the view goes by in this service; its own if absent.
    #[schemars(rename = "as")]
    alias: Option<Name>,
    /// For join keys whose column in the request has another name: from key to column.
    join_keys: Option<BTreeMap<String, String>>,
    /// Which features; all of them if absent.
    #[schemars(length(min = 1))]
    features: Option<Vec<Name>>,
}
