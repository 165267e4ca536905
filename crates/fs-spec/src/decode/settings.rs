//! `feature_store.yaml`.

use std::path::Path;

use fs_core::{Location, ProjectName};

use crate::decode::fields::Fields;
use crate::decode::values::Words;
use crate::decode::{Grammar, redis, values};
use crate::memory_size;
use crate::position::{At, Position};
use crate::problem::Sink;
use crate::settings::{OnlineStoreSettings, Settings};
use crate::tree::{Node, Value};

pub(crate) const SETTINGS: Grammar = Grammar {
    fields: &[
        "project",
        "registry",
        "offline_store",
        "online_store",
        "engine",
    ],
    later: &[],
};
pub(crate) const FOLDER: Grammar = Grammar {
    fields: &["path"],
    later: &[],
};
pub(crate) const EMBEDDED: Grammar = Grammar {
    fields: &["type", "path"],
    later: &[],
};
pub(crate) const ENGINE: Grammar = Grammar {
    fields: &["type", "memory_limit"],
    later: &[],
};
/// An online store or an engine whose type is not known: only the type is looked at.
const ANY_STORE: Grammar = Grammar {
    fields: &["type", "path", "url", "memory_limit"],
    later: &[],
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Online {
    Embedded,
    Redis,
}

const ONLINE_STORES: Words<Online> = Words {
    noun: "type of online store",
    known: &[("embedded", Online::Embedded), ("redis", Online::Redis)],
    later: &[],
};
const ENGINES: Words<()> = Words {
    noun: "engine type",
    known: &[("local", ())],
    later: &["ballista"],
};

/// The settings as far as they could be read, and where they are written.
#[derive(Debug)]
pub(crate) struct SettingsDraft {
    pub(crate) project: Option<At<ProjectName>>,
    pub(crate) registry: Option<At<Location>>,
    pub(crate) offline_store: Option<At<Location>>,
    pub(crate) online_store: Option<At<OnlineStoreSettings>>,
    memory_limit: Option<u64>,
    pub(crate) at: Position,
}

impl SettingsDraft {
    /// The settings; `None` only if a problem was reported.
    pub(crate) fn finish(&self) -> Option<Settings> {
        Some(Settings {
            project: self.project.as_ref()?.value.clone(),
            registry: self.registry.as_ref()?.value.clone(),
            offline_store: self.offline_store.as_ref()?.value.clone(),
            online_store: self.online_store.as_ref()?.value.clone(),
            memory_limit: self.memory_limit,
        })
    }
}

/// Decodes `feature_store.yaml`, whose relative paths are below `root`.
pub(crate) fn settings(document: &Node, root: &Path, sink: &mut Sink) -> Option<SettingsDraft> {
    let called = "feature_store.yaml".to_owned();
    let fields = Fields::open(document, called, &SETTINGS, sink)?;
    let project = fields
        .required("project", "some_name", sink)
        .and_then(|node| values::parsed(node, "`project`", sink));
    let mut folder = |field: &str, example: &str| {
        let node = fields.required(field, &format!("{{ path: {example} }}"), sink)?;
        let inner = Fields::open(node, format!("`{field}`"), &FOLDER, sink)?;
        let path = inner.required("path", example, sink)?;
        values::checked(path, "`path`", |path| Location::parse(root, path), sink)
    };
    let registry = folder("registry", ".fs/registry");
    let offline_store = folder("offline_store", ".fs/offline");
    let online_store = fields
        .required("online_store", "{ type: embedded, path: .fs/online }", sink)
        .and_then(|node| online_store(node, root, sink));
    let memory_limit = fields
        .optional("engine")
        .and_then(|node| engine(node, sink));
    Some(SettingsDraft {
        project,
        registry,
        offline_store,
        online_store,
        memory_limit,
        at: document.at.clone(),
    })
}

fn online_store(node: &Node, root: &Path, sink: &mut Sink) -> Option<At<OnlineStoreSettings>> {
    let called = "`online_store`".to_owned();
    match store_type(node, &called, &ONLINE_STORES, sink)? {
        Online::Embedded => embedded(node, root, sink),
        Online::Redis => redis::decode(node, root, sink),
    }
}

fn embedded(node: &Node, root: &Path, sink: &mut Sink) -> Option<At<OnlineStoreSettings>> {
    let fields = Fields::open(node, "an embedded online store".to_owned(), &EMBEDDED, sink)?;
    let path = fields.required("path", ".fs/online", sink)?;
    let path = values::text(path, "`path`", sink)?;
    if path.value.contains("://") {
        let message = format!(
            "`{}` is a URL; an embedded online store is a folder of this machine",
            path.value
        );
        sink.report(&path.at, message);
        return None;
    }
    Some(At {
        value: OnlineStoreSettings::Embedded {
            path: root.join(&path.value).components().collect(),
        },
        at: path.at,
    })
}

fn engine(node: &Node, sink: &mut Sink) -> Option<u64> {
    store_type(node, "`engine`", &ENGINES, sink)?;
    let fields = Fields::open(node, "a local engine".to_owned(), &ENGINE, sink)?;
    let limit = fields.optional("memory_limit")?;
    let limit = values::checked(limit, "`memory_limit`", memory_size::parse, sink)?;
    Some(limit.value)
}

/// The type of a store or engine, which decides about its other fields.
fn store_type<T: Copy>(node: &Node, called: &str, types: &Words<T>, sink: &mut Sink) -> Option<T> {
    let example = types.known.first().map_or("", |(word, _)| *word);
    // The other fields are looked at once the type is known.
    let mut unknown_fields = Sink::default();
    let fields = match node.value {
        Value::Map(_) => Fields::open(node, called.to_owned(), &ANY_STORE, &mut unknown_fields)?,
        _ => Fields::open(node, called.to_owned(), &ANY_STORE, sink)?,
    };
    let word = fields.required("type", example, sink)?;
    types.read(word, sink).map(|word| word.value)
}
