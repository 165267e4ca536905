//! Where rows go that are pushed to a name of Feast: all views of a source, or one view.
//!
//! A view with a `query` gets its rows from what the query makes of its source, which takes more than one
//! row to say. Rows that are pushed to the source go past it; they reach it by a materialization.

use fs_core::suggest::did_you_mean;
use fs_core::{Catalog, FeatureView, SourceName, ViewName};

use super::FeastError;

/// The views that rows for the push source `name` go to; at least one.
pub(super) fn of_source<'a>(
    catalog: &'a Catalog,
    name: &str,
) -> Result<Vec<&'a FeatureView>, FeastError> {
    let Some(source) = catalog.sources.keys().find(|key| key.as_str() == name) else {
        let view = find(catalog, name);
        return view
            .map(|view| vec![view])
            .ok_or_else(|| unknown(catalog, name));
    };
    let made = catalog
        .feature_views
        .values()
        .filter(|view| view.source == *source);
    let (queried, direct): (Vec<_>, Vec<_>) = made.partition(|view| view.query.is_some());
    let name = name.to_owned();
    match (direct.is_empty(), queried.first()) {
        (false, _) => Ok(direct),
        (true, Some(view)) => Err(FeastError::PushThroughQuery {
            name,
            view: view.name.clone(),
        }),
        (true, None) => Err(FeastError::NothingToPushTo { name }),
    }
}

/// The view `name`.
pub(super) fn of_view<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a FeatureView, FeastError> {
    find(catalog, name).ok_or_else(|| {
        let names = catalog.feature_views.keys().map(ViewName::as_str);
        FeastError::UnknownView {
            name: name.to_owned(),
            nearest: did_you_mean(name, names).map(str::to_owned),
        }
    })
}

fn find<'a>(catalog: &'a Catalog, name: &str) -> Option<&'a FeatureView> {
    let views = &catalog.feature_views;
    views.values().find(|view| view.name.as_str() == name)
}

fn unknown(catalog: &Catalog, name: &str) -> FeastError {
    let sources = catalog.sources.keys().map(SourceName::as_str);
    let views = catalog.feature_views.keys().map(ViewName::as_str);
    FeastError::UnknownPushSource {
        name: name.to_owned(),
        nearest: did_you_mean(name, sources.chain(views)).map(str::to_owned),
    }
}
