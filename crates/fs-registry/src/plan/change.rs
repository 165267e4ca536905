//! What is added, removed and changed, definition by definition and field by field.

use std::collections::{BTreeMap, BTreeSet};

use fs_core::{Catalog, Kind};
use serde::Serialize;

use super::facts::Facts;

/// One definition that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// What happens to it.
    #[serde(flatten)]
    pub action: Action,
}

/// What happens to a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// It is new.
    Added,
    /// It goes.
    Removed,
    /// Some of its fields get other values.
    Changed {
        /// Those fields, by path.
        fields: Vec<FieldChange>,
    },
}

/// One field that is not what it was, in the words of the definitions.
///
/// | Path | Before | After |
/// |---|---|---|
/// | `ttl` | `3h` | `6h` |
/// | `schema.wind_speed` | | `float64` |
/// | `schema (order)` | `temp, humidity` | `humidity, temp` |
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// Where it is in the definition.
    pub path: String,
    /// What it was; `None` if it was not there.
    pub before: Option<String>,
    /// What it becomes; `None` if it goes.
    pub after: Option<String>,
}

/// The changes from `old` to `new`, by kind and name.
pub(super) fn between(old: &Catalog, new: &Catalog) -> Vec<Change> {
    let old = facts_of(old);
    let new = facts_of(new);
    let everything: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    everything
        .into_iter()
        .filter_map(|definition| {
            let action = match (old.get(definition), new.get(definition)) {
                (Some(before), Some(after)) => {
                    let fields = field_changes(before, after);
                    (!fields.is_empty()).then_some(Action::Changed { fields })?
                }
                (None, _) => Action::Added,
                (_, None) => Action::Removed,
            };
            let (kind, name) = *definition;
            Some(Change {
                kind,
                name: name.to_owned(),
                action,
            })
        })
        .collect()
}

fn facts_of(catalog: &Catalog) -> BTreeMap<(Kind, &str), Facts> {
    let entities = catalog.entities.values();
    let sources = catalog.sources.values();
    let views = catalog.feature_views.values();
    let services = catalog.feature_services.values();
    entities
        .map(|entity| ((Kind::Entity, entity.name.as_str()), entity.into()))
        .chain(sources.map(|source| ((Kind::Source, source.name.as_str()), source.into())))
        .chain(views.map(|view| ((Kind::FeatureView, view.name.as_str()), view.into())))
        .chain(services.map(|service| {
            (
                (Kind::FeatureService, service.name.as_str()),
                service.into(),
            )
        }))
        .collect()
}

fn field_changes(before: &Facts, after: &Facts) -> Vec<FieldChange> {
    let paths: BTreeSet<&String> = before.values.keys().chain(after.values.keys()).collect();
    let mut changes: Vec<FieldChange> = Vec::new();
    for path in paths {
        let (old, new) = (before.values.get(path), after.values.get(path));
        // The description of a feature that comes or goes is no news of its own.
        let inside_news = changes.iter().any(|parent| {
            (parent.before.is_none() || parent.after.is_none())
                && path
                    .strip_prefix(&parent.path)
                    .is_some_and(|rest| rest.starts_with('.'))
        });
        if old != new && !inside_news {
            changes.push(FieldChange {
                path: path.clone(),
                before: old.cloned(),
                after: new.cloned(),
            });
        }
    }
    changes.extend(order_changes(before, after));
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

/// The lists in which what both have comes in another order.
fn order_changes(before: &Facts, after: &Facts) -> impl Iterator<Item = FieldChange> {
    before.order.iter().filter_map(|(list, old)| {
        let new = after.order.get(list)?;
        order_change(list, old, new)
    })
}

fn order_change(list: &str, old: &[String], new: &[String]) -> Option<FieldChange> {
    let kept = |names: &[String], others: &[String]| -> Vec<String> {
        names
            .iter()
            .filter(|name| others.contains(name))
            .cloned()
            .collect()
    };
    let (old, new) = (kept(old, new), kept(new, old));
    (old != new).then(|| FieldChange {
        path: format!("{list} (order)"),
        before: Some(old.join(", ")),
        after: Some(new.join(", ")),
    })
}
