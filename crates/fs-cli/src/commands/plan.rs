//! `fs plan`: show what an apply would change.

use std::path::Path;

use crate::failure::Failure;
use crate::output::Output;
use crate::project::checked;

pub(super) async fn run(repo: &Path, output: Output) -> Result<(), Failure> {
    let (project, repo) = checked(repo).await?;
    let plan = project.registry()?.plan(&repo.catalog).await?;
    output.answer(&plan, || plan.to_string());
    Ok(())
}
