//! The views that a command is about.

use fs_core::suggest::{did_you_mean, hint};
use fs_core::{Catalog, Code, FeatureView, ViewName};

use crate::failure::Failure;

/// The views of these names, or all of them by name if none is named.
pub(super) fn asked<'a>(
    catalog: &'a Catalog,
    names: &[ViewName],
) -> Result<Vec<&'a FeatureView>, Failure> {
    if names.is_empty() {
        return Ok(catalog.feature_views.values().collect());
    }
    names.iter().map(|name| view(catalog, name)).collect()
}

/// The view of this name.
pub(super) fn view<'a>(catalog: &'a Catalog, name: &ViewName) -> Result<&'a FeatureView, Failure> {
    catalog.feature_views.get(name).ok_or_else(|| {
        let names = catalog.feature_views.keys().map(ViewName::as_str);
        let nearest = hint(did_you_mean(name.as_str(), names));
        Failure::new(
            Code::NotFound,
            format!("there is no feature view `{name}`{nearest}"),
        )
    })
}
