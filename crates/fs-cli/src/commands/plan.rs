//! `fs plan`: show what an apply would change.

use std::collections::BTreeSet;
use std::path::Path;

use fs_core::{Catalog, ViewName};
use fs_registry::{Plan, Registry};

use crate::failure::Failure;
use crate::output::Output;
use crate::project::{Project, checked};

pub(super) async fn run(repo: &Path, output: Output) -> Result<(), Failure> {
    let (project, repo) = checked(repo).await?;
    let plan = plan(&project, &project.registry()?, &repo.catalog).await?;
    output.answer(&plan, || plan.to_string());
    Ok(())
}

/// What an apply of `catalog` would change, with the backfills of views that have a table.
///
/// A table that cannot be looked at may have rows: a plan needs the registry only.
pub(super) async fn plan(
    project: &Project,
    registry: &Registry,
    catalog: &Catalog,
) -> Result<Plan, Failure> {
    let plan = registry.plan(catalog).await?;
    let offline = project.offline();
    let mut without_rows: BTreeSet<ViewName> = BTreeSet::new();
    for backfill in &plan.backfills {
        if matches!(offline.state(&backfill.view).await, Ok(None)) {
            without_rows.insert(backfill.view.clone());
        }
    }
    Ok(plan.with_backfills_where(|view| !without_rows.contains(view)))
}
