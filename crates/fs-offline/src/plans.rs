//! The DataFusion plans that read data files: Parquet below, an exact filter above.
//!
//! The filter is handed to the Parquet reader as well, which skips row groups and pages by it; their
//! statistics have microseconds, so a bound is exact there.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, IsNullExpr, Literal};
use datafusion::physical_expr::{PhysicalExpr, conjunction};
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExecBuilder;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use datafusion::prelude::SessionConfig;
use deltalake::logstore::LogStoreRef;
use fs_core::data_type::UTC;
use fs_core::{CREATED_TIMESTAMP, EVENT_TIMESTAMP, SEQUENCE, TimeRange};

use crate::data_file::DataFile;
use crate::offline_table::FOOTER_BYTES;
use crate::sequence::PUSHED;
use crate::{OfflineStore, batches, file_groups, file_statistics};

/// Memory that a sort keeps for merging what it spills, at most.
const MERGE_BYTES: usize = 10 << 20;

/// A condition on a column; bounds of times in microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Condition {
    /// `low <= column <= high`.
    Between(&'static str, i64, i64),
    /// Event time outside of a window.
    Outside(TimeRange),
    /// Event time outside of a window, or none.
    OutsideOrTimeless(TimeRange),
    /// Event time inside of a window.
    Inside(TimeRange),
    /// `_sequence` at least this.
    Since(i64),
    /// `_sequence` less than this.
    Before(i64),
    /// Rows that were pushed, or those that were not.
    Pushed(bool),
    /// Rows that stay when a window is replaced: those outside of it, and those that were pushed.
    Kept(TimeRange),
}

impl Condition {
    fn columns(&self) -> &'static [&'static str] {
        match self {
            Self::Between(CREATED_TIMESTAMP, _, _) => &[CREATED_TIMESTAMP],
            Self::Between(..) | Self::Outside(_) | Self::OutsideOrTimeless(_) | Self::Inside(_) => {
                &[EVENT_TIMESTAMP]
            }
            Self::Since(_) | Self::Before(_) | Self::Pushed(_) => &[SEQUENCE],
            Self::Kept(_) => &[EVENT_TIMESTAMP, SEQUENCE],
        }
    }

    fn expression(&self, schema: &Schema) -> Result<Arc<dyn PhysicalExpr>, DataFusionError> {
        let name = self.columns().first().copied().unwrap_or(EVENT_TIMESTAMP);
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new_with_schema(name, schema)?);
        let compare = |operator, micros: i64| -> Arc<dyn PhysicalExpr> {
            let value = ScalarValue::TimestampMicrosecond(Some(micros), Some(Arc::from(UTC)));
            let value = Arc::new(Literal::new(value));
            Arc::new(BinaryExpr::new(Arc::clone(&column), operator, value))
        };
        let number = |number: i64| -> Arc<dyn PhysicalExpr> {
            Arc::new(Literal::new(ScalarValue::Int64(Some(number))))
        };
        let join =
            |a, operator, b| -> Arc<dyn PhysicalExpr> { Arc::new(BinaryExpr::new(a, operator, b)) };
        Ok(match self {
            Self::Since(first) => join(Arc::clone(&column), Operator::GtEq, number(*first)),
            Self::Before(end) => join(Arc::clone(&column), Operator::Lt, number(*end)),
            Self::Pushed(pushed) => {
                let bit = join(Arc::clone(&column), Operator::BitwiseAnd, number(PUSHED));
                let operator = if *pushed {
                    Operator::NotEq
                } else {
                    Operator::Eq
                };
                join(bit, operator, number(0))
            }
            Self::Kept(window) => join(
                Self::Outside(*window).expression(schema)?,
                Operator::Or,
                Self::Pushed(true).expression(schema)?,
            ),
            Self::OutsideOrTimeless(window) => join(
                Self::Outside(*window).expression(schema)?,
                Operator::Or,
                Arc::new(IsNullExpr::new(column)),
            ),
            Self::Between(_, low, high) => join(
                compare(Operator::GtEq, *low),
                Operator::And,
                compare(Operator::LtEq, *high),
            ),
            Self::Inside(window) => {
                let below = compare(Operator::Lt, window.end().as_micros());
                match window.start() {
                    Some(start) => join(
                        compare(Operator::GtEq, start.as_micros()),
                        Operator::And,
                        below,
                    ),
                    None => below,
                }
            }
            Self::Outside(window) => {
                let above = compare(Operator::GtEq, window.end().as_micros());
                match window.start() {
                    Some(start) => join(
                        compare(Operator::Lt, start.as_micros()),
                        Operator::Or,
                        above,
                    ),
                    None => above,
                }
            }
        })
    }
}

