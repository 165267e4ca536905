//! Which view is computed from which other views.
//!
//! A view is computed from another one when something that it reads is the offline table of the other: a
//! Delta source whose path is that table, directly or through SQL.
//!
//! ```text
//!   clicks ──► <offline store>/<project>/clicks ──► source raw (delta) ──► source busy (sql) ──► view habits
//!
//!   upstream of habits: clicks
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use fs_core::{Catalog, FeatureView, Location, Source, SourceKind, ViewName};

use crate::sql;

/// Which view is computed from which other views.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    upstream: BTreeMap<ViewName, BTreeSet<ViewName>>,
}

impl Lineage {
    /// The lineage of `catalog`, whose paths are relative to `base_dir` and whose tables lie below
    /// `offline_store`, in the folder of the project.
    pub fn of(catalog: &Catalog, base_dir: &Path, offline_store: &Location) -> Self {
        let root = offline_store.join(catalog.project.as_str());
        let reads = Reads {
            sources: catalog
                .sources
                .values()
                .map(|source| (source.name.as_str().to_lowercase(), source))
                .collect(),
            tables: catalog
                .feature_views
                .keys()
                .map(|view| (tidy(&root.join(view.as_str())), view))
                .collect(),
            base_dir,
        };
        let views = catalog.feature_views.values();
        Self {
            upstream: views
                .map(|view| (view.name.clone(), reads.of_view(view)))
                .collect(),
        }
    }

    /// The views that `view` is computed from, without those that they are computed from.
    pub fn upstream<'a>(&'a self, view: &ViewName) -> impl Iterator<Item = &'a ViewName> {
        self.upstream.get(view).into_iter().flatten()
    }

    /// All views, each after those that it is computed from, else by name. Views in a circle come last.
    pub fn order(&self) -> Vec<&ViewName> {
        let mut order = Vec::with_capacity(self.upstream.len());
        let mut left: BTreeMap<&ViewName, &BTreeSet<ViewName>> = self.upstream.iter().collect();
        while let Some(next) = left
            .iter()
            .find(|(_, upstream)| !upstream.iter().any(|view| left.contains_key(view)))
            .map(|(view, _)| *view)
        {
            left.remove(next);
            order.push(next);
        }
        order.extend(left.into_keys());
        order
    }

    /// Views that are computed from each other in a circle, the first one again at the end.
    pub fn circle(&self) -> Option<Vec<&ViewName>> {
        let order = self.order();
        let in_order = |at: usize, view: &ViewName| order[..at].contains(&view);
        let stuck = order
            .iter()
            .enumerate()
            .find(|(at, view)| self.upstream(view).any(|upstream| !in_order(*at, upstream)))?;
        // Going up from there through what is stuck too, some view comes a second time.
        let mut way = vec![*stuck.1];
        loop {
            let last = way.last()?;
            let next = self.upstream(last).find(|view| !in_order(stuck.0, view))?;
            if let Some(at) = way.iter().position(|view| *view == next) {
                let mut circle = way.split_off(at);
                circle.push(next);
                return Some(circle);
            }
            way.push(next);
        }
    }
}

struct Reads<'a> {
    /// By name in lower case.
    sources: BTreeMap<String, &'a Source>,
    tables: BTreeMap<String, &'a ViewName>,
    base_dir: &'a Path,
}

impl Reads<'_> {
    fn of_view(&self, view: &FeatureView) -> BTreeSet<ViewName> {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut next: Vec<String> = vec![view.source.as_str().to_lowercase()];
        next.extend(view.query.as_deref().map(sql::tables).unwrap_or_default());
        while let Some(name) = next.pop() {
            let Some(source) = self.sources.get(&name) else {
                continue;
            };
            if !seen.insert(name) {
                continue;
            }
            match &source.kind {
                SourceKind::Delta { path } => found.extend(self.view_at(path).cloned()),
                SourceKind::Sql { query } => next.extend(sql::tables(query)),
                SourceKind::Files { .. } => {}
            }
        }
        found
    }

    /// The view whose offline table is at `path`.
    fn view_at(&self, path: &str) -> Option<&ViewName> {
        let location = Location::parse(self.base_dir, path).ok()?;
        self.tables.get(&tidy(&location)).copied()
    }
}

