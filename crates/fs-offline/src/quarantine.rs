//! Rows that broke an expectation and were taken out: a table beside the view's.
//!
//! ```text
//!   <root>/<project>/_quarantine/<view>/
//!     join keys │ event_timestamp │ created_timestamp │ features │ _expectation │ _reason │ _run │ _quarantined_at
//!     everything may be null                                       which one      why       of    when
//! ```
//!
//! A window of it is replaced in one commit, like one of the view's table, and *before* that one: when
//! the process dies in between, no row is lost, and the next run replaces the window of both. Rows
//! without an event time belong to no window; whoever has read all of them replaces them as well.
//! Whoever was taken over from is refused, as by the view's table.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use deltalake::kernel::Action;
use deltalake::protocol::{DeltaOperation, SaveMode};
use fs_core::data_type::{UTC, timestamp_type};
use fs_core::{CREATED_TIMESTAMP, EVENT_TIMESTAMP, EventTime, Fence, TimeRange, ViewName};
use futures::{StreamExt, TryStreamExt};

use crate::commit::Commit;
use crate::data_file::{DataFile, Overlap};
use crate::evolution::evolve;
use crate::fence::ensure_not_fenced;
use crate::landing::Prepared;
use crate::plans::Condition;
use crate::replace::{WINDOW, notes, predicate, window_entry};
use crate::rewrite::reading;
use crate::stamp::Stamp;
use crate::table::Table;
use crate::{Error, OfflineStore, Scan, TableSchema, plans, rewrite};

/// The folder of the tables; no view can have this name.
pub const QUARANTINE: &str = "_quarantine";
/// The column with the name of the expectation that a row broke.
pub const EXPECTATION: &str = "_expectation";
/// The column that says why, in words.
pub const REASON: &str = "_reason";
/// The column with the id of the run.
pub const RUN: &str = "_run";
/// The column with the instant of the run.
pub const QUARANTINED_AT: &str = "_quarantined_at";

/// What is put in the place of a window.
pub struct Quarantined {
    /// The event times whose rows are replaced.
    pub window: TimeRange,
    /// Whether the rows without an event time are replaced as well.
    pub without_time: bool,
    /// Any columns of the view but `_sequence`, of which any may be missing or null, and
    /// [`EXPECTATION`] and [`REASON`] as text.
    pub rows: SendableRecordBatchStream,
    /// The id of the run.
    pub run: String,
    /// When it ran.
    pub at: EventTime,
    /// What the writer shows to prove that nobody has taken over from it.
    pub fence: Option<Fence>,
}

impl fmt::Debug for Quarantined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quarantined")
            .field("window", &self.window)
            .field("without_time", &self.without_time)
            .field("run", &self.run)
            .field("at", &self.at)
            .field("fence", &self.fence)
            .finish_non_exhaustive()
    }
}

impl TableSchema {
    /// The columns of the quarantine of this view.
    #[must_use]
    pub fn quarantine(&self) -> Self {
        let text = |name: &str| Field::new(name, DataType::Utf8, true);
        let at = Field::new(QUARANTINED_AT, timestamp_type(), true);
        let more = [text(EXPECTATION), text(REASON), text(RUN), at];
        self.beside(folder(self.view()), more)
    }
}

/// The folder of the quarantine of `view`, below the project's.
pub(crate) fn folder(view: &ViewName) -> String {
    format!("{QUARANTINE}/{view}")
}

impl OfflineStore {
    /// Replaces the quarantined rows of a window of `schema`'s view, in one commit; how many there are
    /// now. Commits nothing where no row comes and none goes.
    pub async fn replace_quarantined(
        &self,
        schema: &TableSchema,
        quarantined: Quarantined,
    ) -> Result<u64, Error> {
        let view = schema.view();
        let schema = schema.quarantine();
        let Quarantined {
            window,
            without_time,
            mut rows,
            run,
            at,
            fence,
        } = quarantined;
        let table = Table::open(self, schema.folder(), None).await?;
        ensure_not_fenced(view, table.as_ref(), fence).await?;
        let (removed, files) = gone(table.as_ref(), &window, without_time)?;
        let first = first_rows(&mut rows).await;
        if first.is_none() && files.is_empty() {
            return Ok(0);
        }
        let evolution = evolve(&schema, table.as_ref()).await?;
        let log = match &table {
            Some(table) => Arc::clone(&table.log),
            None => Table::log_store(&self.root().join(schema.folder()))?,
        };
        let count = Arc::new(AtomicU64::new(0));
        let stamp = Stamp {
            view: view.clone(),
            window: Some(window),
            columns: Arc::clone(&evolution.columns),
            first: 0,
            rows: Arc::clone(&count),
        };
        let kept = if without_time {
            Condition::Outside(window)
        } else {
            Condition::OutsideOrTimeless(window)
        };
        let plan = plans::files(&log, &evolution.columns, &files, None, &[kept]).and_then(|kept| {
            let rows = futures::stream::iter(first).chain(rows);
            let signed = signed(schema.columns(), rows, run, at);
            let parts = vec![kept, rewrite::stamped(stamp, signed, self.options())?];
            rewrite::sorted(parts, &BY_TIME)
        });
        let added = self.write_rows_of(view, &log, plan).await?;
        let mut actions = evolution.actions;
        actions.extend(removed);
        actions.extend(added.into_iter().map(Action::Add));
        let prepared = Prepared {
            schema: &schema,
            table,
            log,
            commit: Commit {
                table: view.to_string(),
                actions,
                transactions: notes(fence, None, None),
                note: (WINDOW, window_entry(&window)),
                operation: DeltaOperation::Write {
                    mode: SaveMode::Overwrite,
                    partition_by: None,
                    predicate: Some(predicate(&window)),
                },
            },
            fence,
        };
        self.land(prepared).await?;
        Ok(count.load(Ordering::Relaxed))
    }