/// What plans over the tables of `store` run with; `log` is the table whose files they read.
pub(crate) fn context(store: &OfflineStore, log: &LogStoreRef) -> Arc<TaskContext> {
    let runtime = store.runtime();
    let url = log.object_store_url();
    runtime.register_object_store(url.as_ref(), log.object_store(None));
    Arc::new(TaskContext::default().with_runtime(Arc::clone(runtime)))
}

/// The same, for a plan with a sort of rows of these columns, which is one of so many `sorts` at once.
///
/// A sort that merges what it has spilled takes what memory there is; so each has its own.
pub(crate) fn sorting(
    store: &OfflineStore,
    log: &LogStoreRef,
    columns: &Schema,
    sorts: usize,
) -> Result<Arc<TaskContext>, DataFusionError> {
    let shared = context(store, log).runtime_env();
    let memory = store.options().sort_memory_bytes / sorts.max(1);
    let own = RuntimeEnvBuilder::from_runtime_env(&shared)
        .with_memory_pool(Arc::new(FairSpillPool::new(memory)))
        .build_arc()?;
    let rows = batches::rows_of(columns, batches::bytes_for(memory));
    let config = SessionConfig::new()
        .with_batch_size(rows)
        .with_sort_spill_reservation_bytes((memory / 8).min(MERGE_BYTES));
    let context = TaskContext::default().with_session_config(config);
    Ok(Arc::new(context.with_runtime(own)))
}

/// All `conditions` together, over the columns of `schema`.
pub(crate) fn predicate(
    conditions: &[Condition],
    schema: &Schema,
) -> Result<Arc<dyn PhysicalExpr>, DataFusionError> {
    let parts: Result<Vec<_>, _> = conditions.iter().map(|c| c.expression(schema)).collect();
    Ok(conjunction(parts?))
}

/// Reads `files` as rows of `columns`; a column that a file lacks is null.
///
/// `projection` picks columns by position; rows that miss a condition are left out.
pub(crate) fn files(
    log: &LogStoreRef,
    columns: &SchemaRef,
    files: &[DataFile],
    projection: Option<&[usize]>,
    conditions: &[Condition],
) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    let wanted: Vec<usize> =
        projection.map_or_else(|| (0..columns.fields().len()).collect(), <[usize]>::to_vec);
    if files.is_empty() {
        return Ok(Arc::new(EmptyExec::new(Arc::new(
            columns.project(&wanted)?,
        ))));
    }
    let mut read = wanted.clone();
    for condition in conditions {
        for name in condition.columns() {
            let at = columns.index_of(name)?;
            if !read.contains(&at) {
                read.push(at);
            }
        }
    }
    let mut source = ParquetSource::new(Arc::clone(columns))
        .with_metadata_size_hint(FOOTER_BYTES)
        .with_enable_page_index(true);
    if !conditions.is_empty() {
        source = source.with_predicate(predicate(conditions, columns)?);
    }
    let parts = files.iter().map(|file| {
        let statistics = file_statistics::of_file(file, columns);
        PartitionedFile::new(file.path.clone(), file.bytes()).with_statistics(Arc::new(statistics))
    });
    let readers = std::thread::available_parallelism().map_or(1, usize::from);
    let config = FileScanConfigBuilder::new(log.object_store_url(), Arc::new(source))
        .with_file_groups(file_groups::deal(parts.collect(), readers))
        .with_projection_indices(Some(read.clone()))?
        .build();
    let scan = DataSourceExec::from_data_source(config);
    if conditions.is_empty() {
        return Ok(scan);
    }
    let predicate = predicate(conditions, &columns.project(&read)?)?;
    let filter = FilterExecBuilder::new(predicate, scan)
        .apply_projection(Some((0..wanted.len()).collect()))?
        .build()?;
    Ok(Arc::new(filter))
}

/// Runs `plan` as one stream.
pub(crate) fn stream(
    plan: Arc<dyn ExecutionPlan>,
    context: &Arc<TaskContext>,
) -> Result<SendableRecordBatchStream, DataFusionError> {
    one_partition(plan).execute(0, Arc::clone(context))
}

/// `plan` with its partitions run side by side into one.
pub(crate) fn one_partition(plan: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    if plan.output_partitioning().partition_count() == 1 {
        plan
    } else {
        Arc::new(CoalescePartitionsExec::new(plan))
    }
}
