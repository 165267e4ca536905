//! What a feature repo defines: entities, sources, feature views and feature services.
//!
//! The types are plain data. They are made by `fs-spec` from YAML, which checks every name and
//! reference first, and they are what the registry stores as JSON.

mod aggregation;
mod catalog;
mod entity;
mod expectation;
mod function;
mod service;
mod source;
mod view;
mod wanted;
mod window;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use aggregation::{Aggregation, AggregationWindow, SchemaError, Windows};
pub use catalog::Catalog;
pub use entity::{Entity, JoinKey};
pub use expectation::{Check, Expectation, Fraction, NoFraction, OnFailure};
pub use function::{BadParameter, DoesNotFit, Function, ListSize, Quantile};
pub use service::{FeatureService, Selected, ServiceEntry};
pub use source::{CsvOptions, FileFormat, Source, SourceKind};
pub use view::{Feature, FeatureView, PointInTime};
pub use wanted::{WantedColumn, WantedFilter, WantedInputs};
pub use window::{Window, WindowError, WindowLength};

/// What people write about a definition for other people.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meta {
    /// What it is, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whom to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Anything else.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// The kinds of definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An [`Entity`].
    Entity,
    /// A [`Source`].
    Source,
    /// A [`FeatureView`].
    FeatureView,
    /// A [`FeatureService`].
    FeatureService,
}

impl Kind {
    /// The word that `kind:` takes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Entity => "entity",
            Self::Source => "source",
            Self::FeatureView => "feature_view",
            Self::FeatureService => "feature_service",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
