//! [`FetchRowsExec`]: the wide columns of the few rows that are wanted, by their addresses.
//!
//! ```text
//!   input                            table 0                            output
//!   user  a (address)                _file  _row  clicks  spend         user  clicks  spend
//!   7     1 << 32 | 0                0      0     3       0.5           7     4       0.7
//!   8     null                       0      1     9       0.1           8     null    null
//!   9     0                          1      0     4       0.7           9     3       0.5
//! ```
//!
//! An operator that decides which row of a large table goes with each row of its input (a join in time)
//! needs few columns of the table for that. It hands on where the rows lie, `file << 32 | row`, and this
//! operator reads the other columns of just those rows, each once however many rows ask for it:
//!
//! 1. The input is read whole ([`Spool`](crate::Spool)), and every address sets a bit.
//! 2. Each table is read once, by row selection, several chunks at a time.
//! 3. The input is gone through again; the rank of an address among the set bits tells where its payload
//!    lies. The output keeps the order of the input.
//!
//! Cost: the pages that hold wanted rows, and one random access per output value. Memory: the input, a
//! few bits per row of the tables, and the payload. Where the memory pool grants too little, the input
//! goes to disk; and where the payload does not fit, the output is made in windows, each with its
//! payload on disk. The answer is the same.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, CardinalityEffect, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet, RecordOutput,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, Distribution, ExecutionPlan, InputDistributionRequirements,
    Partitioning, PlanProperties,
};
use futures::TryStreamExt;
use serde::{Deserialize, Serialize};

mod chunks;
mod directory;
mod gather;
mod input;
mod lookup;
mod marks;
mod node;
mod payload;
mod read;
mod run;
mod source;
mod windows;
mod words;

pub use node::{FetchColumn, FetchRowsNode};

use lookup::Layout;
use run::{Counts, Run, TableRun};
use source::TableSource;

/// A column of the output.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum OutputColumn {
    /// A column of the input as it is.
    Input {
        /// Its place in the input.
        column: usize,
    },
    /// A column of a table, of the rows that a column of the input names.
    Fetched {
        /// Which table.
        table: usize,
        /// The column of the input that has the addresses: uint64, null where there is no row.
        address: usize,
        /// The column of the table.
        column: usize,
        /// What it is called in the output; it is nullable there.
        name: String,
    },
}

