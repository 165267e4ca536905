//! Which rows came into a table and which went, between two versions, told from its log.
//!
//! ```text
//!   version 7   window [10:00, 11:00)   removes file B, adds files D and E
//!
//!   removed: the rows of B with 10:00 <= event < 11:00       (its other rows are in D or E again)
//!   added:   the rows of D and E with 10:00 <= event < 11:00
//! ```
//!
//! A row that was pushed came in the commit that pushed it; replaced windows leave it where it is.
//! Rows that came after `after` and went again before `upto` are told twice, as added and as
//! removed. Commits that only move rows between files (a compaction), or raise a fence, change nothing.
//!
//! A [backfill](crate::backfill) gives rows other values and leaves their keys, times and numbers: no
//! row comes or goes, and what was published of them is as new as before, but not the same. It is told
//! as the window whose rows were [rewritten](Changes::rewritten).

use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use fs_core::TimeRange;
use object_store::ObjectStoreExt;
use object_store::path::Path;

use crate::data_file::DataFile;
use crate::log_entry::{LogEntry, MadeBy};
use crate::plans::Condition;
use crate::scan::projection;
use crate::table::Table;
use crate::{Error, OfflineStore, TableSchema, plans};

/// The rows that came and the rows that went.
#[derive(Debug)]
pub struct Changes {
    added: Arc<dyn ExecutionPlan>,
    removed: Arc<dyn ExecutionPlan>,
    first_sequence: Option<i64>,
    rewritten: Vec<TimeRange>,
    context: Arc<TaskContext>,
    table: String,
}

impl Changes {
    /// The least `_sequence` that a row may have which came; `None` if none did.
    pub const fn first_sequence(&self) -> Option<i64> {
        self.first_sequence
    }

    /// The windows of event time in which rows got other values, and kept their keys, times and
    /// numbers; empty if there was no backfill. They may overlap.
    ///
    /// ```text
    ///   online   key 7: event 10:00, number 5, clicks 3, score null
    ///   commit   backfill of score in [09:00, 11:00)           added: none    removed: none
    ///   online   key 7: event 10:00, number 5, clicks 3, score 0.5    to be written, though no newer
    /// ```
    pub fn rewritten(&self) -> &[TimeRange] {
        &self.rewritten
    }

    /// The rows that came.
    pub fn added(&self) -> Result<SendableRecordBatchStream, Error> {
        self.stream(&self.added)
    }

    /// The rows that went.
    pub fn removed(&self) -> Result<SendableRecordBatchStream, Error> {
        self.stream(&self.removed)
    }

    fn stream(&self, plan: &Arc<dyn ExecutionPlan>) -> Result<SendableRecordBatchStream, Error> {
        plans::stream(Arc::clone(plan), &self.context).map_err(|source| Error::Read {
            table: self.table.clone(),
            source: Box::new(source),
        })
    }
}

/// What one commit did.
struct Step {
    entry: LogEntry,
    /// Which rows of its files came and went; the others were only written again.
    changed: Vec<Condition>,
}

impl OfflineStore {
    /// What changed in the commits `after < version <= upto`, as rows of `columns`.
    ///
    /// [`Error::LogGone`] when a commit or a file of it is no longer there, or was not made by this
    /// store: then only the whole table can tell.
    pub async fn changes(
        &self,
        schema: &TableSchema,
        after: i64,
        upto: i64,
        columns: Option<&[String]>,
    ) -> Result<Changes, Error> {
        let table = self.open_for_reading(schema, None).await?;
        let mut steps = Vec::new();
        let mut rewritten = Vec::new();
        for version in after + 1..=upto {
            let entry = LogEntry::read(schema, &table, version).await?;
            match entry.made_by {
                Some(MadeBy::Backfill(window)) => rewritten.push(window),
                _ => steps.extend(read_step(schema, entry)?),
            }
        }
        for step in &steps {
            check_files(schema, &table, step).await?;
        }
        let projection = projection(schema, columns)?;
        let plan = |side: fn(&Step) -> &Vec<DataFile>| {
            let plans: Result<Vec<_>, _> = steps
                .iter()
                .filter(|step| !side(step).is_empty())
                .map(|step| {
                    let files = side(step);
                    plans::files(
                        &table.log,
                        schema.columns(),
                        files,
                        Some(&projection),
                        &step.changed,
                    )
                })
                .collect();
            let mut plans = plans?;
            Ok(match plans.len() {
                0 => Arc::new(EmptyExec::new(Arc::new(
                    schema.columns().project(&projection)?,
                ))),
                1 => plans.swap_remove(0),
                _ => UnionExec::try_new(plans)?,
            })
        };
        let read = |source: DataFusionError| Error::Read {
            table: schema.view().to_string(),
            source: Box::new(source),
        };
        Ok(Changes {
            added: plan(|step| &step.entry.added).map_err(read)?,
            removed: plan(|step| &step.entry.removed).map_err(read)?,
            first_sequence: steps
                .iter()
                .filter_map(|step| step.entry.first_sequence())
                .min(),
            rewritten,
            context: plans::context(self, &table.log),
            table: table.name().to_owned(),
        })
    }
}

/// What a commit did to the rows; `None` if nothing.
fn read_step(schema: &TableSchema, entry: LogEntry) -> Result<Option<Step>, Error> {
    if entry.added.is_empty() && entry.removed.is_empty() {
        return Ok(None);
    }
    let changed = match entry.made_by {
        Some(MadeBy::Window(window)) => {
            vec![Condition::Inside(window), Condition::Pushed(false)]
        }
        Some(MadeBy::Push(_)) => Vec::new(),
        _ => {
            return Err(Error::LogGone {
                view: schema.view().clone(),
                version: entry.version,
                reason: "it was not made by this store",
            });
        }
    };
    Ok(Some(Step { entry, changed }))
}

async fn check_files(schema: &TableSchema, table: &Table, step: &Step) -> Result<(), Error> {
    let store = table.log.object_store(None);
    for file in step.entry.added.iter().chain(&step.entry.removed) {
        match store.head(&Path::from(file.path.as_str())).await {
            Ok(_) => {}
            Err(object_store::Error::NotFound { .. }) => {
                return Err(Error::LogGone {
                    view: schema.view().clone(),
                    version: step.entry.version,
                    reason: "a data file was cleaned up",
                });
            }
            Err(error) => return Err(table.error("look for files of")(error.into())),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
