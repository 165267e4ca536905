//! Columns that stored rows do not have yet: features, or the inputs of aggregations.

use std::fmt;

use fs_core::{Catalog, FeatureName, FeatureView, ViewName};
use serde::Serialize;

/// Columns that the table of a view gains: null in the rows that it holds already.
///
/// Prints as what to know, and do, about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backfill {
    /// The view.
    pub view: ViewName,
    /// The features that it gains, in the order of its schema; of a windowed view, the columns of its events
    /// that aggregations or filters read from now on.
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

/// The columns that views of `old` gain in `new`.
pub(super) fn find(old: &Catalog, new: &Catalog) -> Vec<Backfill> {
    let of_view = |before: &FeatureView| {
        let after = new.feature_views.get(&before.name)?;
        let is_new = |name: &FeatureName| before.stored().iter().all(|had| had.name != *name);
        let names = after.stored().iter().map(|feature| &feature.name);
        let features: Vec<FeatureName> = names.filter(|name| is_new(name)).cloned().collect();
        (!features.is_empty()).then(|| Backfill {
            view: after.name.clone(),
            features,
        })
    };
    old.feature_views.values().filter_map(of_view).collect()
}
