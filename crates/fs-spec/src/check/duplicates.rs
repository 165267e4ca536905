//! Two things of one name. Letter case does not tell names apart, since SQL does not either.

use std::collections::BTreeMap;

use fs_core::Kind;

use crate::check::Index;
use crate::decode::{Drafts, EntityDraft, ServiceDraft, ViewDraft, noun};
use crate::position::{At, Position};
use crate::problem::Sink;

pub(super) fn check(drafts: &Drafts, index: &Index<'_>, sink: &mut Sink) {
    let entities = drafts.entities.iter().map(|draft| named(&draft.name));
    definitions(Kind::Entity, entities, sink);
    let sources = drafts.sources.iter().map(|draft| named(&draft.name));
    definitions(Kind::Source, sources, sink);
    let views = drafts.views.iter().map(|draft| named(&draft.name));
    definitions(Kind::FeatureView, views, sink);
    let services = drafts.services.iter().map(|draft| named(&draft.name));
    definitions(Kind::FeatureService, services, sink);

    for entity in &drafts.entities {
        join_keys(entity, sink);
    }
    for view in &drafts.views {
        features(view, sink);
        expectations(view, sink);
        columns(view, index, sink);
    }
    for service in &drafts.services {
        labels(service, sink);
    }
}

fn named<N: AsRef<str>>(name: &At<N>) -> (&str, &Position) {
    (name.value.as_ref(), &name.at)
}

fn first_is_at(sink: &mut Sink, at: &Position, message: String, first: &Position) {
    sink.report_with_help(at, message, format!("the first is at {first}"));
}

fn definitions<'a>(
    kind: Kind,
    names: impl Iterator<Item = (&'a str, &'a Position)>,
    sink: &mut Sink,
) {
    let noun = noun(kind);
    let mut seen: BTreeMap<String, (&str, &Position)> = BTreeMap::new();
    for (name, at) in names {
        let (first, first_at) = *seen.entry(name.to_lowercase()).or_insert((name, at));
        if first_at == at {
            continue;
        }
        let message = if first == name {
            format!("{noun} `{name}` is defined twice")
        } else {
            format!("{noun} `{name}` and {noun} `{first}` differ only in letter case")
        };
        first_is_at(sink, at, message, first_at);
    }
}

fn join_keys(entity: &EntityDraft, sink: &mut Sink) {
    let keys = entity.join_keys.items.iter().map(|key| named(&key.name));
    let owner = format!("entity `{}`", entity.name.value);
    twice(
        keys,
        |name| format!("{owner} has two join keys `{name}`"),
        sink,
    );
}

fn features(view: &ViewDraft, sink: &mut Sink) {
    let owner = format!("view `{}`", view.name.value);
    if view.is_windowed() {
        let inputs = view.stored.items.iter().map(|input| named(&input.name));
        twice(
            inputs,
            |name| format!("{owner} has two columns `{name}`"),
            sink,
        );
        aggregations(view, sink);
        return;
    }
    let (features, _) = view.features();
    twice(
        features.into_iter().map(named),
        |name| format!("{owner} has two features `{name}`"),
        sink,
    );
}

/// The features of all aggregations of a view.
fn aggregations(view: &ViewDraft, sink: &mut Sink) {
    let (features, _) = view.features();
    let mut seen: BTreeMap<String, &Position> = BTreeMap::new();
    for feature in features {
        let name = &feature.value;
        // An alias repeats windows at one place, so the place does not tell features apart.
        if let Some(first) = seen.insert(name.as_str().to_lowercase(), &feature.at) {
            let message = format!("view `{}` has two features `{name}`", view.name.value);
            let help = format!("the first is at {first}; give one aggregation another `name`");
            sink.report_with_help(&feature.at, message, help);
        }
    }
}

fn expectations(view: &ViewDraft, sink: &mut Sink) {
    let mut seen: BTreeMap<String, &Position> = BTreeMap::new();
    for expectation in &view.expectations {
        let name = expectation.name();
        let given = expectation.name.as_ref().map(|name| &name.at);
        let at = given.unwrap_or(&expectation.kind.at);
        let first = *seen.entry(name.to_lowercase()).or_insert(at);
        if first != at {
            let owner = &view.name.value;
            let message = format!("view `{owner}` has two expectations called `{name}`");
            let help = format!("the first is at {first}; give one of them another `name`");
            sink.report_with_help(at, message, help);
        }
    }
}

