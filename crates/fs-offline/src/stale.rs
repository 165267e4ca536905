//! The files that go with a window, and which of their rows are written again.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::physical_plan::ExecutionPlan;
use deltalake::kernel::Action;
use deltalake::logstore::LogStoreRef;
use fs_core::{TimeRange, ViewName};

use crate::data_file::{DataFile, Overlap, PushedRows};
use crate::plans::Condition;
use crate::table::Table;
use crate::{Error, OfflineStore, plans};

/// Files of pushed rows are small below this part of the size that files should have.
const SMALL_FILES: u64 = 4;

/// A file that is replaced.
pub(crate) struct Stale {
    pub(crate) file: DataFile,
    pub(crate) remove: Action,
    pub(crate) keeps: Keeps,
}

/// Which rows of a replaced file are written again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keeps {
    Nothing,
    /// Those outside of the window.
    Outside,
    /// Those outside of the window, and those that were pushed.
    Pushed,
}

impl OfflineStore {
    /// The files with rows that go with `window`, and small files of pushed rows, which are put
    /// together on the way.
    pub(crate) async fn stale_files(
        &self,
        view: &ViewName,
        table: Option<&Table>,
        window: &TimeRange,
    ) -> Result<Vec<Stale>, Error> {
        let Some(table) = table else {
            return Ok(Vec::new());
        };
        let has_pushed = table.last_pushed().await?.is_some();
        let small = self.options().target_file_bytes / SMALL_FILES;
        let views = table.snapshot.try_log_data();
        let views = views.map_err(table.error("read the log of"))?;
        let mut stale = Vec::new();
        for file_view in views.iter() {
            let file = DataFile::of(&file_view);
            if file.deletion_vector {
                return Err(Error::Foreign {
                    table: view.to_string(),
                    feature: "deletion vectors",
                });
            }
            let pushed = if has_pushed {
                file.pushed()
            } else {
                PushedRows::None
            };
            let keeps = match (pushed, file.overlap(window)) {
                (_, Overlap::Outside) => continue,
                (PushedRows::None, Overlap::Inside) => Keeps::Nothing,
                (PushedRows::None, Overlap::Partly) => Keeps::Outside,
                (PushedRows::Perhaps, _) => Keeps::Pushed,
                (PushedRows::All, _) if file.bytes() < small => Keeps::Pushed,
                (PushedRows::All, _) => continue,
            };
            stale.push(Stale {
                file,
                remove: Action::Remove(file_view.remove_action(true)),
                keeps,
            });
        }
        Ok(stale)
    }
}

/// Plans that read the rows of `stale` files which stay, as rows of `columns`.
pub(crate) fn kept(
    log: &LogStoreRef,
    columns: &SchemaRef,
    stale: &[Stale],
    window: &TimeRange,
) -> Result<Vec<Arc<dyn ExecutionPlan>>, DataFusionError> {
    let mut kept = Vec::new();
    for (keeps, condition) in [
        (Keeps::Outside, Condition::Outside(*window)),
        (Keeps::Pushed, Condition::Kept(*window)),
    ] {
        let some = stale.iter().filter(|file| file.keeps == keeps);
        let files: Vec<DataFile> = some.map(|file| file.file.clone()).collect();
        if !files.is_empty() {
            kept.push(plans::files(log, columns, &files, None, &[condition])?);
        }
    }
    Ok(kept)
}