/// Reads columns of tables for the rows whose addresses are in its input.
///
/// A table is the scan of Parquet files (a `DataSourceExec`) whose first partition value is the number
/// of the file, as `_file` of an offline table is, without a filter. Its own rows are not read; it tells
/// where the files are, how they are read and which columns are wanted.
#[derive(Debug)]
pub struct FetchRowsExec {
    input: Arc<dyn ExecutionPlan>,
    tables: Vec<Arc<dyn ExecutionPlan>>,
    columns: Vec<OutputColumn>,
    sources: Vec<Arc<TableSource>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl FetchRowsExec {
    /// The rows of `input`, as `columns`; the input is read as a single partition.
    pub fn try_new(
        input: Arc<dyn ExecutionPlan>,
        tables: Vec<Arc<dyn ExecutionPlan>>,
        columns: Vec<OutputColumn>,
    ) -> DataFusionResult<Self> {
        let sources = tables.iter().enumerate();
        let sources: DataFusionResult<Vec<_>> = sources
            .map(|(number, plan)| TableSource::try_new(number, plan).map(Arc::new))
            .collect();
        let schema = output_schema(&input.schema(), &tables, &columns)?;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Ok(Self {
            input,
            tables,
            columns,
            sources: sources?,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// What has the addresses.
    pub fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }

    /// The scans of the tables.
    pub fn tables(&self) -> &[Arc<dyn ExecutionPlan>] {
        &self.tables
    }

    /// The columns of the output.
    pub fn columns(&self) -> &[OutputColumn] {
        &self.columns
    }

    /// The columns of the input that have addresses of rows of a table.
    fn addresses(&self, of: usize) -> Vec<usize> {
        let mut addresses = Vec::new();
        for column in &self.columns {
            if let OutputColumn::Fetched { table, address, .. } = column
                && *table == of
                && !addresses.contains(address)
            {
                addresses.push(*address);
            }
        }
        addresses
    }

    fn run(&self, context: Arc<TaskContext>, baseline: &BaselineMetrics) -> Run {
        let count = |name| MetricBuilder::new(&self.metrics).counter(name, 0);
        let tables = self.sources.iter().enumerate();
        Run {
            layout: Arc::new(Layout {
                schema: self.schema(),
                columns: self.columns.clone(),
            }),
            tables: tables
                .map(|(table, source)| TableRun {
                    source: Arc::clone(source),
                    addresses: self.addresses(table),
                })
                .collect(),
            context,
            counts: Counts {
                rows_fetched: count("rows_fetched"),
                spilled_bytes: MetricBuilder::new(&self.metrics).spilled_bytes(0),
                windows: count("windows"),
                elapsed: baseline.elapsed_compute().clone(),
            },
        }
    }
}

/// The columns of the output; an error if there is no such column, or if it has no addresses.
fn output_schema(
    input: &SchemaRef,
    tables: &[Arc<dyn ExecutionPlan>],
    columns: &[OutputColumn],
) -> DataFusionResult<SchemaRef> {
    let absent = |what: String| DataFusionError::Plan(format!("FetchRows: there is no {what}"));
    let of_input = |at: usize| -> DataFusionResult<&FieldRef> {
        let field = input.fields().get(at);
        field.ok_or_else(|| absent(format!("column {at} of the input")))
    };
    let field = |column: &OutputColumn| match column {
        OutputColumn::Input { column } => of_input(*column).cloned(),
        OutputColumn::Fetched {
            table,
            address,
            column,
            name,
        } => {
            let field = of_input(*address)?;
            if *field.data_type() != DataType::UInt64 {
                return Err(DataFusionError::Plan(format!(
                    "FetchRows: column `{}` has {}, which are no addresses",
                    field.name(),
                    field.data_type()
                )));
            }
            let plan = tables.get(*table);
            let schema = plan
                .ok_or_else(|| absent(format!("table {table}")))?
                .schema();
            let field = schema.fields().get(*column);
            let field = field.ok_or_else(|| absent(format!("column {column} of table {table}")))?;
            Ok(Arc::new(Field::new(name, field.data_type().clone(), true)))
        }
    };
    let fields: DataFusionResult<Vec<FieldRef>> = columns.iter().map(field).collect();
    Ok(Arc::new(Schema::new_with_metadata(
        fields?,
        input.metadata().clone(),
    )))
}

impl DisplayAs for FetchRowsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.input.schema();
        write!(f, "FetchRowsExec: ")?;
        for table in 0..self.tables.len() {
            let separator = if table == 0 { "" } else { ", " };
            write!(f, "{separator}table {table} by [")?;
            for (at, column) in self.addresses(table).into_iter().enumerate() {
                let separator = if at == 0 { "" } else { ", " };
                write!(f, "{separator}{}@{column}", schema.field(column).name())?;
            }
            write!(f, "]")?;
        }
        Ok(())
    }
}

impl ExecutionPlan for FetchRowsExec {
    fn name(&self) -> &'static str {
        "FetchRowsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    /// The input, then the tables.
    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        std::iter::once(&self.input).chain(&self.tables).collect()
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        let tables = self
            .tables
            .iter()
            .map(|_| Distribution::UnspecifiedDistribution);
        let all = std::iter::once(Distribution::SinglePartition).chain(tables);
        InputDistributionRequirements::new(all.collect())
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        let tables = self.tables.iter().map(|_| false);
        std::iter::once(true).chain(tables).collect()
    }

    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; 1 + self.tables.len()]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        if children.len() != 1 + self.tables.len() {
            return Err(DataFusionError::Internal(format!(
                "FetchRowsExec has {} children, not {}",
                1 + self.tables.len(),
                children.len()
            )));
        }
        let tables = children.split_off(1);
        let input = children.swap_remove(0);
        let columns = self.columns.clone();
        Ok(Arc::new(Self::try_new(input, tables, columns)?))
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode::Recompute;
        self.replace_children(children, ReplaceChildrenOptions::new(Recompute))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DataFusionResult<SendableRecordBatchStream> {
        if partition != 0 || self.input.properties().partitioning.partition_count() != 1 {
            return Err(DataFusionError::Internal(format!(
                "FetchRowsExec has one partition and so has its input, asked for {partition}"
            )));
        }
        let baseline = BaselineMetrics::new(&self.metrics, 0);
        let run = self.run(Arc::clone(&context), &baseline);
        let input = self.input.execute(0, context)?;
        let rows = futures::stream::once(run.start(input)).try_flatten();
        let rows = rows.map_ok(move |batch| batch.record_output(&baseline));
        let schema = self.schema();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}

#[cfg(test)]
mod tests;
