//! [`Aggregated`]: what windows make of a history, its columns found.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch};
use arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result, plan_err};
use fs_core::Function;
use fs_pit::Rule;
use fs_pit::aggregate::{Aggregate, AnswerBuilder, Visitor};
use fs_pit::windows::WindowPlan;

use super::spec::Windowed;
use super::spine::kernel_error;
use crate::WindowFilters;

/// What a cut of a time line takes: twice while it is being made, and the number of its partial
/// aggregate.
const BYTES_PER_CUT: usize = 2 * (size_of::<i64>() + 1) + size_of::<u32>();
/// What an answer takes in its column, lists and texts apart.
const BYTES_PER_ANSWER: usize = size_of::<i64>() + 1;

/// What windows make of a history, its columns found.
#[derive(Debug)]
pub(super) struct Aggregated {
    label: String,
    pub(super) plan: Arc<WindowPlan>,
    /// Where the inputs of the plan are.
    inputs: Vec<usize>,
    /// The filters of the plan.
    filters: WindowFilters,
}

impl Aggregated {
    pub(super) fn new(
        label: &str,
        windowed: &Windowed,
        rule: Rule,
        history: &SchemaRef,
    ) -> Result<Self> {
        let plan = windowed.plan(rule)?;
        let mut inputs = Vec::new();
        for input in plan.inputs() {
            let at = history.index_of(input.name.as_str())?;
            let found = history.field(at).data_type();
            if *found != input.data_type.to_arrow() {
                return plan_err!(
                    "`{label}` aggregates `{}`, which is {found} and not {}",
                    input.name,
                    input.data_type
                );
            }
            inputs.push(at);
        }
        let filters = plan.filters().iter().map(String::as_str);
        Ok(Self {
            label: label.to_owned(),
            filters: WindowFilters::new(label, filters, history).map_err(engine_error)?,
            inputs,
            plan: Arc::new(plan),
        })
    }

    /// What a row of a spine with a time of its own takes at most, values of any length apart.
    pub(super) fn bytes_per_row(&self) -> Result<usize> {
        let windows = self.plan.windows().iter();
        let cuts = 1 + windows.filter(|window| window.length().is_some()).count();
        let mut states = 0;
        for lane in self.plan.lanes() {
            states += lane.visit(StateBytes).map_err(kernel_error)?;
        }
        let answers = self.plan.outputs().len() * BYTES_PER_ANSWER;
        Ok(cuts * (BYTES_PER_CUT + states) + answers)
    }

    /// The values of a batch, in the order of the inputs of the plan.
    pub(super) fn inputs(&self, batch: &RecordBatch) -> Vec<ArrayRef> {
        let inputs = self.inputs.iter();
        inputs.map(|at| Arc::clone(batch.column(*at))).collect()
    }

    /// Which rows of a batch count, in the order of the filters of the plan.
    pub(super) fn filters(&self, batch: &RecordBatch) -> Result<Vec<BooleanArray>> {
        self.filters.columns(batch).map_err(engine_error)
    }

    /// An error of the kernel that says whose windows they are.
    pub(super) fn failed(&self, cause: fs_pit::Error) -> DataFusionError {
        engine_error(crate::Error::Windows {
            of: self.label.clone(),
            cause,
        })
    }

    /// What windows without events give: one row.
    pub(super) fn absent(&self) -> Result<Vec<ArrayRef>> {
        let columns = self.plan.outputs().iter().map(|output| {
            let builder = AnswerBuilder::new(output.data_type, 1);
            let of_nothing = OfNothing(&output.function, builder);
            let lane = &self.plan.lanes()[output.lane];
            lane.visit(of_nothing).map_err(kernel_error)?
        });
        columns.collect()
    }
}

/// Asks how long a state is.
struct StateBytes;

impl Visitor for StateBytes {
    type Output = usize;

    fn visit<A: Aggregate>(self, _aggregate: A) -> Self::Output {
        size_of::<A::State>()
    }
}

/// Asks the state of no values.
struct OfNothing<'a>(&'a Function, AnswerBuilder);

impl Visitor for OfNothing<'_> {
    type Output = Result<ArrayRef>;

    fn visit<A: Aggregate>(self, aggregate: A) -> Self::Output {
        let Self(function, mut builder) = self;
        let nothing = aggregate.init();
        let answer = aggregate.answer(&nothing, function);
        let answer = answer.map_err(|error| DataFusionError::External(Box::new(error)))?;
        builder.append(&answer).map_err(kernel_error)?;
        builder.finish().map_err(kernel_error)
    }
}

fn engine_error(error: crate::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
