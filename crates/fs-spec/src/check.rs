//! What single definitions cannot show: duplicates, references, types of columns and cycles.

mod cycles;
mod duplicates;
mod expectations;
mod references;
mod windows;

use std::collections::BTreeMap;

use crate::decode::{Drafts, EntityDraft, SourceDraft, ViewDraft};
use crate::problem::Sink;

/// Reports what is wrong between the definitions.
pub(crate) fn check(drafts: &Drafts, sink: &mut Sink) {
    let index = Index::of(drafts);
    duplicates::check(drafts, &index, sink);
    references::check(drafts, &index, sink);
    windows::check(drafts, &index, sink);
    expectations::check(drafts, &index, sink);
    cycles::check(drafts, sink);
}

/// Definitions by name; of several under one name, the first.
struct Index<'a> {
    entities: BTreeMap<&'a str, &'a EntityDraft>,
    sources: BTreeMap<&'a str, &'a SourceDraft>,
    views: BTreeMap<&'a str, &'a ViewDraft>,
}

impl<'a> Index<'a> {
    fn of(drafts: &'a Drafts) -> Self {
        let mut index = Self {
            entities: BTreeMap::new(),
            sources: BTreeMap::new(),
            views: BTreeMap::new(),
        };
        for entity in &drafts.entities {
            let name = entity.name.value.as_str();
            index.entities.entry(name).or_insert(entity);
        }
        for source in &drafts.sources {
            let name = source.name.value.as_str();
            index.sources.entry(name).or_insert(source);
        }
        for view in &drafts.views {
            let name = view.name.value.as_str();
            index.views.entry(name).or_insert(view);
        }
        index
    }

    /// The entities of `view` that are known, in its order.
    fn entities_of(&self, view: &ViewDraft) -> impl Iterator<Item = &'a EntityDraft> {
        view.entities
            .items
            .iter()
            .filter_map(|name| self.entities.get(name.value.as_str()).copied())
    }

    /// The source of `view`, if it is known.
    fn source_of(&self, view: &ViewDraft) -> Option<&'a SourceDraft> {
        let name = view.source.as_ref()?;
        self.sources.get(name.value.as_str()).copied()
    }
}
