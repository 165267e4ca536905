//! Imports point down: the layers of ARCHITECTURE.md, checked against what cargo knows.
//!
//! A crate may import crates of lower layers only. The domain and the kernels stay free of runtimes
//! and query engines, serving stays free of the query engine, and fixtures stay in tests.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, Package, PackageId};

/// Every crate of the workspace and its layer.
const LAYERS: [(&str, u8); 18] = [
    ("fs-cli", 6),
    ("fs-load", 5),
    ("fs-server", 5),
    ("fs-scheduler", 4),
    ("fs-materialize", 3),
    ("fs-serving", 3),
    ("fs-training", 3),
    ("fs-engine", 2),
    ("fs-offline", 2),
    ("fs-online-lmdb", 2),
    ("fs-online-redis", 2),
    ("fs-registry", 2),
    ("fs-online", 1),
    ("fs-pit", 1),
    ("fs-proto", 1),
    ("fs-spec", 1),
    ("fs-core", 0),
    // Beside the layers: it may import the domain only, and nothing but tests may import it.
    (TESTKIT, 1),
];

/// Fixtures.
const TESTKIT: &str = "fs-testkit";

/// Outside the layers: nothing imports them, they may import everything.
const ON_TOP: [&str; 2] = ["fs-benches", "fs-integration"];

/// What a crate must never reach, however indirectly: the crate, and a package and its family.
const OUT_OF_REACH: [(&str, &str); 5] = [
    ("fs-core", "tokio"),
    ("fs-core", "datafusion"),
    ("fs-pit", "tokio"),
    ("fs-pit", "datafusion"),
    ("fs-serving", "datafusion"),
];

#[test]
fn every_crate_of_the_workspace_has_a_layer() -> Result<()> {
    let metadata = metadata()?;
    let found: BTreeSet<&str> = crates(&metadata)
        .map(|package| package.name.as_str())
        .collect();
    let known: BTreeSet<&str> = LAYERS.iter().map(|(name, _)| *name).chain(ON_TOP).collect();
    let missing: Vec<&&str> = found.difference(&known).collect();
    ensure!(
        missing.is_empty(),
        "give these crates a layer in LAYERS: {missing:?}"
    );
    let gone: Vec<&&str> = known.difference(&found).collect();
    ensure!(
        gone.is_empty(),
        "these crates are gone, remove them from LAYERS: {gone:?}"
    );
    Ok(())
}

#[test]
fn imports_point_down() -> Result<()> {
    let metadata = metadata()?;
    let mut problems = Vec::new();
    for package in crates(&metadata) {
        for import in imports(package) {
            problems.extend(problem_with(&package.name, import));
        }
    }
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

#[test]
fn the_domain_and_the_kernels_reach_no_runtime_and_serving_reaches_no_query_engine() -> Result<()> {
    let metadata = metadata()?;
    let mut problems = Vec::new();
    for (from, family) in OUT_OF_REACH {
        if let Some(path) = path_to(&metadata, from, family)? {
            problems.push(format!("{from} reaches {family}: {}", path.join(" -> ")));
        }
    }
    ensure!(problems.is_empty(), "{}", problems.join("\n"));
    Ok(())
}

#[test]
fn the_crate_table_of_the_architecture_says_the_same() -> Result<()> {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md"))?;
    let mut written: BTreeMap<&str, u8> = BTreeMap::new();
    let mut layer = None;
    for row in text.lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, label, names, ..] = cells[..] else {
            continue;
        };
        if !label.is_empty() {
            layer = label.strip_prefix('L').and_then(|digit| digit.parse().ok());
        }
        let Some(layer) = layer else { continue };
        // Every other piece between backticks is a name.
        for name in names.split('`').skip(1).step_by(2) {
            written.insert(name, layer);
        }
    }
    let known: BTreeMap<&str, u8> = LAYERS
        .into_iter()
        .filter(|(name, _)| *name != TESTKIT)
        .collect();
    assert_eq!(written, known);
    Ok(())
}

