//! What makes two ranged runs the same run, so that the second goes on where the first was killed.

use std::hash::{DefaultHasher, Hash, Hasher};

use fs_core::{Catalog, FeatureView, TimeRange};

/// The key under which a run over `range` notes how far it has come, in the commit with the number
/// `ingest`.
///
/// ```text
///   the same command, definitions and files, and nobody replaced a window since     go on
///   anything else                                                                   from the start
/// ```
/// The number of the commit is part of the key: who looks for the key of the newest commit finds it
/// only if that commit was made by the same run. `features` are those that a backfill fills, whose commits
/// have the number of the last replaced window. `fingerprint` is that of the source. Keys are compared
/// within a day by programs of one release: another release, or another definition of any source or
/// entity, only makes a run start over.
pub(super) fn run_key(
    range: &TimeRange,
    catalog: &Catalog,
    view: &FeatureView,
    features: Option<&[String]>,
    fingerprint: &str,
    ingest: i64,
) -> String {
    let mut hasher = DefaultHasher::new();
    // What cannot be written as JSON has no key of its own; such definitions are not read back either.
    for part in [
        serde_json::to_vec(view),
        serde_json::to_vec(&catalog.sources),
        serde_json::to_vec(&catalog.entities),
    ] {
        part.unwrap_or_default().hash(&mut hasher);
    }
    (range, features, fingerprint, ingest).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use fs_core::EventTime;
    use fs_testkit::catalog;

    use super::*;

    fn catalog(column: &str) -> Catalog {
        catalog::project("shop")
            .entity(catalog::entity("user").key("user", "int64"))
            .source(
                catalog::source("clicks")
                    .parquet("clicks.parquet")
                    .timestamp(column),
            )
            .view(
                catalog::view("activity")
                    .entity("user")
                    .source("clicks")
                    .feature("clicks", "int64"),
            )
            .build()
    }

    #[test]
    fn only_the_same_command_over_the_same_files_and_definitions_has_the_same_key() {
        let range = |end| TimeRange::until(EventTime::from_micros(end));
        let key = |end, column: &str, files: &str, ingest| {
            let catalog = catalog(column);
            let view = &catalog.feature_views["activity"];
            run_key(&range(end), &catalog, view, None, files, ingest)
        };
        let first = key(10, "event", "a", 1);
        assert_eq!(first, key(10, "event", "a", 1));
        for other in [
            key(11, "event", "a", 1),
            key(10, "other", "a", 1),
            key(10, "event", "b", 1),
            key(10, "event", "a", 2),
        ] {
            assert_ne!(first, other);
        }
    }
}
