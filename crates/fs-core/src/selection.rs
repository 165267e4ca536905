//! A feature service or a list of features, resolved against a catalog.
//!
//! Training and serving both start from a [`FeatureSet`], so that they agree on which columns come
//! back, in which order, under which names, and from which key columns they are looked up.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::suggest::{did_you_mean, hint};
use crate::{
    Catalog, Code, Coded, DataType, FeatureName, FeatureRef, FeatureView, KeyName, KeyType,
    Selected, ServiceEntry, ServiceName, ViewName,
};

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FeatureRequest {
    /// The features of a service.
    Service(ServiceName),
    /// These features, in this order.
    Features(Vec<FeatureRef>),
}

/// How the columns of an answer are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Naming {
    /// `feature`.
    #[default]
    Short,
    /// `view__feature`.
    Full,
}

/// The features that were asked for, resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureSet {
    /// The views that they come from; a view appears once for every alias and key mapping.
    pub views: Vec<ViewSelection>,
    /// The columns of the answer, in the order asked for.
    pub columns: Vec<OutputColumn>,
}

/// One view, under the name and with the key columns that it has in this request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewSelection {
    /// The view.
    pub view: Arc<FeatureView>,
    /// Its alias, or its own name.
    pub label: ViewName,
    /// Its join keys in order, and the request columns that hold them.
    pub keys: Vec<KeyBinding>,
}

/// A join key of a view, and the column of the request or spine that holds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyBinding {
    /// The name of the join key in the view.
    pub key: KeyName,
    /// The column of the request or spine.
    pub column: String,
    /// Its type.
    pub key_type: KeyType,
}

/// One column of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputColumn {
    /// Its name in the answer.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Which of [`FeatureSet::views`].
    pub view: usize,
    /// Which feature of that view's schema.
    pub feature: usize,
}

/// Why features could not be resolved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// No such service.
    #[error("there is no feature service `{service}`{}", hint(.nearest.as_deref()))]
    UnknownService {
        /// The name that was asked for.
        service: ServiceName,
        /// The nearest name that exists.
        nearest: Option<String>,
    },
    /// No such view.
    #[error("there is no feature view `{view}`{}", hint(.nearest.as_deref()))]
    UnknownView {
        /// The name that was asked for.
        view: ViewName,
        /// The nearest name that exists.
        nearest: Option<String>,
    },
    /// No such feature in that view.
    #[error("view `{view}` has no feature `{feature}`{}", hint(.nearest.as_deref()))]
    UnknownFeature {
        /// The view.
        view: ViewName,
        /// The name that was asked for.
        feature: FeatureName,
        /// The nearest name that exists.
        nearest: Option<String>,
    },
    /// An empty list.
    #[error("no features were asked for: name a feature service or at least one `view:feature`")]
    Empty,
    /// Two columns of one name.
    #[error(
        "`{first}` and `{second}` would both be called `{name}`: ask for full feature names, or \
         give one of the views an alias"
    )]
    NameClash {
        /// The name that both would have.
        name: String,
        /// The first of them.
        first: FeatureRef,
        /// The second of them.
        second: FeatureRef,
    },
    /// A feature named twice.
    #[error("`{feature}` is asked for twice")]
    Repeated {
        /// The feature.
        feature: FeatureRef,
    },
    /// One request column that would have to hold two types.
    #[error(
        "the key column `{column}` would have to be {first_type} for view `{first}` and \
         {second_type} for view `{second}`"
    )]
    KeyTypeClash {
        /// The column.
        column: String,
        /// A view that uses it.
        first: ViewName,
        /// The type it has there.
        first_type: KeyType,
        /// Another view that uses it.
        second: ViewName,
        /// The type it has there.
        second_type: KeyType,
    },
}

impl Coded for SelectionError {
    fn code(&self) -> Code {
        match self {
            Self::UnknownService { .. }
            | Self::UnknownView { .. }
            | Self::UnknownFeature { .. } => Code::NotFound,
            Self::Empty
            | Self::NameClash { .. }
            | Self::Repeated { .. }
            | Self::KeyTypeClash { .. } => Code::InvalidArgument,
        }
    }
}