#[test]
fn an_arrow_that_points_up_or_sideways_is_named() {
    assert_eq!(problem_with("fs-serving", "fs-online"), None);
    assert_eq!(problem_with("fs-integration", "fs-server"), None);
    assert_eq!(problem_with("fs-integration", TESTKIT), None);
    assert_eq!(
        problem_with("fs-pit", "fs-engine").as_deref(),
        Some("fs-pit (L1) -> fs-engine (L2) does not point down")
    );
    assert_eq!(
        problem_with("fs-offline", "fs-registry").as_deref(),
        Some("fs-offline (L2) -> fs-registry (L2) does not point down")
    );
    assert_eq!(
        problem_with("fs-server", TESTKIT).as_deref(),
        Some("fs-server -> fs-testkit: fixtures are for [dev-dependencies]")
    );
    assert_eq!(
        problem_with("fs-cli", "fs-benches").as_deref(),
        Some("fs-cli -> fs-benches: nothing imports that")
    );
}

#[test]
fn a_path_that_exists_is_found() -> Result<()> {
    let metadata = metadata()?;
    let path = path_to(&metadata, "fs-cli", "datafusion")?.context("fs-cli runs queries")?;
    assert_eq!(path.first().map(String::as_str), Some("fs-cli"));
    assert!(
        path.last()
            .is_some_and(|name| name.starts_with("datafusion")),
        "{path:?}"
    );
    Ok(())
}

/// What is wrong with `from` importing `to`, both crates of the workspace.
fn problem_with(from: &str, to: &str) -> Option<String> {
    if ON_TOP.contains(&to) {
        return Some(format!("{from} -> {to}: nothing imports that"));
    }
    if ON_TOP.contains(&from) {
        return None;
    }
    if to == TESTKIT {
        return Some(format!(
            "{from} -> {to}: fixtures are for [dev-dependencies]"
        ));
    }
    let layer = |name: &str| {
        LAYERS
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, at)| *at)
    };
    match (layer(from), layer(to)) {
        (Some(high), Some(low)) if low < high => None,
        (Some(high), Some(low)) => Some(format!(
            "{from} (L{high}) -> {to} (L{low}) does not point down"
        )),
        _ => Some(format!(
            "{from} -> {to}: one of them has no layer in LAYERS"
        )),
    }
}

fn crates(metadata: &Metadata) -> impl Iterator<Item = &Package> {
    metadata.workspace_packages().into_iter()
}

/// The crates of the workspace that `package` imports, outside its tests.
fn imports(package: &Package) -> impl Iterator<Item = &str> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.path.is_some())
        .filter(|dependency| dependency.kind != DependencyKind::Development)
        .map(|dependency| dependency.name.as_str())
}

/// A shortest way from the crate `from` to a package of `family`: `datafusion`, `datafusion-common` …
/// Ways through tests and build scripts do not count.
fn path_to(metadata: &Metadata, from: &str, family: &str) -> Result<Option<Vec<String>>> {
    let graph = metadata
        .resolve
        .as_ref()
        .context("cargo resolved nothing")?;
    let nodes: BTreeMap<&PackageId, _> = graph.nodes.iter().map(|node| (&node.id, node)).collect();
    let start = crates(metadata)
        .find(|package| package.name.as_str() == from)
        .with_context(|| format!("there is no crate {from}"))?;
    let mut ways = VecDeque::from([(&start.id, vec![from.to_owned()])]);
    let mut seen = BTreeSet::from([&start.id]);
    while let Some((at, way)) = ways.pop_front() {
        for dependency in nodes.get(at).into_iter().flat_map(|node| &node.deps) {
            let linked = dependency
                .dep_kinds
                .iter()
                .any(|kind| kind.kind == DependencyKind::Normal);
            if !linked || !seen.insert(&dependency.pkg) {
                continue;
            }
            let name = metadata[&dependency.pkg].name.to_string();
            let mut way = way.clone();
            way.push(name.clone());
            if name == family || name.starts_with(&format!("{family}-")) {
                return Ok(Some(way));
            }
            ways.push_back((&dependency.pkg, way));
        }
    }
    Ok(None)
}

/// What cargo knows about the workspace, for this kind of machine and without the network.
fn metadata() -> Result<Metadata> {
    let host = host()?;
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .features(CargoOpt::AllFeatures)
        .other_options(["--offline", "--filter-platform", &host].map(str::to_owned))
        .exec()
        .context("cargo metadata")
}

fn host() -> Result<String> {
    let output = Command::new("rustc")
        .arg("-vV")
        .output()
        .context("rustc -vV")?;
    let text = String::from_utf8(output.stdout)?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc tells no host")?.to_owned())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
