//! Planning: logical nodes of our own become operators of our own.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{Result, internal_err};
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{LogicalPlan, UserDefinedLogicalNode};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};

use crate::fetch_rows::{FetchRowsExec, FetchRowsNode};
use crate::point_in_time::{PointInTimeJoinExec, PointInTimeJoinNode};

/// Plans queries with our operators in them.
#[derive(Debug, Clone, Copy, Default)]
pub struct OperatorPlanner;

impl OperatorPlanner {
    /// `state`, with plans made by this planner.
    pub fn install(state: SessionState) -> SessionState {
        SessionStateBuilder::new_from_existing(state)
            .with_query_planner(Arc::new(Self))
            .build()
    }
}

#[async_trait]
impl QueryPlanner for OperatorPlanner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![Arc::new(*self)]);
        planner.create_physical_plan(plan, session).await
    }
}

#[async_trait]
impl ExtensionPlanner for OperatorPlanner {
    async fn plan_extension(
        &self,
        _planner: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _logical_inputs: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        _session: &dyn Session,
        _context: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some((first, others)) = inputs.split_first() else {
            return Ok(None);
        };
        if let Some(node) = node.as_any().downcast_ref::<PointInTimeJoinNode>() {
            let (spec, spine) = (node.spec().clone(), Arc::clone(first));
            let join = PointInTimeJoinExec::try_new(spec, spine, others.to_vec())?;
            return Ok(Some(Arc::new(join)));
        }
        if let Some(node) = node.as_any().downcast_ref::<FetchRowsNode>() {
            let schemas: Vec<_> = others.iter().map(|table| table.schema()).collect();
            let columns = node.columns().iter();
            let columns: Result<_> = columns
                .map(|column| column.resolve(&first.schema(), &schemas))
                .collect();
            let fetch = FetchRowsExec::try_new(Arc::clone(first), others.to_vec(), columns?)?;
            return Ok(Some(Arc::new(fetch)));
        }
        internal_err!("no plan for the node {}", node.name())
    }
}
