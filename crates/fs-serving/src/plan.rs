//! A request, resolved: which rows to fetch by which columns, and where their values go.

use fs_core::{
    Catalog, DataType, FeatureName, FeatureRequest, FeatureSet, KeyType, Naming, OutputColumn,
    ViewName,
};
use fs_online::{RowLayout, ViewId};
use fs_pit::Rule;

use crate::Error;
use crate::layouts::DecoderSlot;

/// A service or a list of features, resolved against one version of the catalogue.
///
/// Resolving walks the catalogue; answering with the plan does not. A plan is made once and shared
/// by every request for the same features.
#[derive(Debug)]
pub struct Plan {
    version: u64,
    key_columns: Vec<KeyColumn>,
    pub(crate) stored: Vec<ViewId>,
    pub(crate) lookups: Vec<Lookup>,
    pub(crate) outputs: Vec<Output>,
}

/// A column that a request must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyColumn {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub key_type: KeyType,
    /// The first view, by its label, that is looked up by it.
    pub view: ViewName,
}

/// One view under one label: looked up by its own columns, in rows that labels may share.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) label: ViewName,
    /// Which of [`Plan::stored`].
    pub(crate) stored: usize,
    /// Which of the key columns, for each join key.
    pub(crate) key_columns: Vec<usize>,
    pub(crate) key_types: Vec<KeyType>,
    pub(crate) rule: Rule,
    pub(crate) wanted: Vec<(FeatureName, DataType)>,
    pub(crate) decoder: DecoderSlot,
}

/// One column of the answer.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) name: String,
    pub(crate) data_type: DataType,
    /// Which of [`Plan::lookups`].
    pub(crate) lookup: usize,
    /// Which of the features that the lookup wants.
    pub(crate) wanted: usize,
}

impl Plan {
    /// Resolves `request` against `catalog`, which is version `version` of the registry.
    pub fn resolve(
        catalog: &Catalog,
        version: u64,
        request: &FeatureRequest,
        naming: Naming,
    ) -> Result<Self, Error> {
        let set = FeatureSet::resolve(catalog, request, naming)?;
        if let Some(offline) = set.views.iter().find(|selection| !selection.view.online) {
            return Err(Error::NotOnline {
                view: offline.view.name.clone(),
            });
        }
        let key_columns = key_columns(&set);
        let mut plan = Self {
            version,
            key_columns,
            stored: Vec::new(),
            lookups: Vec::new(),
            outputs: Vec::new(),
        };
        for selection in &set.views {
            let id = ViewId::new(catalog.project.clone(), selection.view.name.clone());
            let stored = plan.stored_index(id);
            let position = |column: &str| {
                let position = plan.key_columns.iter().position(|key| key.name == column);
                position.unwrap_or_default()
            };
            plan.lookups.push(Lookup {
                label: selection.label.clone(),
                stored,
                key_columns: selection
                    .keys
                    .iter()
                    .map(|key| position(&key.column))
                    .collect(),
                key_types: selection.keys.iter().map(|key| key.key_type).collect(),
                rule: Rule::of(&selection.view),
                wanted: Vec::new(),
                decoder: DecoderSlot::default(),
            });
        }
        for column in &set.columns {
            plan.add_output(&set, column);
        }
        Ok(plan)
    }

    /// The version of the registry that it was made with.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The columns that a request must have, in order of first use.
    pub fn key_columns(&self) -> &[KeyColumn] {
        &self.key_columns
    }

    /// The names and types of the answer's columns, in order.
    pub fn columns(&self) -> impl Iterator<Item = (&str, DataType)> {
        let column = |output: &'_ Output| output.data_type;
        self.outputs
            .iter()
            .map(move |output| (output.name.as_str(), column(output)))
    }

    fn stored_index(&mut self, id: ViewId) -> usize {
        let known = self.stored.iter().position(|view| *view == id);
        known.unwrap_or_else(|| {
            self.stored.push(id);
            self.stored.len() - 1
        })
    }

    fn add_output(&mut self, set: &FeatureSet, column: &OutputColumn) {
        let feature = &set.views[column.view].view.schema[column.feature];
        let wanted = &mut self.lookups[column.view].wanted;
        wanted.push((feature.name.clone(), feature.data_type));
        self.outputs.push(Output {
            name: column.name.clone(),
            data_type: column.data_type,
            lookup: column.view,
            wanted: wanted.len() - 1,
        });
    }
}

impl Lookup {
    /// A decoder for what this lookup wants, in rows of any of `layouts`.
    pub(crate) fn decoder_for(&self, layouts: &[RowLayout]) -> fs_online::RowDecoder {
        fs_online::RowDecoder::new(layouts, &self.wanted)
    }
}

fn key_columns(set: &FeatureSet) -> Vec<KeyColumn> {
    let mut columns: Vec<KeyColumn> = Vec::new();
    for selection in &set.views {
        for binding in &selection.keys {
            if columns.iter().all(|seen| seen.name != binding.column) {
                columns.push(KeyColumn {
                    name: binding.column.clone(),
                    key_type: binding.key_type,
                    view: selection.label.clone(),
                });
            }
        }
    }
    columns
}
