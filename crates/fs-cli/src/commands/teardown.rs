//! `fs teardown`: remove what apply and materialize made.

use std::path::Path;

use fs_core::ViewName;
use fs_online::ViewId;
use serde_json::json;

use crate::args::TeardownArgs;
use crate::commands::{confirm, views};
use crate::failure::Failure;
use crate::output::{Output, counted};
use crate::project::Project;

pub(super) async fn run(repo: &Path, args: &TeardownArgs, output: Output) -> Result<(), Failure> {
    let project = Project::open(repo)?;
    let views = if args.views.is_empty() {
        every_view(&project).await?
    } else {
        let (_, catalog) = project.applied().await?;
        views::asked(&catalog, &args.views)?;
        args.views.clone()
    };
    if !args.yes {
        confirmed(&project, &args.views)?;
    }
    let online = project.online()?;
    for view in &views {
        online
            .drop_view(&ViewId::new(project.settings.project.clone(), view.clone()))
            .await?;
    }
    let offline = project.offline();
    let mut tables = 0_usize;
    for view in &views {
        tables += usize::from(offline.drop_table(view).await?);
    }
    let (mut versions, mut datasets) = (0, 0);
    if args.views.is_empty() {
        datasets = offline.list_datasets().await?.len();
        offline.drop_project().await?;
        versions = project.registry()?.tear_down().await?;
        project.leases()?.remove_all().await?;
    }
    let answer =
        json!({ "views": views, "tables": tables, "datasets": datasets, "versions": versions });
    output.answer(&answer, || {
        let tables = counted(tables, "offline table");
        let rows = format!("the online rows of {}", counted(views.len(), "view"));
        if args.views.is_empty() {
            let versions = counted(versions, "registry version");
            let datasets = match datasets {
                0 => String::new(),
                datasets => format!(", {}", counted(datasets, "dataset")),
            };
            format!("Removed {tables}, {rows}{datasets} and {versions}.")
        } else {
            format!("Removed {tables} and {rows}.")
        }
    });
    Ok(())
}

/// The views of every version that can be read: earlier ones may have left rows, too.
async fn every_view(project: &Project) -> Result<Vec<ViewName>, Failure> {
    let registry = project.registry()?;
    let mut views = std::collections::BTreeSet::new();
    for entry in registry.history(None, usize::MAX).await? {
        if let Ok(version) = entry.version {
            views.extend(version.catalog.feature_views.keys().cloned());
        }
    }
    Ok(views.into_iter().collect())
}

/// Asks first, and says all that goes.
fn confirmed(project: &Project, views: &[ViewName]) -> Result<(), Failure> {
    let name = &project.settings.project;
    let what = if views.is_empty() {
        format!("every table, online row, dataset and registry version of project `{name}`")
    } else {
        let names: Vec<&str> = views.iter().map(ViewName::as_str).collect();
        format!(
            "the offline and online rows of {} in project `{name}`",
            names.join(", ")
        )
    };
    confirm::removal(&what, "project", name.as_str())
}
