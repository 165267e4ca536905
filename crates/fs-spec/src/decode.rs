//! From trees to drafts of definitions.
//!
//! A draft is a definition as far as it could be read: every name with its position, and lists that
//! know whether they are complete. Decoders report what is wrong and go on; the checks look at
//! drafts, and only when nothing is wrong anywhere does a draft become a definition.

mod aggregation;
mod entity;
mod expectation;
mod fields;
mod redis;
mod service;
mod settings;
mod source;
mod values;
mod view;

use std::collections::BTreeSet;

use fs_core::{Kind, Meta};

use crate::position::At;
use crate::problem::Sink;
use crate::tree::{Node, Value};

pub(crate) use aggregation::AggregationDraft;
pub(crate) use entity::EntityDraft;
pub(crate) use expectation::{CheckDraft, ExpectationDraft, report_crossed};
pub(crate) use service::{EntryDraft, ServiceDraft};
pub(crate) use settings::{SettingsDraft, settings};
pub(crate) use source::SourceDraft;
pub(crate) use view::ViewDraft;

use fields::Fields;

/// The field names of every map of the format; the JSON Schema is tested against them.
#[cfg(test)]
pub(crate) mod grammar {
    pub(crate) use super::aggregation::AGGREGATION;
    pub(crate) use super::entity::{ENTITY, JOIN_KEY};
    pub(crate) use super::expectation::GRAMMARS as EXPECTATIONS;
    pub(crate) use super::redis::{REDIS, TLS};
    pub(crate) use super::service::{ENTRY, SERVICE};
    pub(crate) use super::settings::{EMBEDDED, ENGINE, FOLDER, SETTINGS};
    pub(crate) use super::source::SOURCE;
    pub(crate) use super::view::{FEATURE, VIEW};

    use std::collections::BTreeSet;

    pub(crate) fn formats() -> BTreeSet<String> {
        super::source::FORMATS.names()
    }

    pub(crate) fn on_failure() -> BTreeSet<String> {
        super::expectation::ON_FAILURE.names()
    }

    pub(crate) fn expect() -> BTreeSet<String> {
        super::expectation::EXPECT.names()
    }

    pub(crate) fn point_in_time() -> BTreeSet<String> {
        super::view::POINT_IN_TIME.names()
    }
}

/// The fields that a map may have.
#[derive(Debug)]
pub(crate) struct Grammar {
    /// Those that work.
    pub(crate) fields: &'static [&'static str],
    /// Those that a later version will know.
    pub(crate) later: &'static [&'static str],
}

/// What could be read of a list.
#[derive(Debug, Clone)]
pub(crate) struct Items<T> {
    pub(crate) items: Vec<T>,
    /// Whether that is all of it. Nobody may say "there is no such item" otherwise.
    pub(crate) complete: bool,
}

impl<T> Default for Items<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            complete: false,
        }
    }
}

/// Everything that the documents of a repo define, as far as it could be read.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    pub(crate) entities: Vec<EntityDraft>,
    pub(crate) sources: Vec<SourceDraft>,
    pub(crate) views: Vec<ViewDraft>,
    pub(crate) services: Vec<ServiceDraft>,
    /// Names of documents whose kind is not known, or not yet: references to them are let pass.
    pub(crate) undecided: BTreeSet<String>,
    /// The kinds of which one more may be defined, in a part of the repo that could not be read.
    pub(crate) incomplete: BTreeSet<Kind>,
}

const KINDS: [Kind; 4] = [
    Kind::Entity,
    Kind::Source,
    Kind::FeatureView,
    Kind::FeatureService,
];
const LATER_KINDS: [&str; 4] = [
    "on_demand_feature_view",
    "stream_feature_view",
    "label_view",
    "permission",
];

