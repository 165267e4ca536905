//! Feature views: features of an entity, computed from a source.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    DataType, EntityName, Expectation, FeatureName, Meta, SourceName, Span, Ttl, ViewName, Windows,
};

/// Features of an entity, computed from a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureView {
    /// Its name.
    pub name: ViewName,
    /// Whose features these are; empty for one global row.
    pub entities: Vec<EntityName>,
    /// Where the rows come from.
    pub source: SourceName,
    /// How long a row may be used after its event time; no limit if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Ttl>,
    /// How long after its event time a row becomes visible.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub delay: Span,
    /// Which time decides whether a row was visible.
    #[serde(default)]
    pub point_in_time: PointInTime,
    /// The features, in order; at least one. Of a windowed view: one per aggregation and window.
    pub schema: Vec<Feature>,
    /// What makes it a windowed view; a plain one, whose rows are its features, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub windows: Option<Windows>,
    /// SQL over the source, whose result has the keys, the times and the features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// When to materialize, as a cron expression in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// How old what is published may get before somebody should look; no objective if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freshness: Option<Span>,
    /// What its rows must be like before they are committed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expectations: Vec<Expectation>,
    /// Whether the newest rows are published to the online store.
    pub online: bool,
    /// Words for people.
    #[serde(default)]
    pub meta: Meta,
}

impl FeatureView {
    /// The position of `feature` in the schema.
    pub fn feature_index(&self, feature: &str) -> Option<usize> {
        self.schema
            .iter()
            .position(|candidate| candidate.name.as_str() == feature)
    }

    /// What a row of it holds beside keys and times: in sources, pushes and the offline table.
    ///
    /// | View | Its rows | Its features |
    /// |---|---|---|
    /// | plain | the features | the same |
    /// | windowed | the inputs of its aggregations | computed from many rows |
    pub fn stored(&self) -> &[Feature] {
        match &self.windows {
            Some(windows) => &windows.inputs,
            None => &self.schema,
        }
    }
}

/// One feature of a view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Feature {
    /// Its name, and its column.
    pub name: FeatureName,
    /// Its type.
    #[serde(rename = "type")]
    pub data_type: DataType,
    /// What it is, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Which time decides whether a feature row was visible at `t`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PointInTime {
    /// Its event time: `event + delay <= t`.
    #[default]
    EventTime,
    /// Also its created time: `event + delay <= t` and `created <= t`, a null created counting as
    /// the event time.
    KnownAt,
}

impl PointInTime {
    /// The word that definitions use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventTime => "event_time",
            Self::KnownAt => "known_at",
        }
    }
}

impl fmt::Display for PointInTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
