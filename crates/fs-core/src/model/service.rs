//! Feature services: the named lists of features that models use.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{FeatureName, KeyName, Meta, ServiceName, ViewName};

/// The named list of features that one model version uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureService {
    /// Its name.
    pub name: ServiceName,
    /// What it takes from which view, in order; at least one.
    pub features: Vec<ServiceEntry>,
    /// Words for people.
    #[serde(default)]
    pub meta: Meta,
}

/// What a service takes from one view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceEntry {
    /// The view.
    pub view: ViewName,
    /// The name that the view goes by in this service; its own if absent.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "as")]
    pub alias: Option<ViewName>,
    /// For join keys whose column in the request has another name: from key to column.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub join_keys: BTreeMap<KeyName, String>,
    /// Which of the view's features.
    #[serde(default)]
    pub features: Selected,
}

impl ServiceEntry {
    /// The name that the view goes by in this service.
    pub fn label(&self) -> &ViewName {
        self.alias.as_ref().unwrap_or(&self.view)
    }
}

/// Which features of a view are taken.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selected {
    /// All of them, also those that are added later.
    #[default]
    All,
    /// These, in this order.
    Only(Vec<FeatureName>),
}
