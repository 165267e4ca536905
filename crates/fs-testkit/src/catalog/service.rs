//! Feature services as values.

use std::collections::BTreeMap;

use fs_core::{FeatureService, Meta, Selected, ServiceEntry};

use super::parsed;

/// Builds a [`FeatureService`].
#[derive(Debug, Clone)]
pub struct ServiceBuilder(FeatureService);

impl ServiceBuilder {
    #[track_caller]
    pub(super) fn new(name: &str) -> Self {
        Self(FeatureService {
            name: parsed(name),
            features: Vec::new(),
            meta: Meta::default(),
        })
    }

    /// Takes all of a view.
    #[must_use]
    #[track_caller]
    pub fn all(self, view: &str) -> Self {
        self.entry(ServiceEntry {
            view: parsed(view),
            alias: None,
            join_keys: BTreeMap::new(),
            features: Selected::All,
        })
    }

    /// Takes some features of a view, in this order.
    #[must_use]
    #[track_caller]
    pub fn only(self, view: &str, features: &[&str]) -> Self {
        self.entry(ServiceEntry {
            view: parsed(view),
            alias: None,
            join_keys: BTreeMap::new(),
            features: Selected::Only(features.iter().map(|name| parsed(name)).collect()),
        })
    }

    /// Takes all of a view under another name, keys from other columns: `[("origin", "dest")]`.
    #[must_use]
    #[track_caller]
    pub fn aliased(self, view: &str, alias: &str, join_keys: &[(&str, &str)]) -> Self {
        let column = |(key, column): &(&str, &str)| (parsed(key), (*column).to_owned());
        self.entry(ServiceEntry {
            view: parsed(view),
            alias: Some(parsed(alias)),
            join_keys: join_keys.iter().map(column).collect(),
            features: Selected::All,
        })
    }

    /// Takes what `entry` says.
    #[must_use]
    pub fn entry(mut self, entry: ServiceEntry) -> Self {
        self.0.features.push(entry);
        self
    }

    /// The service.
    pub fn build(self) -> FeatureService {
        self.0
    }
}

impl From<ServiceBuilder> for FeatureService {
    fn from(builder: ServiceBuilder) -> Self {
        builder.build()
    }
}
