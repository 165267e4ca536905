//! A request, resolved: which rows to fetch by which columns, and where their values go.

use std::any::Any;
use std::sync::OnceLock;

use bytes::Bytes;
use fs_core::{
    Catalog, DataType, FeatureName, FeatureRequest, FeatureSet, KeyType, Naming, OutputColumn,
    ScalarType, ViewName, ViewSelection,
};
use fs_online::{RowLayout, ViewId};
use fs_pit::Rule;

use crate::Error;
use crate::keys::FetchedRows;
use crate::layouts::DecoderSlot;
use crate::telemetry::RowCounters;
use crate::windowed::Windowed;

/// A service or a list of features, resolved against one version of the catalogue.
///
/// Resolving walks the catalogue; answering with the plan does not. A plan is made once and shared
/// by every request for the same features.
#[derive(Debug)]
pub struct Plan {
    version: u64,
    key_columns: Vec<KeyColumn>,
    pub(crate) key_sets: Vec<KeySet>,
    /// Key sets whose keys are fetched together.
    pub(crate) groups: Vec<Vec<usize>>,
    pub(crate) stored: Vec<Stored>,
    pub(crate) lookups: Vec<Lookup>,
    pub(crate) outputs: Vec<Output>,
    /// How long the rows of one entity take to open, in units of about 10 ns: a few for each row, and
    /// one for each value that is more than a number.
    effort: usize,
    memo: OnceLock<Box<dyn Any + Send + Sync>>,
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

/// Columns that make a key together. Views of one entity share theirs, which are encoded once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KeySet {
    /// Which of the key columns, for each join key.
    pub(crate) columns: Vec<usize>,
    pub(crate) types: Vec<KeyType>,
}

/// A view as the store has it, which labels may share.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) id: ViewId,
    /// Which of [`Plan::groups`] has all of its keys.
    pub(crate) group: usize,
}

/// One view under one label: looked up by its own columns, in rows that labels may share.
#[derive(Debug)]
pub(crate) struct Lookup {
    pub(crate) label: ViewName,
    /// Which of [`Plan::stored`].
    pub(crate) stored: usize,
    /// Which of [`Plan::key_sets`].
    key_set: usize,
    /// Which of the key sets of its group.
    pub(crate) member: usize,
    /// No later lookup needs the same rows.
    pub(crate) is_last: bool,
    pub(crate) rule: Rule,
    pub(crate) wanted: Vec<(FeatureName, DataType)>,
    pub(crate) decoder: DecoderSlot,
    /// How it is answered, if its view has windows.
    pub(crate) windows: Option<Windowed>,
    pub(crate) counters: RowCounters,
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
        let mut plan = Self {
            version,
            key_columns: key_columns(&set),
            key_sets: Vec::new(),
            groups: Vec::new(),
            stored: Vec::new(),
            lookups: Vec::new(),
            outputs: Vec::new(),
            effort: 0,
            memo: OnceLock::new(),
        };
        for selection in &set.views {
            let id = ViewId::new(catalog.project.clone(), selection.view.name.clone());
            let key_set = plan.key_set(selection);
            let lookup = Lookup {
                label: selection.label.clone(),
                stored: plan.stored_index(id),
                key_set: index_in(&mut plan.key_sets, key_set),
                member: 0,
                is_last: false,
                rule: Rule::of(&selection.view),
                wanted: Vec::new(),
                decoder: DecoderSlot::default(),
                windows: None,
                counters: RowCounters::default(),
            };
            plan.lookups.push(lookup);
        }
        plan.group_keys();
        for column in &set.columns {
            plan.add_output(&set, column);
        }
        for (lookup, selection) in plan.lookups.iter_mut().zip(&set.views) {
            let windows = Windowed::of(&selection.view, &lookup.wanted);
            lookup.windows = windows.map_err(|source| Error::Windows {
                view: selection.view.name.clone(),
                source,
            })?;
        }
        let checked = set.columns.iter().filter(|it| is_checked(it.data_type));
        let states = plan.lookups.iter().filter(|it| it.windows.is_some());
        plan.effort = EFFORT_OF_A_ROW * plan.lookups.len()
            + EFFORT_OF_A_STATE * states.count()
            + checked.count();
        Ok(plan)
    }

    /// The version of the registry that it was made with.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// How long it takes to open what was fetched for so many entities, in units of about 10 ns. A large state
    /// takes longer than a small one.
    pub(crate) fn effort_of(&self, rows: usize, fetched: &FetchedRows) -> usize {
        let windowed = self.lookups.iter().filter(|it| it.windows.is_some());
        let states = windowed.filter_map(|lookup| fetched.get(lookup.stored));
        let bytes: usize = states.flatten().flatten().map(Bytes::len).sum();
        rows.saturating_mul(self.effort)
            .saturating_add(bytes / BYTES_OF_A_STATE)
    }

    /// What a wire makes of the plan once, for all answers with it. There is room for one thing of one
    /// type: none for whoever comes later with another.
    pub fn once<T: Any + Send + Sync>(&self, make: impl FnOnce() -> T) -> Option<&T> {
        self.memo.get_or_init(|| Box::new(make())).downcast_ref()
    }

    /// The columns that a request must have, in order of first use.
    pub fn key_columns(&self) -> &[KeyColumn] {
        &self.key_columns
    }

    /// The names and types of the answer's columns, in order.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = (&str, DataType)> {
        let column = |output: &'_ Output| output.data_type;
        self.outputs
            .iter()
            .map(move |output| (output.name.as_str(), column(output)))
    }

    fn key_set(&self, selection: &ViewSelection) -> KeySet {
        let position = |column: &str| {
            let position = self.key_columns.iter().position(|key| key.name == column);
            position.unwrap_or_default()
        };
        let keys = selection.keys.iter();
        KeySet {
            columns: keys.clone().map(|key| position(&key.column)).collect(),
            types: keys.map(|key| key.key_type).collect(),
        }
    }

    fn stored_index(&mut self, id: ViewId) -> usize {
        let known = self.stored.iter().position(|stored| stored.id == id);
        known.unwrap_or_else(|| {
            self.stored.push(Stored { id, group: 0 });
            self.stored.len() - 1
        })
    }

    /// Finds the key sets of every stored view; views with the same ones form a group.
    fn group_keys(&mut self) {
        for (number, stored) in self.stored.iter_mut().enumerate() {
            let mut group: Vec<usize> = Vec::new();
            let mut last = None;
            for lookup in self.lookups.iter_mut().filter(|it| it.stored == number) {
                lookup.member = index_in(&mut group, lookup.key_set);
                last = Some(lookup);
            }
            if let Some(last) = last {
                last.is_last = true;
            }
            stored.group = index_in(&mut self.groups, group);
        }
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

/// Opening a row costs this much, whatever is in it.
const EFFORT_OF_A_ROW: usize = 4;

/// Computing what is asked for from a state costs about this much, and one more for so many of its bytes.
const EFFORT_OF_A_STATE: usize = 256;
const BYTES_OF_A_STATE: usize = 10;

/// Whether values of a type are looked at when their row is opened.
const fn is_checked(data_type: DataType) -> bool {
    use ScalarType::{Bool, Bytes, String};
    matches!(
        data_type,
        DataType::Scalar(Bool | String | Bytes) | DataType::Array(_)
    )
}

/// Where `item` is among `items`, to which it is added if need be.
fn index_in<T: PartialEq>(items: &mut Vec<T>, item: T) -> usize {
    let known = items.iter().position(|other| *other == item);
    known.unwrap_or_else(|| {
        items.push(item);
        items.len() - 1
    })
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
