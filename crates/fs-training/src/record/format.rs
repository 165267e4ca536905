//! The record as JSON, format 1.

use std::collections::BTreeMap;

use fs_core::{EventTime, FeatureRef, FeatureRequest, Naming, ProjectName, ServiceName, ViewName};
use fs_offline::TableVersion;
use serde::{Deserialize, Serialize};

use super::Record;
use crate::{Error, SpineOrigin, TrainingQuery, Versions};

/// The format that is written. Every format up to it is read.
const FORMAT: u64 = 1;

/// What every format has.
#[derive(Deserialize)]
struct Head {
    format: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct V1 {
    format: u64,
    fs: String,
    project: ProjectName,
    registry_version: u64,
    tables: BTreeMap<ViewName, TableVersion>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    feature_service: Option<ServiceName>,
    features: Vec<FeatureRef>,
    full_feature_names: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp_field: Option<String>,
    spine: SpineV1,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SpineV1 {
    columns: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sql: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    as_of: Option<String>,
}

impl Record {
    /// The record as JSON, on one line. Equal records have equal texts.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&V1::from(self)).unwrap_or_default()
    }

    /// The record as a value of JSON.
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::to_value(V1::from(self)).unwrap_or_default()
    }

    /// Reads a record of any format up to this one; errors call it the record of `place`.
    pub fn parse(json: &str, place: &str) -> Result<Self, Error> {
        let bad = |source| Error::BadRecord {
            place: place.to_owned(),
            source,
        };
        let head: Head = serde_json::from_str(json).map_err(bad)?;
        if head.format > FORMAT {
            return Err(Error::NewerRecord {
                place: place.to_owned(),
                format: head.format,
                newest: FORMAT,
            });
        }
        let v1: V1 = serde_json::from_str(json).map_err(bad)?;
        v1.try_into().map_err(bad)
    }

    /// Reads a record that is a value of JSON already.
    pub fn from_value(value: &serde_json::Value, place: &str) -> Result<Self, Error> {
        Self::parse(&value.to_string(), place)
    }
}

impl From<&Record> for V1 {
    fn from(record: &Record) -> Self {
        let (mut sql, mut as_of) = (None, None);
        match record.origin() {
            SpineOrigin::Given => {}
            SpineOrigin::Sql(query) => sql = Some(query.clone()),
            SpineOrigin::AsOf(at) => as_of = Some(at.to_string()),
        }
        Self {
            format: FORMAT,
            fs: record.fs.clone(),
            project: record.project.clone(),
            registry_version: record.versions.registry,
            tables: record.versions.tables.clone(),
            feature_service: match record.request() {
                FeatureRequest::Service(service) => Some(service.clone()),
                FeatureRequest::Features(_) => None,
            },
            features: record.features.clone(),
            full_feature_names: record.full_feature_names(),
            timestamp_field: record.query.timestamp_field.clone(),
            spine: SpineV1 {
                columns: record.spine_columns.clone(),
                sql,
                as_of,
            },
        }
    }
}

impl TryFrom<V1> for Record {
    type Error = serde_json::Error;

    fn try_from(v1: V1) -> Result<Self, Self::Error> {
        let origin = match (v1.spine.sql, v1.spine.as_of) {
            (Some(query), _) => SpineOrigin::Sql(query),
            (None, Some(at)) => {
                let at: EventTime = at
                    .parse()
                    .map_err(<serde_json::Error as serde::de::Error>::custom)?;
                SpineOrigin::AsOf(at)
            }
            (None, None) => SpineOrigin::Given,
        };
        let request = match v1.feature_service {
            Some(service) => FeatureRequest::Service(service),
            None => FeatureRequest::Features(v1.features.clone()),
        };
        let naming = if v1.full_feature_names {
            Naming::Full
        } else {
            Naming::Short
        };
        Ok(Self {
            fs: v1.fs,
            project: v1.project,
            versions: Versions {
                registry: v1.registry_version,
                tables: v1.tables,
            },
            query: TrainingQuery {
                request,
                naming,
                timestamp_field: v1.timestamp_field,
                origin,
            },
            features: v1.features,
            spine_columns: v1.spine.columns,
        })
    }
}
