//! Format 1. Frozen: fields are never renamed, removed or given another meaning.
//!
//! Definitions are lists, sorted by name. What is absent is not written. Names, types and durations
//! are written as definitions write them: `array<float64>`, `3h`.

mod convert;
mod expectation;
mod windows;

use std::collections::BTreeMap;

use fs_core::{
    DataType, EntityName, FeatureName, KeyName, KeyType, ProjectName, ServiceName, SourceName,
    Span, ViewName,
};
use serde::{Deserialize, Serialize};

use expectation::Expectation;
use windows::Windows;

/// A whole object.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) format: u64,
    pub(super) version: u64,
    pub(super) project: ProjectName,
    /// RFC 3339, UTC, to the microsecond.
    pub(super) applied_at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    pub(super) catalog: Catalog,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Catalog {
    entities: Vec<Entity>,
    sources: Vec<Source>,
    feature_views: Vec<FeatureView>,
    feature_services: Vec<FeatureService>,
}

#[derive(Serialize, Deserialize, Default, PartialEq)]
#[serde(deny_unknown_fields)]
struct Meta {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    tags: BTreeMap<String, String>,
}

impl Meta {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entity {
    name: EntityName,
    join_keys: Vec<JoinKey>,
    #[serde(default, skip_serializing_if = "Meta::is_empty")]
    meta: Meta,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JoinKey {
    name: KeyName,
    #[serde(rename = "type")]
    key_type: KeyType,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    name: SourceName,
    kind: SourceKind,
    timestamp_field: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_timestamp_column: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    field_mapping: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    lateness: Span,
    #[serde(default, skip_serializing_if = "Meta::is_empty")]
    meta: Meta,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "format", rename_all = "snake_case", deny_unknown_fields)]
enum SourceKind {
    Parquet { path: String },
    Csv { path: String, delimiter: char },
    Json { path: String },
    Delta { path: String },
    Sql { query: String },
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeatureView {
    name: ViewName,
    entities: Vec<EntityName>,
    source: SourceName,
    /// Zero: no limit.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    ttl: Span,
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    delay: Span,
    point_in_time: PointInTime,
    schema: Vec<Feature>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    windows: Option<Windows>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    query: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    schedule: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    freshness: Option<Span>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    expectations: Vec<Expectation>,
    online: bool,
    #[serde(default, skip_serializing_if = "Meta::is_empty")]
    meta: Meta,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum PointInTime {
    EventTime,
    KnownAt,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Feature {
    name: FeatureName,
    #[serde(rename = "type")]
    data_type: DataType,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeatureService {
    name: ServiceName,
    features: Vec<ServiceEntry>,
    #[serde(default, skip_serializing_if = "Meta::is_empty")]
    meta: Meta,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceEntry {
    view: ViewName,
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "as")]
    alias: Option<ViewName>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    join_keys: BTreeMap<KeyName, String>,
    /// Absent: all of them, also those that are added later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    features: Option<Vec<FeatureName>>,
}