impl FeatureSet {
    /// Resolves `request` against `catalog`.
    pub fn resolve(
        catalog: &Catalog,
        request: &FeatureRequest,
        naming: Naming,
    ) -> Result<Self, SelectionError> {
        let mut set = Self {
            views: Vec::new(),
            columns: Vec::new(),
        };
        match request {
            FeatureRequest::Service(name) => {
                let service = catalog.feature_services.get(name).ok_or_else(|| {
                    let names = catalog.feature_services.keys().map(ServiceName::as_str);
                    SelectionError::UnknownService {
                        service: name.clone(),
                        nearest: did_you_mean(name.as_str(), names).map(str::to_owned),
                    }
                })?;
                for entry in &service.features {
                    set.add_entry(catalog, entry)?;
                }
            }
            FeatureRequest::Features(features) => {
                for feature in features {
                    let entry = ServiceEntry {
                        view: feature.view.clone(),
                        alias: None,
                        join_keys: BTreeMap::new(),
                        features: Selected::Only(vec![feature.feature.clone()]),
                    };
                    set.add_entry(catalog, &entry)?;
                }
            }
        }
        if set.columns.is_empty() {
            return Err(SelectionError::Empty);
        }
        set.name_columns(naming)?;
        set.check_key_columns()?;
        Ok(set)
    }

    /// The columns that a request or spine must have, each once, in order of first use.
    pub fn key_columns(&self) -> Vec<&KeyBinding> {
        let mut columns: Vec<&KeyBinding> = Vec::new();
        for binding in self.views.iter().flat_map(|view| &view.keys) {
            if columns.iter().all(|seen| seen.column != binding.column) {
                columns.push(binding);
            }
        }
        columns
    }

    /// `view:feature` of a column, the view under its label.
    pub fn feature_ref(&self, column: &OutputColumn) -> FeatureRef {
        let selection = &self.views[column.view];
        FeatureRef::new(
            selection.label.clone(),
            selection.view.schema[column.feature].name.clone(),
        )
    }

    fn add_entry(&mut self, catalog: &Catalog, entry: &ServiceEntry) -> Result<(), SelectionError> {
        let view = catalog.feature_views.get(&entry.view).ok_or_else(|| {
            let names = catalog.feature_views.keys().map(ViewName::as_str);
            SelectionError::UnknownView {
                view: entry.view.clone(),
                nearest: did_you_mean(entry.view.as_str(), names).map(str::to_owned),
            }
        })?;
        let keys: Vec<KeyBinding> = catalog
            .join_keys(view)
            .map(|key| KeyBinding {
                key: key.name.clone(),
                column: entry
                    .join_keys
                    .get(&key.name)
                    .map_or_else(|| key.name.to_string(), Clone::clone),
                key_type: key.key_type,
            })
            .collect();
        let same = |seen: &ViewSelection| {
            seen.view.name == view.name && seen.label == *entry.label() && seen.keys == keys
        };
        let position = self.views.iter().position(same).unwrap_or_else(|| {
            let label = entry.label().clone();
            self.views.push(ViewSelection {
                view: Arc::new(view.clone()),
                label,
                keys,
            });
            self.views.len() - 1
        });
        let mut add = |feature: usize| {
            let data_type = view.schema[feature].data_type;
            self.columns.push(OutputColumn {
                name: String::new(),
                data_type,
                view: position,
                feature,
            });
        };
        match &entry.features {
            Selected::All => (0..view.schema.len()).for_each(add),
            Selected::Only(names) => {
                for name in names {
                    add(view.feature_index(name.as_str()).ok_or_else(|| {
                        let names = view.schema.iter().map(|feature| feature.name.as_str());
                        SelectionError::UnknownFeature {
                            view: view.name.clone(),
                            feature: name.clone(),
                            nearest: did_you_mean(name.as_str(), names).map(str::to_owned),
                        }
                    })?);
                }
            }
        }
        Ok(())
    }

    fn name_columns(&mut self, naming: Naming) -> Result<(), SelectionError> {
        let mut seen: BTreeMap<String, FeatureRef> = BTreeMap::new();
        for at in 0..self.columns.len() {
            let feature = self.feature_ref(&self.columns[at]);
            let name = match naming {
                Naming::Short => feature.feature.to_string(),
                Naming::Full => format!("{}__{}", feature.view, feature.feature),
            };
            if let Some(first) = seen.insert(name.clone(), feature.clone()) {
                return Err(if first == feature {
                    SelectionError::Repeated { feature }
                } else {
                    SelectionError::NameClash {
                        name,
                        first,
                        second: feature,
                    }
                });
            }
            self.columns[at].name = name;
        }
        Ok(())
    }

    fn check_key_columns(&self) -> Result<(), SelectionError> {
        let mut seen: BTreeMap<&str, (&ViewName, KeyType)> = BTreeMap::new();
        for selection in &self.views {
            for binding in &selection.keys {
                let entry = seen
                    .entry(&binding.column)
                    .or_insert((&selection.label, binding.key_type));
                if entry.1 != binding.key_type {
                    return Err(SelectionError::KeyTypeClash {
                        column: binding.column.clone(),
                        first: entry.0.clone(),
                        first_type: entry.1,
                        second: selection.label.clone(),
                        second_type: binding.key_type,
                    });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
