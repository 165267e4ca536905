//! Names of other definitions, and what only works if the other has something.

use fs_core::suggest::did_you_mean;
use fs_core::{Kind, PointInTime};

use crate::Problem;
use crate::check::Index;
use crate::decode::{Drafts, EntryDraft, ViewDraft, noun};
use crate::position::{At, Position};
use crate::problem::{Sink, nearest_or_all};

pub(super) fn check(drafts: &Drafts, index: &Index<'_>, sink: &mut Sink) {
    let unknown = Unknown { drafts };
    for view in &drafts.views {
        for entity in &view.entities.items {
            if !index.entities.contains_key(entity.value.as_str()) {
                let known = index.entities.keys().copied();
                unknown.report(Kind::Entity, entity, known, sink);
            }
        }
        if let Some(source) = &view.source
            && !index.sources.contains_key(source.value.as_str())
        {
            let known = index.sources.keys().copied();
            unknown.report(Kind::Source, source, known, sink);
        }
        known_at(view, index, sink);
    }
    for service in &drafts.services {
        for entry in &service.features.items {
            if let Some(view) = index.views.get(entry.view.value.as_str()) {
                features(entry, view, sink);
                join_keys(entry, view, index, sink);
            } else {
                let known = index.views.keys().copied();
                unknown.report(Kind::FeatureView, &entry.view, known, sink);
            }
        }
    }
}

struct Unknown<'a> {
    drafts: &'a Drafts,
}

impl Unknown<'_> {
    /// Reports a name that nothing has, unless what could not be read may have it. A
    /// name that is nearly right is reported all the same.
    fn report<'a>(
        &self,
        kind: Kind,
        name: &At<impl AsRef<str>>,
        known: impl Iterator<Item = &'a str> + Clone,
        sink: &mut Sink,
    ) {
        let (text, noun) = (name.value.as_ref(), noun(kind));
        if self.drafts.undecided.contains(text) {
            return;
        }
        let may_be_missing = self.drafts.incomplete.contains(&kind);
        if may_be_missing && did_you_mean(text, known.clone()).is_none() {
            return;
        }
        let message = format!("there is no {noun} `{text}`");
        sink.push(with_nearest(&name.at, message, text, known, noun));
    }
}

fn with_nearest<'a>(
    at: &Position,
    message: String,
    wanted: &str,
    known: impl Iterator<Item = &'a str> + Clone,
    noun: &str,
) -> Problem {
    let mut problem = Problem::new(at, message);
    let introduction = match noun {
        "entity" => "there are the entities",
        "source" => "there are the sources",
        "feature" => "its features are",
        "join key" => "its join keys are",
        _ => "there are the views",
    };
    problem.help = nearest_or_all(wanted, known, introduction);
    problem
}

fn known_at(view: &ViewDraft, index: &Index<'_>, sink: &mut Sink) {
    let Some(point_in_time) = &view.point_in_time else {
        return;
    };
    if point_in_time.value != PointInTime::KnownAt {
        return;
    }
    if let Some(source) = index.source_of(view)
        && source.created_timestamp_column.is_none()
    {
        let message = format!(
            "`point_in_time: known_at` needs to know when a row became known, and source `{}` does not say",
            source.name.value
        );
        let help = format!(
            "give the source a `created_timestamp_column` ({})",
            source.name.at
        );
        sink.report_with_help(&point_in_time.at, message, help);
    }
}

fn features(entry: &EntryDraft, view: &ViewDraft, sink: &mut Sink) {
    let (known, complete) = view.features();
    if !complete {
        return;
    }
    let names = known.iter().map(|name| name.value.as_str());
    for feature in entry.features.iter().flatten() {
        let text = feature.value.as_str();
        if !names.clone().any(|name| name == text) {
            let message = format!("view `{}` has no feature `{text}`", view.name.value);
            sink.push(with_nearest(
                &feature.at,
                message,
                text,
                names.clone(),
                "feature",
            ));
        }
    }
}

fn join_keys(entry: &EntryDraft, view: &ViewDraft, index: &Index<'_>, sink: &mut Sink) {
    let complete = view.entities.complete
        && index.entities_of(view).count() == view.entities.items.len()
        && index
            .entities_of(view)
            .all(|entity| entity.join_keys.complete);
    if !complete {
        return;
    }
    let keys: Vec<&str> = index
        .entities_of(view)
        .flat_map(|entity| &entity.join_keys.items)
        .map(|key| key.name.value.as_str())
        .collect();
    for (key, _) in &entry.join_keys {
        let text = key.value.as_str();
        if !keys.contains(&text) {
            let message = format!("view `{}` has no join key `{text}`", view.name.value);
            let known = keys.iter().copied();
            sink.push(with_nearest(&key.at, message, text, known, "join key"));
        }
    }
}
