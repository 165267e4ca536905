//! A run of the operator, from the first row of the spine to the stream of the answer.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::DynamicFilterPhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, Time,
};

use super::bounds::condition;
use super::columns::Resolved;
use super::found::{Found, What};
use super::output::Output;
use super::parts::join_on_disk;
use super::race::race;
use super::runner::Contender;
use super::spine::Spine;
use crate::Spool;

/// What the steps of a run share.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) context: Arc<TaskContext>,
    pub(super) runtime: Arc<RuntimeEnv>,
    pub(super) metrics: Metrics,
}

/// What a run counts.
#[derive(Debug, Clone)]
pub(super) struct Metrics {
    set: ExecutionPlanMetricsSet,
    pub(super) output: BaselineMetrics,
    /// Time that all partitions together spent on streaming rows past the index.
    pub(super) race_time: Time,
    /// Time that histories took to be answered from, once all their rows had come by.
    pub(super) finish_time: Time,
    /// Time that the spine took to come in and to be indexed.
    pub(super) spine_time: Time,
    spine_rows: Count,
    /// Joins that did not fit into memory.
    pub(super) joined_on_disk: Count,
    spilled_bytes: Count,
}

/// Rows of the spine.
pub const SPINE_ROWS: &str = "spine_rows";
/// Rows of a history that were read for a join; labelled `join`.
pub const ROWS_READ: &str = "rows_read";
/// Rows of the spine that found a row, or any in a window; labelled `join`.
pub const ROWS_MATCHED: &str = "rows_matched";

impl Metrics {
    pub(super) fn new(set: &ExecutionPlanMetricsSet) -> Self {
        Self {
            output: BaselineMetrics::new(set, 0),
            race_time: MetricBuilder::new(set).subset_time("race_time", 0),
            finish_time: MetricBuilder::new(set).subset_time("finish_time", 0),
            spine_time: MetricBuilder::new(set).subset_time("spine_time", 0),
            spine_rows: MetricBuilder::new(set).counter(SPINE_ROWS, 0),
            joined_on_disk: MetricBuilder::new(set).counter("joined_on_disk", 0),
            spilled_bytes: MetricBuilder::new(set).counter("spilled_bytes", 0),
            set: set.clone(),
        }
    }

    /// A counter of one join.
    pub(super) fn of_join(&self, name: &'static str, label: &str) -> Count {
        MetricBuilder::new(&self.set)
            .with_new_label("join", label.to_owned())
            .counter(name, 0)
    }

    pub(super) fn spilled(&self, bytes: usize) {
        self.spilled_bytes.add(bytes);
    }
}

/// What a task made, or the error that stopped it.
pub(super) async fn finished<T: Send + 'static>(task: SpawnedTask<T>) -> Result<T> {
    let joined = task.join_unwind().await;
    joined.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))
}

impl Session {
    /// An empty reservation from the pool of the session.
    pub(super) fn reservation(&self, what: &str) -> MemoryReservation {
        MemoryConsumer::new(format!("PointInTimeJoinExec ({what})"))
            .with_can_spill(true)
            .register(&self.runtime.memory_pool)
    }

    /// Rows on their way to a file.
    pub(super) async fn spool_on_disk(&self, schema: &SchemaRef, what: &str) -> Result<Spool> {
        let memory = self.reservation(what);
        let mut spool = Spool::new(Arc::clone(schema), memory, &self.runtime, what);
        spool.spill().await?;
        Ok(spool)
    }
}

/// What is to be run.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) resolved: Arc<Resolved>,
    pub(super) histories: Vec<Arc<dyn ExecutionPlan>>,
    /// For each history the filter that its scans look at, if they took one.
    pub(super) filters: Vec<Option<Arc<DynamicFilterPhysicalExpr>>>,
    pub(super) session: Session,
}

impl Run {
    /// Joins everything; the answer is then put together batch by batch.
    pub(super) async fn start(self, spine: SendableRecordBatchStream) -> Result<Output> {
        let timer = self.session.metrics.spine_time.timer();
        let mut spine = Spine::read(spine, &self.resolved, &self.session).await?;
        timer.done();
        self.session.metrics.spine_rows.add(spine.rows.rows());
        self.session.metrics.spilled(spine.rows.spilled_bytes());
        let mut found: Vec<Option<Found>> = self.resolved.joins.iter().map(|_| None).collect();
        // Nothing is read for a spine without rows.
        if spine.times.is_some() {
            for history in 0..self.histories.len() {
                self.join_history(history, &spine, &mut found).await?;
            }
        }
        spine.indexes.clear();
        Output::new(self.resolved, spine.rows, found, &self.session)
    }

    async fn join_history(
        &self,
        number: usize,
        spine: &Spine,
        found: &mut [Option<Found>],
    ) -> Result<()> {
        let history = &self.histories[number];
        if let Some(filter) = &self.filters[number] {
            filter.update(condition(number, &history.schema(), &self.resolved, spine)?)?;
            filter.mark_complete();
        }
        let joins = self.resolved.joins.iter().enumerate();
        let joins = joins.filter(|(_, join)| join.spec.history == number);
        let (mut racing, mut contenders, mut on_disk) = (Vec::new(), Vec::new(), Vec::new());
        for (at, join) in joins {
            match &spine.indexes[join.key_set] {
                Some(indexed) => {
                    racing.push(at);
                    let index = Arc::clone(&indexed.index);
                    let join = Arc::clone(join);
                    contenders.push(Contender::new(join, index, &self.session)?);
                }
                None => on_disk.push(at),
            }
        }
        if !contenders.is_empty() {
            let raced = race(history, &contenders, &self.session).await?;
            for (at, raced) in racing.into_iter().zip(raced) {
                match raced {
                    Some(raced) => found[at] = Some(raced),
                    None => on_disk.push(at),
                }
            }
        }
        for at in on_disk {
            let join = &self.resolved.joins[at];
            // A scan that was read already has handed out its files, and would have no rows left.
            let again = reset_plan_states(Arc::clone(history))?;
            let runs = join_on_disk(join, &self.resolved, spine, &again, &self.session).await?;
            found[at] = Some(Found::new(What::Parts(runs), Vec::new())?);
        }
        Ok(())
    }
}