impl Drafts {
    /// Decodes one document.
    pub(crate) fn add(&mut self, document: &Node, sink: &mut Sink) {
        match document.value {
            Value::Map(_) => {}
            Value::Broken => {
                self.anything_may_be_missing();
                return;
            }
            _ => {
                self.anything_may_be_missing();
                let message = format!("a definition is a map, and this is {}", document.kind());
                let help = "start it with `kind: entity`, or with another kind";
                sink.report_with_help(&document.at, message, help);
                return;
            }
        }
        let name = document.get("name").map(|name| &name.value);
        let kind = kind(document, sink);
        match (kind, name) {
            (_, Some(Value::Scalar(name))) => {
                if kind.is_none() {
                    self.undecided.insert(name.text.clone());
                }
            }
            (Some(kind), _) => {
                self.incomplete.insert(kind);
            }
            (None, _) => self.anything_may_be_missing(),
        }
        match kind {
            Some(Kind::Entity) => self.entities.extend(entity::decode(document, sink)),
            Some(Kind::Source) => self.sources.extend(source::decode(document, sink)),
            Some(Kind::FeatureView) => self.views.extend(view::decode(document, sink)),
            Some(Kind::FeatureService) => self.services.extend(service::decode(document, sink)),
            None => {}
        }
    }

    /// Says that a part of the repo could not be read at all.
    pub(crate) fn anything_may_be_missing(&mut self) {
        self.incomplete.extend(KINDS);
    }
}

fn kind(document: &Node, sink: &mut Sink) -> Option<Kind> {
    let words = || KINDS.iter().map(|kind| kind.as_str());
    let Some(node) = document.get("kind") else {
        let all: Vec<&str> = words().collect();
        sink.report_with_help(
            &document.at,
            "this definition has no `kind`",
            format!("kinds are {}", all.join(", ")),
        );
        return None;
    };
    let word = values::text(node, "`kind`", sink)?;
    let found = KINDS.into_iter().find(|kind| kind.as_str() == word.value);
    if found.is_some() {
        return found;
    }
    if LATER_KINDS.contains(&word.value.as_str()) {
        let message = values::not_yet(&format!("`kind: {}`", word.value));
        sink.report(&word.at, message);
    } else {
        let message = format!("`{}` is not a kind", word.value);
        values::report_word(&word, message, words(), "kinds are", sink);
    }
    None
}

/// `description`, `owner` and `tags`, which every definition may have.
fn meta(fields: &Fields<'_>, sink: &mut Sink) -> Meta {
    let mut text = |field: &str| {
        let node = fields.optional(field)?;
        values::text(node, &format!("`{field}`"), sink).map(|text| text.value)
    };
    let description = text("description");
    let owner = text("owner");
    let tags = fields.optional("tags").map_or_else(Vec::new, |node| {
        values::text_map(node, "`tags`", "a tag", sink)
    });
    Meta {
        description,
        owner,
        tags: tags
            .into_iter()
            .map(|(key, value)| (key.value, value.value))
            .collect(),
    }
}

/// The map and the name of a definition.
///
/// The name is `None` where it is missing or wrong, which is reported.
fn open<'a, N>(
    document: &'a Node,
    kind: Kind,
    grammar: &'static Grammar,
    sink: &mut Sink,
) -> Option<(Fields<'a>, Option<At<N>>)>
where
    N: std::str::FromStr<Err: std::fmt::Display>,
{
    let called = match document.get("name").map(|name| &name.value) {
        Some(Value::Scalar(name)) => format!("{} `{}`", noun(kind), name.text),
        _ => format!("this {}", noun(kind)),
    };
    let fields = Fields::open(document, called, grammar, sink)?;
    let name = fields
        .required("name", "some_name", sink)
        .and_then(|node| values::parsed(node, "`name`", sink));
    Some((fields, name))
}

/// What people call a kind.
pub(crate) const fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Entity => "entity",
        Kind::Source => "source",
        Kind::FeatureView => "view",
        Kind::FeatureService => "service",
    }
}
