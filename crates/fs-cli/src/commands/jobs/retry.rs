//! `fs jobs retry`: what a run did, or failed to do, once more.
//!
//! | The run | Is done again as |
//! |---|---|
//! | replaced a window | that window |
//! | was incremental, and succeeded | the window that it came to replace |
//! | was incremental, and did not | all that is new, up to where it was to come |
//! | filled new features | all that lack values |

use fs_core::TimeRange;
use fs_materialize::{Materializer, Views};
use fs_offline::{RunKind, RunRecord, RunStatus};

use crate::commands::materialize;
use crate::failure::Failure;
use crate::output::Output;
use crate::project::Project;
use crate::{progress, wall_clock};

pub(super) async fn run(project: &Project, id: &str, output: Output) -> Result<(), Failure> {
    let run = project.offline().show_run(id).await?;
    let (_, catalog) = project.applied().await?;
    let materializer = project.materializer(wall_clock::clock(None))?;
    let again = Again {
        materializer: &materializer,
        catalog: &catalog,
        run: &run,
    };
    let done = again.run(output).await;
    materialize::summary(done)?.print(output);
    Ok(())
}

struct Again<'a> {
    materializer: &'a Materializer,
    catalog: &'a fs_core::Catalog,
    run: &'a RunRecord,
}

impl Again<'_> {
    async fn run(
        &self,
        output: Output,
    ) -> Result<Vec<fs_materialize::RunSummary>, fs_materialize::Error> {
        let Self {
            materializer,
            catalog,
            run,
        } = self;
        let views = Views::Only(vec![run.view.clone()]);
        let teller = progress::teller(output);
        match (run.kind, run.status) {
            (RunKind::Backfill, _) => {
                let features = Vec::new();
                materializer
                    .backfill(catalog, &views, features, teller)
                    .await
            }
            (RunKind::Incremental, RunStatus::Failed | RunStatus::Cancelled | RunStatus::Lost) => {
                let end = Some(run.range_end);
                materializer
                    .materialize_incremental(catalog, &views, end, teller)
                    .await
            }
            (RunKind::Materialize | RunKind::Incremental, _) => {
                // What is recorded was a range when it ran.
                let range = run
                    .range_start
                    .and_then(|start| TimeRange::new(start, run.range_end).ok())
                    .unwrap_or_else(|| TimeRange::until(run.range_end));
                materializer
                    .materialize(catalog, &views, &range, teller)
                    .await
            }
        }
    }
}
