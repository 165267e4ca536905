//! `kind: feature_service`.
//!
//! What a service takes from a view is written in one of these ways:
//!
//! ```yaml
//! features:
//!   - planes                                     # all of it
//!   - planes: [year, seats]                      # some of it
//!   - { view: planes }                           # all of it
//!   - { view: planes, as: old_planes, join_keys: { tailnum: old_tailnum }, features: [year] }
//! ```

use fs_core::{
    FeatureName, FeatureService, KeyName, Kind, Meta, Selected, ServiceEntry, ServiceName, ViewName,
};

use crate::decode::fields::Fields;
use crate::decode::{Grammar, Items, meta, open, values};
use crate::position::At;
use crate::problem::Sink;
use crate::tree::{Node, Pair, Value};

pub(crate) const SERVICE: Grammar = Grammar {
    fields: &["kind", "name", "features", "description", "owner", "tags"],
    later: &["logging", "versions"],
};
pub(crate) const ENTRY: Grammar = Grammar {
    fields: &["view", "as", "join_keys", "features"],
    later: &["version"],
};

/// A feature service as far as it could be read.
#[derive(Debug)]
pub(crate) struct ServiceDraft {
    pub(crate) name: At<ServiceName>,
    pub(crate) features: Items<EntryDraft>,
    meta: Meta,
}

/// What a service takes from one view, as far as it could be read.
#[derive(Debug)]
pub(crate) struct EntryDraft {
    pub(crate) view: At<ViewName>,
    pub(crate) alias: Option<At<ViewName>>,
    pub(crate) join_keys: Vec<(At<KeyName>, At<String>)>,
    /// `None` for all of them.
    pub(crate) features: Option<Vec<At<FeatureName>>>,
}

impl EntryDraft {
    /// The name that the view goes by in the service.
    pub(crate) fn label(&self) -> &At<ViewName> {
        self.alias.as_ref().unwrap_or(&self.view)
    }

    fn finish(&self) -> ServiceEntry {
        let names = |features: &Vec<At<FeatureName>>| {
            let names = features.iter().map(|feature| feature.value.clone());
            Selected::Only(names.collect())
        };
        let join_keys = self.join_keys.iter();
        ServiceEntry {
            view: self.view.value.clone(),
            alias: self.alias.as_ref().map(|alias| alias.value.clone()),
            join_keys: join_keys
                .map(|(key, column)| (key.value.clone(), column.value.clone()))
                .collect(),
            features: self.features.as_ref().map_or(Selected::All, names),
        }
    }
}

impl ServiceDraft {
    /// The service.
    pub(crate) fn finish(&self) -> FeatureService {
        let features = self.features.items.iter();
        FeatureService {
            name: self.name.value.clone(),
            features: features.map(EntryDraft::finish).collect(),
            meta: self.meta.clone(),
        }
    }
}

pub(crate) fn decode(document: &Node, sink: &mut Sink) -> Option<ServiceDraft> {
    let (fields, name) = open(document, Kind::FeatureService, &SERVICE, sink)?;
    let features = features(&fields, sink).unwrap_or_default();
    let meta = meta(&fields, sink);
    Some(ServiceDraft {
        name: name?,
        features,
        meta,
    })
}

fn features(fields: &Fields<'_>, sink: &mut Sink) -> Option<Items<EntryDraft>> {
    let node = fields.required("features", "[some_view]", sink)?;
    let nodes = values::list(node, "`features`", sink)?;
    if nodes.is_empty() {
        let message = format!("{} needs at least one view", fields.called);
        sink.report(&node.at, message);
    }
    let entries: Vec<EntryDraft> = nodes
        .iter()
        .filter_map(|node| entry(node, fields, sink))
        .collect();
    Some(Items {
        complete: entries.len() == nodes.len(),
        items: entries,
    })
}

