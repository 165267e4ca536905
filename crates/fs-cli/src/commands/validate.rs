//! `fs validate`: check the definitions, also against the real sources.

use std::path::Path;

use serde_json::json;

use crate::failure::Failure;
use crate::output::{Output, counted};
use crate::project::checked;

pub(super) async fn run(repo: &Path, output: Output) -> Result<(), Failure> {
    let (_, repo) = checked(repo).await?;
    let catalog = &repo.catalog;
    let counts = json!({
        "project": catalog.project,
        "entities": catalog.entities.len(),
        "sources": catalog.sources.len(),
        "feature_views": catalog.feature_views.len(),
        "feature_services": catalog.feature_services.len(),
    });
    output.answer(&counts, || {
        format!(
            "Project {} is valid: {}, {}, {}, {}.",
            catalog.project,
            counted(catalog.entities.len(), "entity"),
            counted(catalog.sources.len(), "source"),
            counted(catalog.feature_views.len(), "feature view"),
            counted(catalog.feature_services.len(), "feature service")
        )
    });
    Ok(())
}
