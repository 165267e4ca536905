//! Everything that a project defines, at one version.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    CREATED_TIMESTAMP, DataType, EVENT_TIMESTAMP, Entity, EntityName, FeatureService, FeatureView,
    JoinKey, ProjectName, ScalarType, ServiceName, Source, SourceName, ViewName,
};

/// Everything that a project defines.
///
/// Whoever makes one guarantees that every reference inside it resolves: views to their entities
/// and sources, services to their views and features.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalog {
    /// The project.
    pub project: ProjectName,
    /// Entities by name.
    #[serde(default)]
    pub entities: BTreeMap<EntityName, Entity>,
    /// Sources by name.
    #[serde(default)]
    pub sources: BTreeMap<SourceName, Source>,
    /// Feature views by name.
    #[serde(default)]
    pub feature_views: BTreeMap<ViewName, FeatureView>,
    /// Feature services by name.
    #[serde(default)]
    pub feature_services: BTreeMap<ServiceName, FeatureService>,
}

impl Catalog {
    /// A project that defines nothing.
    pub const fn empty(project: ProjectName) -> Self {
        Self {
            project,
            entities: BTreeMap::new(),
            sources: BTreeMap::new(),
            feature_views: BTreeMap::new(),
            feature_services: BTreeMap::new(),
        }
    }

    /// The type of `column` in the rows of `view`: a join key, a time or what it [stores](FeatureView::stored).
    ///
    /// | Column | Type |
    /// |---|---|
    /// | a join key | that of the key |
    /// | `event_timestamp`, `created_timestamp` | `timestamp` |
    /// | a feature; of a windowed view, an input column | its own |
    pub fn column_type(&self, view: &FeatureView, column: &str) -> Option<DataType> {
        if column == EVENT_TIMESTAMP || column == CREATED_TIMESTAMP {
            return Some(DataType::Scalar(ScalarType::Timestamp));
        }
        let key = self.join_keys(view).find(|key| key.name.as_str() == column);
        let key = key.map(|key| DataType::Scalar(key.key_type.scalar()));
        key.or_else(|| {
            let mut stored = view.stored().iter();
            let feature = stored.find(|feature| feature.name.as_str() == column)?;
            Some(feature.data_type)
        })
    }

    /// The join keys of `view`: those of its entities, in the order in which it lists them.
    pub fn join_keys<'a>(&'a self, view: &'a FeatureView) -> impl Iterator<Item = &'a JoinKey> {
        view.entities
            .iter()
            .filter_map(|name| self.entities.get(name))
            .flat_map(|entity| &entity.join_keys)
    }
}
