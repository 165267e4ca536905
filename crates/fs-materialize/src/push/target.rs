//! What a push is addressed to: a view, or a source and so the views that are made of it.

use fs_core::suggest::did_you_mean;
use fs_core::{Catalog, FeatureView, Source, SourceName, ViewName};

use crate::Error;

/// Views that take pushed rows.
///
/// ```text
///   name              views
///   a view            that view; the rows have its columns and no others
///   a source          every view of it that is a selection of its columns, under the names that
///                     `field_mapping` gives them; the rows may have more columns than a view takes.
///                     A view with a `query` is left out: what it makes of a row is not known here
/// ```
/// A view comes before a source of the same name.
#[derive(Debug, Clone)]
pub struct Target<'a> {
    /// The views, by name; at least one.
    pub views: Vec<&'a FeatureView>,
    /// The views of the source that take no rows, and why.
    pub left_out: Vec<(ViewName, String)>,
    /// The source, if that is what was named.
    pub(super) source: Option<&'a Source>,
}

impl<'a> Target<'a> {
    /// The view or the source called `name`.
    pub fn named(catalog: &'a Catalog, name: &str) -> Result<Self, Error> {
        let view = catalog
            .feature_views
            .values()
            .find(|view| view.name.as_str() == name);
        if let Some(view) = view {
            return Ok(Self::of_view(view));
        }
        let mut sources = catalog.sources.values();
        if let Some(source) = sources.find(|source| source.name.as_str() == name) {
            return Self::of_source(catalog, source);
        }
        let views = catalog.feature_views.keys().map(ViewName::as_str);
        let sources = catalog.sources.keys().map(SourceName::as_str);
        Err(Error::UnknownTarget {
            name: name.to_owned(),
            nearest: did_you_mean(name, views.chain(sources)).map(str::to_owned),
        })
    }

    /// The view called `view`.
    pub fn view(catalog: &'a Catalog, view: &ViewName) -> Result<Self, Error> {
        let view = crate::materializer::find(catalog, view)?;
        Ok(Self::of_view(view))
    }

    fn of_view(view: &'a FeatureView) -> Self {
        Self {
            views: vec![view],
            left_out: Vec::new(),
            source: None,
        }
    }

    fn of_source(catalog: &'a Catalog, source: &'a Source) -> Result<Self, Error> {
        let views = catalog.feature_views.values();
        let (takes, others): (Vec<_>, Vec<_>) = views
            .filter(|view| view.source == source.name)
            .partition(|view| view.query.is_none());
        let why = |view: &FeatureView| {
            let why = "it is computed by a query; push rows with its columns to the view itself";
            (view.name.clone(), why.to_owned())
        };
        let left_out: Vec<_> = others.into_iter().map(why).collect();
        if takes.is_empty() {
            return Err(Error::NoViewOfSource {
                source_name: source.name.clone(),
                left_out: left_out.into_iter().map(|(view, _)| view).collect(),
            });
        }
        Ok(Self {
            views: takes,
            left_out,
            source: Some(source),
        })
    }
}
