//! Repos in memory.

use std::collections::BTreeMap;
use std::path::Path;

use crate::load::read;
use crate::{Definitions, Problem, Repo, Style, render};

pub(crate) const SETTINGS: &str = "\
project: flights
registry: { path: .fs/registry }
offline_store: { path: .fs/offline }
online_store: { type: embedded, path: .fs/online }
";

/// Definitions without any problem, to which tests add one.
pub(crate) const GOOD: &str = "\
kind: entity
name: plane
join_keys: [{ name: tailnum, type: string }]
---
kind: entity
name: route
join_keys: [{ name: origin, type: string }, { name: dest, type: string }]
---
kind: source
name: planes
format: parquet
path: data/planes.parquet
timestamp_field: event_timestamp
---
kind: feature_view
name: plane_attributes
entities: [plane]
source: planes
schema: [{ name: year, type: int32 }, { name: seats, type: int32 }]
";

pub(crate) fn environment(name: &str) -> Option<String> {
    match name {
        "SET" => Some("from_environment".to_owned()),
        "YAML" => Some("[a, b]".to_owned()),
        _ => None,
    }
}

/// A repo of which the sources have to tell nothing.
pub(crate) fn read_files(files: &[(&str, &str)]) -> Result<Repo, Vec<Problem>> {
    definitions(files)?.complete(BTreeMap::new())
}

pub(crate) fn definitions(files: &[(&str, &str)]) -> Result<Definitions, Vec<Problem>> {
    let files = files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
        .collect();
    read(Path::new("/repo"), files, &environment)
}

/// The repo of good definitions and these.
pub(crate) fn with(definitions: &str) -> Result<Repo, Vec<Problem>> {
    read_files(&[
        ("feature_store.yaml", SETTINGS),
        ("good.yaml", GOOD),
        ("new.yaml", definitions),
    ])
}

/// The problems of good definitions and these, as `file:line:column: message (help)`.
pub(crate) fn problems(definitions: &str) -> Vec<String> {
    match with(definitions) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

/// The same for settings.
pub(crate) fn settings_problems(settings: &str) -> Vec<String> {
    match read_files(&[("feature_store.yaml", settings), ("good.yaml", GOOD)]) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

pub(crate) fn rendered(files: &[(&str, &str)]) -> String {
    match read_files(files) {
        Ok(_) => "no problems\n".to_owned(),
        Err(problems) => render(&problems, Style::Plain),
    }
}

/// Checks that `definitions` have exactly the problems that start like this.
#[track_caller]
pub(crate) fn expect(definitions: &str, expected: &[&str]) {
    same(&problems(definitions), expected);
}

#[track_caller]
pub(crate) fn same(found: &[String], expected: &[&str]) {
    let as_expected = found.len() == expected.len()
        && found
            .iter()
            .zip(expected)
            .all(|(found, expected)| found.contains(expected));
    assert!(as_expected, "found {found:#?}, expected {expected:#?}");
}

pub(crate) fn entity(rest: &str) -> String {
    format!("kind: entity\nname: e\njoin_keys: [{{ name: k, type: int64 }}]\n{rest}\n")
}

pub(crate) fn source(rest: &str) -> String {
    format!("kind: source\nname: s\ntimestamp_field: t\n{rest}\n")
}

pub(crate) fn view(rest: &str) -> String {
    format!(
        "kind: feature_view\nname: v\nentities: [plane]\nsource: planes\nschema: [{{ name: f, type: int32 }}]\n{rest}\n"
    )
}

pub(crate) fn service(features: &str) -> String {
    format!("kind: feature_service\nname: m\nfeatures: {features}\n")
}

pub(crate) fn sql(name: &str, query: &str) -> String {
    format!("kind: source\nname: {name}\nformat: sql\nquery: {query}\ntimestamp_field: t\n---\n")
}
