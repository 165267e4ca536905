//! Features that stored rows do not have yet.

use std::fmt;

use fs_core::{Catalog, FeatureName, FeatureView, ViewName};
use serde::Serialize;

/// Features that a view gains: null in the rows that its table holds already.
///
/// Prints as what to know, and do, about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backfill {
    /// The view.
    pub view: ViewName,
    /// The features that it gains, in the order of its schema.
    pub features: Vec<FeatureName>,
}

impl fmt::Display for Backfill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { view, features } = self;
        let names: Vec<String> = features.iter().map(|name| format!("`{name}`")).collect();
        let are = if names.len() == 1 { "is" } else { "are" };
        write!(
            f,
            "{view}: {} {are} null in rows that are there already, until `fs materialize --backfill \
             --views {view}`",
            names.join(", ")
        )
    }
}

/// The features that views of `old` gain in `new`.
pub(super) fn find(old: &Catalog, new: &Catalog) -> Vec<Backfill> {
    let of_view = |before: &FeatureView| {
        let after = new.feature_views.get(&before.name)?;
        let is_new = |name: &FeatureName| before.feature_index(name.as_str()).is_none();
        let names = after.schema.iter().map(|feature| &feature.name);
        let features: Vec<FeatureName> = names.filter(|name| is_new(name)).cloned().collect();
        (!features.is_empty()).then(|| Backfill {
            view: after.name.clone(),
            features,
        })
    };
    old.feature_views.values().filter_map(of_view).collect()
}
