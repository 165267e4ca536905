//! Reading a table at one version, with the files pruned that cannot hold a wanted row.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use fs_core::{CREATED_TIMESTAMP, EVENT_TIMESTAMP};

use crate::evolution::check_readable;
use crate::plans::Condition;
use crate::table::Table;
use crate::{Error, OfflineStore, TableSchema, file_statistics, plans};

/// A stretch of microseconds UTC, both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Between {
    /// The least.
    pub low: i64,
    /// The greatest.
    pub high: i64,
}

/// What to read of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// At which version; the newest if absent.
    pub version: Option<i64>,
    /// Which columns, in which order; all of the definition's if absent.
    pub columns: Option<Vec<String>>,
    /// Only rows with such an event time.
    pub event: Option<Between>,
    /// Only rows with such a created time; rows without one are left out.
    pub created: Option<Between>,
    /// Only rows whose `_sequence` is at least this: those of later ingests.
    pub since: Option<i64>,
    /// Only rows whose `_sequence` is less than this: those of earlier commits.
    pub before: Option<i64>,
}

impl Scan {
    fn conditions(&self) -> Vec<Condition> {
        let times = [
            (EVENT_TIMESTAMP, self.event),
            (CREATED_TIMESTAMP, self.created),
        ];
        let between = times.into_iter().filter_map(|(column, between)| {
            between.map(|Between { low, high }| Condition::Between(column, low, high))
        });
        between
            .chain(self.since.map(Condition::Since))
            .chain(self.before.map(Condition::Before))
            .collect()
    }
}

/// What a scan opened and what it could skip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScanStats {
    /// Files that are read.
    pub files: usize,
    /// Files that cannot hold a wanted row, and are not opened.
    pub pruned: usize,
    /// Rows in the files that are read, wanted or not.
    pub rows: u64,
}

/// The rows of a table at one version.
#[derive(Debug)]
pub struct TableScan {
    /// The version.
    pub version: i64,
    /// What is read and what is skipped.
    pub stats: ScanStats,
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    table: String,
}

impl TableScan {
    /// The columns of the rows.
    pub fn schema(&self) -> SchemaRef {
        self.plan.schema()
    }

    /// The plan that reads them, in as many partitions as there are processors, for whoever wants
    /// to build on it; [`context`](Self::context) is what it runs with.
    pub fn plan(&self) -> &Arc<dyn ExecutionPlan> {
        &self.plan
    }

    /// What the plan runs with.
    pub fn context(&self) -> &Arc<TaskContext> {
        &self.context
    }

    /// The rows, as one stream, in no particular order.
    pub fn stream(&self) -> Result<SendableRecordBatchStream, Error> {
        plans::stream(Arc::clone(&self.plan), &self.context).map_err(|source| Error::Read {
            table: self.table.clone(),
            source: Box::new(source),
        })
    }
}

impl OfflineStore {
    /// Reads the table of `schema`'s view.
    ///
    /// Columns that the definition has and the table has not yet are null. A table that was never
    /// written is [`Error::NotMaterialized`]; one whose columns have other types is
    /// [`Error::Incompatible`].
    ///
    /// ```text
    ///   files                      event between 09:30 and 10:00        read, then filtered exactly
    ///   09:00 … 09:29              cannot hold one                      pruned
    ///   09:29 … 09:58              may                                  read
    /// ```
    pub async fn scan(&self, schema: &TableSchema, scan: &Scan) -> Result<TableScan, Error> {
        let table = self.open_for_reading(schema, scan.version).await?;
        let all = table.files()?;
        let read = |source: DataFusionError| Error::Read {
            table: schema.view().to_string(),
            source: Box::new(source),
        };
        let conditions = scan.conditions();
        let predicate = plans::predicate(&conditions, schema.columns()).map_err(read)?;
        let may_hold = file_statistics::may_hold(&all, schema.columns(), predicate);
        let mut may_hold = may_hold.map_err(read)?.into_iter();
        let mut files = all.clone();
        files.retain(|_| may_hold.next().unwrap_or(true));
        if files.iter().any(|file| file.deletion_vector) {
            return Err(Error::Foreign {
                table: schema.view().to_string(),
                feature: "deletion vectors",
            });
        }
        let stats = ScanStats {
            files: files.len(),
            pruned: all.len() - files.len(),
            rows: files.iter().map(|file| file.rows).sum(),
        };
        let projection = projection(schema, scan.columns.as_deref())?;
        let plan = plans::files(
            &table.log,
            schema.columns(),
            &files,
            Some(&projection),
            &conditions,
        );
        Ok(TableScan {
            version: table.version(),
            stats,
            plan: plan.map_err(read)?,
            context: plans::context(self, &table.log),
            table: schema.view().to_string(),
        })
    }

    /// The table of `schema`'s view, checked to fit it.
    pub(crate) async fn open_for_reading(
        &self,
        schema: &TableSchema,
        version: Option<i64>,
    ) -> Result<Table, Error> {
        let name = schema.folder();
        let opened = match (Table::open(self, name, version).await, version) {
            // Delta says in many ways that a version is not there; ask for the newest to be sure.
            (Err(error), Some(version)) => match Table::open(self, name, None).await? {
                Some(newest) if newest.version() < version => {
                    return Err(Error::NoSuchVersion {
                        view: schema.view().clone(),
                        version,
                        newest: newest.version(),
                    });
                }
                _ => return Err(error),
            },
            (opened, _) => opened?,
        };
        let absent = || Error::NotMaterialized {
            view: schema.view().clone(),
        };
        let table = opened.ok_or_else(absent)?;
        if table.was_only_fenced().await? {
            return Err(absent());
        }
        check_readable(schema, &table)?;
        Ok(table)
    }
}

/// The positions of `columns` in the definition.
pub(crate) fn projection(
    schema: &TableSchema,
    columns: Option<&[String]>,
) -> Result<Vec<usize>, Error> {
    let Some(columns) = columns else {
        return Ok((0..schema.columns().fields().len()).collect());
    };
    columns
        .iter()
        .map(|name| {
            schema
                .columns()
                .index_of(name)
                .map_err(|_absent| Error::Misfit {
                    view: schema.view().clone(),
                    problem: format!("there is no column `{name}`"),
                })
        })
        .collect()
}

#[cfg(test)]
mod tests;
