//! Views whose stored data cannot follow a change.

use fs_core::{Catalog, Feature, FeatureView, JoinKey, ViewName};
use serde::Serialize;

/// What to do about an [`Incompatible`] view.
pub const ADVICE: &str = "give the changed view a new name and drop the old one when nobody reads \
                          it; or force the apply, remove its rows with `fs teardown --views NAME` and \
                          materialize it again";

/// A view whose offline table and online rows cannot follow the change.
///
/// A column never changes its type, and the rows of one table never change what they are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Incompatible {
    /// The view.
    pub view: ViewName,
    /// What its stored rows cannot follow.
    pub reasons: Vec<String>,
}

/// The views of both catalogs whose columns change type, or whose join keys change.
pub(super) fn find(old: &Catalog, new: &Catalog) -> Vec<Incompatible> {
    old.feature_views
        .values()
        .filter_map(|before| {
            let after = new.feature_views.get(&before.name)?;
            let (old_keys, new_keys) = (keys(old, before), keys(new, after));
            let mut reasons = Vec::new();
            if old_keys != new_keys {
                let (was, is) = (text(&old_keys), text(&new_keys));
                reasons.push(format!("join keys change {was} -> {is}"));
            }
            for column in before.stored() {
                let same = after
                    .stored()
                    .iter()
                    .find(|other| other.name == column.name);
                if let Some(other) = same.filter(|other| other.data_type != column.data_type) {
                    reasons.push(type_changes(after, column, other));
                }
            }
            (!reasons.is_empty()).then(|| Incompatible {
                view: before.name.clone(),
                reasons,
            })
        })
        .collect()
}

fn type_changes(view: &FeatureView, before: &Feature, after: &Feature) -> String {
    let (name, was, is) = (&before.name, before.data_type, after.data_type);
    match view.windows {
        None => format!("feature `{name}` changes type {was} -> {is}"),
        // It may have been found in the source, so nobody need have changed a definition.
        Some(_) => format!(
            "column `{name}` changes type {was} -> {is}; it keeps its type if that is declared, with \
             `schema: [{{ name: {name}, type: {was} }}]`"
        ),
    }
}

fn keys<'a>(catalog: &'a Catalog, view: &'a FeatureView) -> Vec<&'a JoinKey> {
    catalog.join_keys(view).collect()
}

fn text(keys: &[&JoinKey]) -> String {
    let keys: Vec<String> = keys
        .iter()
        .map(|key| format!("{} {}", key.name, key.key_type))
        .collect();
    format!("({})", keys.join(", "))
}