fn twice<'a>(
    names: impl Iterator<Item = (&'a str, &'a Position)>,
    message: impl Fn(&str) -> String,
    sink: &mut Sink,
) {
    let mut seen: BTreeMap<String, &Position> = BTreeMap::new();
    for (name, at) in names {
        let first = *seen.entry(name.to_lowercase()).or_insert(at);
        if first != at {
            first_is_at(sink, at, message(name), first);
        }
    }
}

/// The columns that a view takes already.
struct Taken(BTreeMap<String, String>);

impl Taken {
    fn by(&self, name: &str) -> Option<&str> {
        self.0.get(&name.to_lowercase()).map(String::as_str)
    }

    fn take(&mut self, name: &str, owner: String) {
        self.0.entry(name.to_lowercase()).or_insert(owner);
    }
}

/// Keys, time columns and features share one row, so their names must differ.
fn columns(view: &ViewDraft, index: &Index<'_>, sink: &mut Sink) {
    let mut taken = Taken(BTreeMap::new());
    if let Some(source) = index.source_of(view) {
        let name = &source.name.value;
        if let Some(column) = &source.timestamp_field {
            taken.take(
                &column.value,
                format!("the `timestamp_field` of source `{name}`"),
            );
        }
        if let Some(column) = source.created_timestamp_column.column() {
            let owner = format!("the `created_timestamp_column` of source `{name}`");
            taken.take(&column.value, owner);
        }
    }
    entities(view, index, &mut taken, sink);
    let what = if view.is_windowed() {
        "column"
    } else {
        "feature"
    };
    for column in &view.stored.items {
        if let Some(owner) = taken.by(column.name.value.as_str()) {
            let message = format!("{what} `{}` has the name of {owner}", column.name.value);
            let help = "give it another name, with `query: SELECT column AS other_name, …`";
            sink.report_with_help(&column.name.at, message, help);
        }
    }
    if view.is_windowed() {
        features_and_keys(view, index, sink);
    }
}

/// Features that are computed come back beside the keys, and beside nothing else of the row.
fn features_and_keys(view: &ViewDraft, index: &Index<'_>, sink: &mut Sink) {
    let keys = index.entities_of(view);
    let keys = keys.flat_map(|entity| &entity.join_keys.items);
    let keys: Vec<&str> = keys.map(|key| key.name.value.as_str()).collect();
    let (features, _) = view.features();
    for feature in features {
        let name = feature.value.as_str();
        if keys.iter().any(|key| key.eq_ignore_ascii_case(name)) {
            let message = format!("feature `{name}` has the name of a join key");
            sink.report_with_help(&feature.at, message, "give the aggregation another `name`");
        }
    }
}

fn entities(view: &ViewDraft, index: &Index<'_>, taken: &mut Taken, sink: &mut Sink) {
    let mut seen: BTreeMap<&str, &Position> = BTreeMap::new();
    for reference in &view.entities.items {
        let name = reference.value.as_str();
        if let Some(first) = seen.insert(name, &reference.at) {
            let message = format!("view `{}` has entity `{name}` twice", view.name.value);
            first_is_at(sink, &reference.at, message, first);
            continue;
        }
        let Some(entity) = index.entities.get(name) else {
            continue;
        };
        let mut own = Vec::new();
        for key in &entity.join_keys.items {
            let key = key.name.value.as_str();
            if let Some(owner) = taken.by(key) {
                let message =
                    format!("join key `{key}` of entity `{name}` has the name of {owner}");
                let help = format!(
                    "both would be the column `{key}` of view `{}`",
                    view.name.value
                );
                sink.report_with_help(&reference.at, message, help);
            }
            own.push(key);
        }
        // Only now, so that an entity never clashes with itself here.
        for key in own {
            taken.take(key, format!("a join key of entity `{name}`"));
        }
    }
}

/// What a service takes under one label, and every feature, only once.
fn labels(service: &ServiceDraft, sink: &mut Sink) {
    let name = &service.name.value;
    let mut seen: BTreeMap<&str, &Position> = BTreeMap::new();
    for entry in &service.features.items {
        let label = entry.label();
        if let Some(first) = seen.insert(label.value.as_str(), &label.at) {
            let message = format!("service `{name}` has two views called `{}`", label.value);
            let help = format!(
                "the first is at {first}; list all features in one place, or give one of them \
                 another name: `{{ view: {}, as: other_name }}`",
                entry.view.value
            );
            sink.report_with_help(&label.at, message, help);
        }
        let features = entry.features.iter().flatten().map(named);
        twice(
            features,
            |feature| format!("service `{name}` takes `{}:{feature}` twice", label.value),
            sink,
        );
    }
}
