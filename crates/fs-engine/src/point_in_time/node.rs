//! [`PointInTimeJoinNode`]: the join as a node of a logical plan.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::{DFSchema, DFSchemaRef, Result, internal_err};
use datafusion::logical_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

use super::spec::PointInTimeSpec;

/// A spine joined with histories: the logical form of
/// [`PointInTimeJoinExec`](super::PointInTimeJoinExec).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PointInTimeJoinNode {
    spec: PointInTimeSpec,
    /// The spine and then the histories.
    inputs: Vec<LogicalPlan>,
    schema: DFSchemaRef,
}

impl PointInTimeJoinNode {
    /// Joins `spine` with `histories` as `spec` says.
    pub fn try_new(
        spec: PointInTimeSpec,
        spine: LogicalPlan,
        histories: Vec<LogicalPlan>,
    ) -> Result<Self> {
        let schemas: Vec<SchemaRef> = histories
            .iter()
            .map(|history| Arc::clone(history.schema().inner()))
            .collect();
        let output = spec.output(spine.schema().as_arrow(), &schemas)?;
        let schema = DFSchema::try_from(output)?;
        Ok(Self {
            spec,
            inputs: std::iter::once(spine).chain(histories).collect(),
            schema: Arc::new(schema),
        })
    }

    /// The node as a plan.
    pub fn into_plan(self) -> LogicalPlan {
        LogicalPlan::Extension(Extension {
            node: Arc::new(self),
        })
    }

    /// What is joined.
    pub const fn spec(&self) -> &PointInTimeSpec {
        &self.spec
    }
}

// Required of nodes; there is no order among joins.
impl PartialOrd for PointInTimeJoinNode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for PointInTimeJoinNode {
    fn name(&self) -> &'static str {
        "PointInTimeJoin"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        self.inputs.iter().collect()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PointInTimeJoin: {}", self.spec)
    }

    fn with_exprs_and_inputs(
        &self,
        _expressions: Vec<Expr>,
        mut inputs: Vec<LogicalPlan>,
    ) -> Result<Self> {
        if inputs.len() != self.inputs.len() {
            return internal_err!("{} inputs for a point-in-time join", inputs.len());
        }
        let spine = inputs.remove(0);
        Self::try_new(self.spec.clone(), spine, inputs)
    }

    fn necessary_children_exprs(&self, _output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let needed = |input: &LogicalPlan, names: &mut dyn Iterator<Item = &str>| {
            let columns: Option<Vec<usize>> = names
                .map(|name| input.schema().index_of_column_by_name(None, name))
                .collect();
            let mut columns = columns?;
            columns.sort_unstable();
            columns.dedup();
            Some(columns)
        };
        let (spine, histories) = self.inputs.split_first()?;
        let mut all = vec![needed(spine, &mut self.spec.spine_needs())?];
        for (number, history) in histories.iter().enumerate() {
            all.push(needed(history, &mut self.spec.history_needs(number))?);
        }
        Some(all)
    }
}
