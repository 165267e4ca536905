//! Everything that a project defines, at one version.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    Entity, EntityName, FeatureService, FeatureView, JoinKey, ProjectName, ServiceName, Source,
    SourceName, ViewName,
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

    /// The join keys of `view`: those of its entities, in the order in which it lists them.
    pub fn join_keys<'a>(&'a self, view: &'a FeatureView) -> impl Iterator<Item = &'a JoinKey> {
        view.entities
            .iter()
            .filter_map(|name| self.entities.get(name))
            .flat_map(|entity| &entity.join_keys)
    }
}
