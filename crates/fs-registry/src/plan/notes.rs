//! What is worth knowing about a change that blocks nothing.

use fs_core::{Catalog, FeatureView};

use super::hurt::{Services, resolve};
use super::windows;

/// The notes on the way from `old` to `new`, views first; `services` are those of `new`.
pub(super) fn find(old: &Catalog, new: &Catalog, services: &Services) -> Vec<String> {
    let mut notes = Vec::new();
    for before in old.feature_views.values() {
        if let Some(after) = new.feature_views.get(&before.name) {
            notes.extend(windows::turn(before, after));
            notes.extend(other_rows(old, before, new, after));
            notes.extend(windows::notes(before, after, services));
        }
    }
    for (service, after) in services {
        let Some(before) = resolve(old, service).ok() else {
            continue;
        };
        let before = before.key_columns();
        let after = after.key_columns();
        let wanted: Vec<String> = after
            .iter()
            .filter(|key| before.iter().all(|known| known.column != key.column))
            .map(|key| format!("`{}`", key.column))
            .collect();
        if !wanted.is_empty() {
            notes.push(format!(
                "{service}: its callers have to send {} as well",
                wanted.join(", ")
            ));
        }
    }
    notes
}

/// Whether the rows that are there already were computed in another way.
fn other_rows(
    old: &Catalog,
    before: &FeatureView,
    new: &Catalog,
    after: &FeatureView,
) -> Option<String> {
    let what = if before.query != after.query {
        "its query"
    } else if before.source != after.source {
        "its source"
    } else {
        let (was, is) = (
            old.sources.get(&before.source)?,
            new.sources.get(&after.source)?,
        );
        let reads = |source: &fs_core::Source| {
            (
                source.kind.clone(),
                source.timestamp_field.clone(),
                source.created_timestamp_column.clone(),
                source.field_mapping.clone(),
            )
        };
        (reads(was) != reads(is)).then_some("what its source reads")?
    };
    Some(format!(
        "{}: {what} changes; rows that are there already stay as they are until they are \
         materialized again",
        after.name
    ))
}