fn entry(node: &Node, service: &Fields<'_>, sink: &mut Sink) -> Option<EntryDraft> {
    match &node.value {
        Value::Scalar(_) => whole_view(node, sink),
        Value::Map(pairs) => match pairs.as_slice() {
            [pair] if pair.key != "view" || matches!(pair.value.value, Value::List(_)) => {
                some_features(pair, sink)
            }
            _ => long_form(node, service, sink),
        },
        Value::Broken => None,
        Value::Null | Value::List(_) => {
            sink.report_with_help(
                &node.at,
                format!("a view of {} must be a name or a map, and this is {}", service.called, node.kind()),
                "write `some_view`, `some_view: [some_feature]` or `{ view: some_view, as: other_name }`",
            );
            None
        }
    }
}

fn whole_view(node: &Node, sink: &mut Sink) -> Option<EntryDraft> {
    let text = values::text(node, "a view", sink)?;
    if let Some((view, feature)) = text.value.split_once(':') {
        let message = format!("`{}` is not the name of a view", text.value);
        let help = format!("write `{}: [{}]`", view.trim(), feature.trim());
        sink.report_with_help(&text.at, message, help);
        return None;
    }
    Some(EntryDraft {
        view: values::parsed(node, "a view", sink)?,
        alias: None,
        join_keys: Vec::new(),
        features: None,
    })
}

/// `view: [feature, …]`.
fn some_features(pair: &Pair, sink: &mut Sink) -> Option<EntryDraft> {
    let view = values::parsed_key(&pair.key, &pair.key_at, sink);
    let Value::List(_) = &pair.value.value else {
        if !matches!(pair.value.value, Value::Broken) {
            sink.report_with_help(
                &pair.value.at,
                format!(
                    "after `{}:` comes a list of its features, and this is {}",
                    pair.key,
                    pair.value.kind()
                ),
                format!(
                    "write `{}: [some_feature]`, or `{}` alone for all of them",
                    pair.key, pair.key
                ),
            );
        }
        return None;
    };
    let features = feature_names(&pair.value, sink)?;
    Some(EntryDraft {
        view: view?,
        alias: None,
        join_keys: Vec::new(),
        features: Some(features),
    })
}

fn long_form(node: &Node, service: &Fields<'_>, sink: &mut Sink) -> Option<EntryDraft> {
    let called = format!("a view of {}", service.called);
    let fields = Fields::open(node, called, &ENTRY, sink)?;
    let view = fields
        .required("view", "some_view", sink)
        .and_then(|node| values::parsed(node, "`view`", sink));
    let alias = fields
        .optional("as")
        .map(|node| values::parsed(node, "`as`", sink));
    let join_keys = fields
        .optional("join_keys")
        .map_or_else(Vec::new, |node| join_keys(node, sink));
    let features = fields
        .optional("features")
        .map(|node| feature_names(node, sink));
    let (alias, features) = match (alias, features) {
        (Some(None), _) | (_, Some(None)) => return None,
        (alias, features) => (alias.flatten(), features.flatten()),
    };
    Some(EntryDraft {
        view: view?,
        alias,
        join_keys,
        features,
    })
}

fn join_keys(node: &Node, sink: &mut Sink) -> Vec<(At<KeyName>, At<String>)> {
    let pairs = values::text_map(node, "`join_keys`", "a join key", sink);
    pairs
        .into_iter()
        .filter_map(|(key, column)| {
            let key = values::parsed_key(&key.value, &key.at, sink)?;
            Some((key, column))
        })
        .collect()
}

fn feature_names(node: &Node, sink: &mut Sink) -> Option<Vec<At<FeatureName>>> {
    let nodes = values::list(node, "`features`", sink)?;
    if nodes.is_empty() {
        sink.report_with_help(
            &node.at,
            "an empty list chooses no feature",
            "name at least one, or leave the list out to take all of them",
        );
    }
    let names = nodes
        .iter()
        .filter_map(|node| values::parsed(node, "a feature", sink));
    Some(names.collect())
}
