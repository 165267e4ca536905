//! [`SpineExec`]: puts the event time and the keys beside the rows of a spine.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Statistics, assert_eq_or_internal_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::distribution_requirements::InputDistributionRequirements;
use datafusion::physical_plan::execution_plan::{CardinalityEffect, ReplaceChildrenOptions};
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, Partitioning, PlanProperties,
    StatisticsArgs,
};
use futures::StreamExt;

use super::columns::{Column, Conversion, Kind};
use super::origin::Origin;
use super::parquet;

/// Puts the event time and the keys beside the rows of a spine, in their order.
///
/// ```text
///   SpineExec: fs:time=event_timestamp, fs:key:user=user
///     DataSourceExec: …                                     the rows as they came, one partition
/// ```
#[derive(Debug)]
pub(super) struct SpineExec {
    input: Arc<dyn ExecutionPlan>,
    columns: Vec<Column>,
    origin: Origin,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl SpineExec {
    pub(super) fn new(
        input: Arc<dyn ExecutionPlan>,
        columns: Vec<Column>,
        schema: SchemaRef,
        origin: Origin,
    ) -> Self {
        let properties = input.properties();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            properties.emission_type,
            properties.boundedness,
        )
        .with_evaluation_type(properties.evaluation_type)
        .with_scheduling_type(properties.scheduling_type);
        Self {
            input,
            columns,
            origin,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

impl DisplayAs for SpineExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let input = self.input.schema();
        let made = self.columns.iter().filter(|c| c.kind != Kind::Original);
        let made = made.map(|c| format!("{}={}", c.field.name(), input.field(c.from).name()));
        let made: Vec<String> = made.collect();
        match format {
            DisplayFormatType::TreeRender => f.write_str(&made.join("\n")),
            _ => write!(f, "SpineExec: {}", made.join(", ")),
        }
    }
}

impl ExecutionPlan for SpineExec {
    fn name(&self) -> &'static str {
        "SpineExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition])
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        assert_eq_or_internal_err!(children.len(), 1, "SpineExec has one child");
        let (columns, schema) = (self.columns.clone(), self.schema());
        let input = children.swap_remove(0);
        Ok(Arc::new(Self::new(
            input,
            columns,
            schema,
            self.origin.clone(),
        )))
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        #[expect(
            deprecated,
            reason = "what the trait still requires is called nowhere else"
        )]
        self.with_new_children(children)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        assert_eq_or_internal_err!(partition, 0, "SpineExec has one partition");
        let input = self.input.execute(0, context)?;
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let file = self.origin.file();
        let mut conversion = Conversion {
            columns: self.columns.clone(),
            schema: self.schema(),
            rows: 0,
        };
        let rows = input.map(move |batch| {
            let batch = batch.map_err(|error| match &file {
                Some(file) => parquet::carried(file, error),
                None => error,
            })?;
            let _timer = metrics.elapsed_compute().timer();
            let made = conversion.next(&batch).map_err(DataFusionError::from)?;
            metrics.record_output(made.num_rows());
            Ok(made)
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn statistics_from_inputs(
        &self,
        _inputs: &[Arc<Statistics>],
        _args: &StatisticsArgs,
    ) -> Result<Arc<Statistics>> {
        let mut statistics = Statistics::new_unknown(&self.schema());
        if let Some(rows) = self.origin.rows() {
            statistics.num_rows = Precision::Exact(rows);
        }
        Ok(Arc::new(statistics))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}
