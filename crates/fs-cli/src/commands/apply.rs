//! `fs apply`: record the definitions as the next version of the registry.

use std::path::Path;

use fs_registry::{Applied, Force};
use serde_json::json;

use crate::args::ApplyArgs;
use crate::commands::plan;
use crate::failure::Failure;
use crate::output::Output;
use crate::project::checked;
use crate::wall_clock;

pub(super) async fn run(repo: &Path, args: &ApplyArgs, output: Output) -> Result<(), Failure> {
    let (project, repo) = checked(repo).await?;
    let registry = project.registry()?;
    let plan = plan::plan(&project, &registry, &repo.catalog).await?;
    let now = wall_clock::clock(None).now();
    let applied = registry
        .apply(&plan, force(args.force), now, args.note.as_deref())
        .await?;
    let version = match applied {
        Applied::Recorded { version } => Some(version),
        Applied::NothingToDo => None,
    };
    let answer =
        json!({ "version": version.or(plan.base), "changed": version.is_some(), "plan": plan });
    output.answer(&answer, || match version {
        Some(version) => format!(
            "{}\n\nApplied as version {version}.",
            plan.to_string().trim_end()
        ),
        None => format!(
            "Nothing to change: version {} stands.",
            plan.base.unwrap_or_default()
        ),
    });
    Ok(())
}

/// The flag as the registry takes it.
pub(super) const fn force(flag: bool) -> Force {
    if flag { Force::Yes } else { Force::No }
}
