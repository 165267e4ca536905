//! [`PointInTimeJoinExec`]: the join as a node of a physical plan.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err};
use datafusion::config::ConfigOptions;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::expressions::DynamicFilterPhysicalExpr;
use datafusion::physical_expr::{Distribution, EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::common::spawn_buffered;
use datafusion::physical_plan::distribution_requirements::InputDistributionRequirements;
use datafusion::physical_plan::execution_plan::{
    Boundedness, EmissionType, apply_expression_roots,
};
use datafusion::physical_plan::filter_pushdown::{
    ChildFilterDescription, ChildPushdownResult, FilterDescription, FilterPushdownPhase,
    FilterPushdownPropagation,
};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};

use super::bounds::dynamic_filter;
use super::columns::Resolved;
use super::output;
use super::run::{Metrics, Run, Session};
use super::spec::PointInTimeSpec;

pub use super::run::{ROWS_MATCHED, ROWS_READ, SPINE_ROWS};

/// How many batches of the spine may wait to be indexed.
const SPINE_BATCHES_AHEAD: usize = 4;

/// Joins a spine with histories: every row of the spine, in order, with the newest row of each
/// history that was visible at its time.
///
/// The children are the spine and then the histories. The spine is one partition, and so is the
/// output; histories are read in all their partitions at once.
#[derive(Debug)]
pub struct PointInTimeJoinExec {
    spec: PointInTimeSpec,
    spine: Arc<dyn ExecutionPlan>,
    histories: Vec<Arc<dyn ExecutionPlan>>,
    /// For each history the filter that its scans look at, if they took one.
    filters: Vec<Option<Arc<DynamicFilterPhysicalExpr>>>,
    resolved: Arc<Resolved>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl PointInTimeJoinExec {
    /// Joins `spine` with `histories` as `spec` says.
    pub fn try_new(
        spec: PointInTimeSpec,
        spine: Arc<dyn ExecutionPlan>,
        histories: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Self> {
        let filters = vec![None; histories.len()];
        Self::with_filters(spec, spine, histories, filters)
    }

    /// The same, with the filters that the scans of the histories look at already.
    pub(crate) fn with_filters(
        spec: PointInTimeSpec,
        spine: Arc<dyn ExecutionPlan>,
        histories: Vec<Arc<dyn ExecutionPlan>>,
        filters: Vec<Option<Arc<DynamicFilterPhysicalExpr>>>,
    ) -> Result<Self> {
        let schemas: Vec<SchemaRef> = histories.iter().map(|history| history.schema()).collect();
        let resolved = Resolved::new(&spec, &spine.schema(), &schemas)?;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&resolved.output)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Ok(Self {
            spec,
            spine,
            histories,
            filters,
            resolved: Arc::new(resolved),
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// What is joined.
    pub const fn spec(&self) -> &PointInTimeSpec {
        &self.spec
    }

    /// For each history the filter that its scans look at, if they took one.
    pub(crate) fn filters(&self) -> &[Option<Arc<DynamicFilterPhysicalExpr>>] {
        &self.filters
    }
}

impl DisplayAs for PointInTimeJoinExec {
    fn fmt_as(&self, _form: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PointInTimeJoinExec: {}", self.spec)
    }
}

impl ExecutionPlan for PointInTimeJoinExec {
    fn name(&self) -> &'static str {
        "PointInTimeJoinExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        let histories = (0..self.histories.len()).map(|history| {
            if self.spec.needs_order(history) {
                Distribution::SinglePartition
            } else {
                Distribution::UnspecifiedDistribution
            }
        });
        let spine = std::iter::once(Distribution::SinglePartition);
        InputDistributionRequirements::new(spine.chain(histories).collect())
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        let histories = self.histories.iter().map(|_| false);
        std::iter::once(true).chain(histories).collect()
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        // A scan is split where it is cheap to; dealing out its batches afterwards gains nothing.
        vec![false; 1 + self.histories.len()]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        std::iter::once(&self.spine)
            .chain(&self.histories)
            .collect()
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let filters = self.filters.iter().flatten();
        let filters = filters.map(|filter| Arc::clone(filter) as Arc<dyn PhysicalExpr>);
        apply_expression_roots(filters.collect::<Vec<_>>().iter(), f)
    }

    fn dynamic_expressions_produced(&self) -> Vec<Arc<dyn PhysicalExpr>> {
        let filters = self.filters.iter().flatten();
        filters
            .map(|filter| Arc::clone(filter) as Arc<dyn PhysicalExpr>)
            .collect()
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.len() != 1 + self.histories.len() {
            return internal_err!("{} children for a point-in-time join", children.len());
        }
        let histories = children.split_off(1);
        let Some(spine) = children.pop() else {
            return internal_err!("a point-in-time join without a spine");
        };
        let (spec, filters) = (self.spec.clone(), self.filters.clone());
        Ok(Arc::new(Self::with_filters(
            spec, spine, histories, filters,
        )?))
    }

    fn gather_filters_for_pushdown(
        &self,
        phase: FilterPushdownPhase,
        parent_filters: Vec<Arc<dyn PhysicalExpr>>,
        _config: &ConfigOptions,
    ) -> Result<FilterDescription> {
        // A row that is filtered from the spine is one fewer in the answer, but what a parent says
        // of the columns that come back is not said in the columns of the children.
        let unsupported = || ChildFilterDescription::all_unsupported(&parent_filters);
        let mut description = FilterDescription::new().with_child(unsupported());
        for (number, history) in self.histories.iter().enumerate() {
            let mut child = unsupported();
            if phase == FilterPushdownPhase::Post && self.filters[number].is_none() {
                let filter = dynamic_filter(&self.spec, number, &history.schema())?;
                child = child.with_self_filter(filter);
            }
            description = description.with_child(child);
        }
        Ok(description)
    }

    fn handle_child_pushdown_result(
        &self,
        _phase: FilterPushdownPhase,
        result: ChildPushdownResult,
        _config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn ExecutionPlan>>> {
        let mut filters = self.filters.clone();
        let of_histories = result.self_filters.iter().skip(1);
        for (filter, pushed) in filters.iter_mut().zip(of_histories) {
            // Scans use it for statistics also where they do not promise to apply it.
            let pushed = pushed.first().map(|pushed| Arc::clone(&pushed.predicate));
            let pushed =
                pushed.and_then(|pushed| Arc::downcast::<DynamicFilterPhysicalExpr>(pushed).ok());
            *filter = pushed.or(filter.take());
        }
        let node = Self::with_filters(
            self.spec.clone(),
            Arc::clone(&self.spine),
            self.histories.clone(),
            filters,
        )?;
        let propagation = FilterPushdownPropagation::if_any(result);
        Ok(propagation.with_updated_node(Arc::new(node)))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return internal_err!("partition {partition} of a point-in-time join, which has one");
        }
        // The spine is read while it is indexed.
        let spine = self.spine.execute(0, Arc::clone(&context))?;
        let spine = spawn_buffered(spine, SPINE_BATCHES_AHEAD);
        let run = Run {
            resolved: Arc::clone(&self.resolved),
            histories: self.histories.clone(),
            filters: self.filters.clone(),
            session: Session {
                runtime: context.runtime_env(),
                context,
                metrics: Metrics::new(&self.metrics),
            },
        };
        Ok(output::stream(&self.resolved, run.start(spine)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}