/// A location without `.` and `..`, so that two ways to write one folder are equal.
fn tidy(location: &Location) -> String {
    let Some(folder) = location.to_folder() else {
        return location.to_string();
    };
    let mut tidy = PathBuf::new();
    for part in folder.components() {
        match part {
            Component::ParentDir => {
                tidy.pop();
            }
            Component::CurDir => {}
            other => tidy.push(other),
        }
    }
    tidy.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::files::{SETTINGS, entity, read_files};
    use crate::{Problem, Repo};

    fn delta(name: &str, path: &str) -> String {
        format!(
            "kind: source\nname: {name}\nformat: delta\npath: \"{path}\"\ntimestamp_field: t\n---\n"
        )
    }

    fn sql_source(name: &str, query: &str) -> String {
        format!(
            "kind: source\nname: {name}\nformat: sql\nquery: {query}\ntimestamp_field: t\n---\n"
        )
    }

    fn view(name: &str, source: &str) -> String {
        format!(
            "kind: feature_view\nname: {name}\nentities: [e]\nsource: {source}\n\
             schema: [{{ name: f, type: int32 }}]\n---\n"
        )
    }

    fn read(definitions: &[String]) -> Result<Repo, Vec<Problem>> {
        let all = format!("{}---\n{}", entity(""), definitions.concat());
        read_files(&[("feature_store.yaml", SETTINGS), ("a.yaml", &all)])
    }

    fn lineage(definitions: &[String]) -> Lineage {
        let repo = read(definitions).unwrap();
        Lineage::of(&repo.catalog, &repo.root, &repo.settings.offline_store)
    }

    fn upstream(lineage: &Lineage, view: &str) -> Vec<String> {
        let view = view.parse().unwrap();
        lineage.upstream(&view).map(ToString::to_string).collect()
    }

    #[test]
    fn a_view_over_the_table_of_another_is_computed_from_it_also_through_sql() {
        let found = lineage(&[
            delta("raw", "s3://lake/clicks"),
            view("zz_clicks", "raw"),
            delta("table", ".fs/offline/flights/zz_clicks"),
            view("direct", "table"),
            sql_source("busy", "SELECT * FROM Table JOIN raw USING (k)"),
            sql_source("busier", "SELECT * FROM busy"),
            view("habits", "busier"),
        ]);
        assert_eq!(upstream(&found, "direct"), ["zz_clicks"]);
        assert_eq!(upstream(&found, "habits"), ["zz_clicks"]);
        assert!(upstream(&found, "zz_clicks").is_empty());
        let order: Vec<&str> = found.order().into_iter().map(ViewName::as_str).collect();
        assert_eq!(order, ["zz_clicks", "direct", "habits"]);
        assert_eq!(found.circle(), None);
    }

    #[test]
    fn one_folder_may_be_written_in_several_ways() {
        for path in [
            "/repo/.fs/offline/flights/a",
            "file:///repo/.fs/offline/flights/a",
            "./.fs/../.fs/offline/flights/a/",
        ] {
            let found = lineage(&[
                delta("raw", "x"),
                view("a", "raw"),
                delta("table", path),
                view("b", "table"),
            ]);
            assert_eq!(upstream(&found, "b"), ["a"], "{path}");
        }
    }

    #[test]
    fn views_that_are_computed_from_each_other_are_refused() {
        let circle = [
            delta("of_a", ".fs/offline/flights/a"),
            delta("of_b", ".fs/offline/flights/b"),
            view("a", "of_b"),
            view("b", "of_a"),
            view("c", "of_a"),
        ];
        let problems = read(&circle).unwrap_err();
        assert_eq!(problems.len(), 1);
        let message = problems[0].to_string();
        assert!(
            message.contains("views are computed from each other in a circle: a -> b -> a"),
            "{message}"
        );
    }

    #[test]
    fn a_view_over_its_own_table_is_refused() {
        let own = [delta("own", ".fs/offline/flights/a"), view("a", "own")];
        let message = read(&own).unwrap_err()[0].to_string();
        assert!(message.contains("in a circle: a -> a"), "{message}");
    }
}