    /// The quarantined rows of `schema`'s view, the newest first: at most `limit`, with the columns of
    /// [`TableSchema::quarantine`]. None if there never were any.
    pub async fn list_quarantined(
        &self,
        schema: &TableSchema,
        limit: usize,
    ) -> Result<RecordBatch, Error> {
        let schema = schema.quarantine();
        let read = |error: DataFusionError| reading(schema.view(), error);
        let scan = match self.scan(&schema, &Scan::default()).await {
            Ok(scan) => scan,
            Err(Error::NotMaterialized { .. }) => {
                return Ok(RecordBatch::new_empty(Arc::clone(schema.columns())));
            }
            Err(error) => return Err(error),
        };
        let newest = newest_first(&scan.schema()).map_err(read)?;
        let rows = plans::one_partition(Arc::clone(scan.plan()));
        let sorted = SortExec::new(newest, rows).with_fetch(Some(limit));
        let rows = plans::stream(Arc::new(sorted), scan.context()).map_err(read)?;
        let batches: Vec<RecordBatch> = rows.try_collect().await.map_err(read)?;
        concat_batches(schema.columns(), &batches).map_err(|error| read(error.into()))
    }
}

/// How the files are sorted.
pub(crate) const BY_TIME: [&str; 2] = [EVENT_TIMESTAMP, CREATED_TIMESTAMP];

/// The files of `table` that hold rows which are replaced.
fn gone(
    table: Option<&Table>,
    window: &TimeRange,
    without_time: bool,
) -> Result<(Vec<Action>, Vec<DataFile>), Error> {
    let Some(table) = table else {
        return Ok((Vec::new(), Vec::new()));
    };
    let views = table.snapshot.try_log_data();
    let views = views.map_err(table.error("read the log of"))?;
    let (mut removed, mut files) = (Vec::new(), Vec::new());
    for view in views.iter() {
        let file = DataFile::of(&view);
        let has_timeless = without_time && file.timeless;
        if has_timeless || file.overlap(window) != Overlap::Outside {
            removed.push(Action::Remove(view.remove_action(true)));
            files.push(file);
        }
    }
    Ok((removed, files))
}

/// The first rows that there are, or the error that comes before them.
async fn first_rows(
    rows: &mut SendableRecordBatchStream,
) -> Option<Result<RecordBatch, DataFusionError>> {
    loop {
        match rows.next().await? {
            Ok(batch) if batch.num_rows() == 0 => {}
            other => return Some(other),
        }
    }
}

/// `rows` with the run and the instant.
fn signed(
    columns: &SchemaRef,
    rows: impl futures::Stream<Item = Result<RecordBatch, DataFusionError>> + Send + 'static,
    run: String,
    at: EventTime,
) -> SendableRecordBatchStream {
    let sign = move |batch: RecordBatch| -> Result<RecordBatch, DataFusionError> {
        let rows = batch.num_rows();
        let times = TimestampMicrosecondArray::from_value(at.as_micros(), rows);
        let run: ArrayRef = Arc::new(StringArray::from_iter_values(std::iter::repeat_n(
            &run, rows,
        )));
        let at: ArrayRef = Arc::new(times.with_timezone(UTC));
        let fields = batch.schema().fields().iter().cloned().collect::<Vec<_>>();
        let more = [
            Arc::new(Field::new(RUN, DataType::Utf8, true)),
            Arc::new(Field::new(QUARANTINED_AT, timestamp_type(), true)),
        ];
        let schema = Schema::new(fields.into_iter().chain(more).collect::<Vec<_>>());
        let columns = batch.columns().iter().cloned().chain([run, at]).collect();
        Ok(RecordBatch::try_new(Arc::new(schema), columns)?)
    };
    let rows = rows.map(move |batch| batch.and_then(&sign));
    Box::pin(RecordBatchStreamAdapter::new(Arc::clone(columns), rows))
}

/// By the instant of the run, then by event time, from the greatest to the least.
fn newest_first(columns: &Schema) -> Result<LexOrdering, DataFusionError> {
    let order = [QUARANTINED_AT, EVENT_TIMESTAMP].map(|name| {
        let column = Arc::new(Column::new_with_schema(name, columns)?);
        Ok(PhysicalSortExpr::new_default(column).desc().nulls_last())
    });
    let order: Result<Vec<_>, DataFusionError> = order.into_iter().collect();
    LexOrdering::new(order?)
        .ok_or_else(|| DataFusionError::Internal("an order without columns".to_owned()))
}

#[cfg(test)]
mod tests;
