//! Windows by looking at every event for every spine row.

use arrow::array::{Array, ArrayRef, AsArray, TimestampMicrosecondArray};
use arrow::compute::cast;
use arrow::datatypes::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use fs_core::{DataType, KeyValue, ScalarType};

use super::keys_of;
use crate::Error;
use crate::aggregate::accumulator::Boxed;
use crate::aggregate::{Accumulator, AnswerBuilder, Scalar};
use crate::row::{RowIds, first_null};
use crate::windows::plan::{Lane, Output};
use crate::windows::{Events, WindowPlan, covers};

/// What the windows of each spine row make, in spine order: a column per output of `plan`.
///
/// The answer of [`WindowJoin`](crate::windows::WindowJoin). Costs spine rows times events times
/// outputs.
pub fn windows(
    spine_keys: &[ArrayRef],
    spine_times: &TimestampMicrosecondArray,
    plan: &WindowPlan,
    events: &[Events<'_>],
) -> Result<Vec<ArrayRef>, Error> {
    if let Some(row) = first_null(spine_times) {
        return Err(Error::NullSpineTime { row });
    }
    let spine = keys_of(spine_keys, spine_times.len())?;
    let batches: Vec<Batch<'_>> = events
        .iter()
        .map(|events| Batch::new(events, plan))
        .collect::<Result<_, _>>()?;
    let column = |output: &Output| {
        let mut builder = AnswerBuilder::new(output.data_type, spine.len());
        for (key, at) in spine.iter().zip(spine_times.values()) {
            let mut values = plan.lanes()[output.lane].visit(Boxed)?;
            for batch in batches.iter().filter(|_| key.is_some()) {
                batch.add(plan, output, key.as_ref(), *at, values.as_mut())?;
            }
            let answer = values.answer(&output.function);
            builder.append(&answer.map_err(|_overflow| Error::Overflow {
                feature: output.feature.clone(),
            })?)?;
        }
        builder.finish()
    };
    plan.outputs().iter().map(column).collect()
}

struct Batch<'a> {
    events: &'a Events<'a>,
    keys: Vec<Option<Vec<KeyValue>>>,
    inputs: Vec<ArrayRef>,
}

impl<'a> Batch<'a> {
    fn new(events: &'a Events<'a>, plan: &WindowPlan) -> Result<Self, Error> {
        events.rows.check(&RowIds::Batch(0))?;
        let inputs = plan.inputs().iter().zip(events.inputs);
        Ok(Self {
            keys: keys_of(events.rows.keys, events.rows.len())?,
            inputs: inputs
                .map(|(input, column)| cast(column, &input.data_type.to_arrow()))
                .collect::<Result<_, _>>()?,
            events,
        })
    }

    /// Adds the events of `key` that count for `output` at `at`.
    fn add(
        &self,
        plan: &WindowPlan,
        output: &Output,
        key: Option<&Vec<KeyValue>>,
        at: i64,
        values: &mut dyn Accumulator,
    ) -> Result<(), Error> {
        let lane = &plan.lanes()[output.lane];
        let window = plan.windows()[output.window];
        for (row, of_row) in self.keys.iter().enumerate() {
            let rank = self.events.rows.rank(row);
            let counts = of_row.as_ref() == key
                && covers::counts(&plan.rule(), window, rank.event, rank.created, at)
                && self.passes(lane, row);
            if counts && let Some(value) = self.value(lane, row) {
                values.update(value, rank)?;
            }
        }
        Ok(())
    }

    fn passes(&self, lane: &Lane, row: usize) -> bool {
        lane.filter.is_none_or(|filter| {
            let filter = &self.events.filters[filter];
            filter.is_valid(row) && filter.value(row)
        })
    }

    /// The value of the column of a lane; `None` for a null.
    fn value(&self, lane: &Lane, row: usize) -> Option<Scalar<'_>> {
        let (Some(input), Some(data_type)) = (lane.input, lane.data_type) else {
            return Some(Scalar::Row);
        };
        let column = &self.inputs[input];
        column.is_valid(row).then(|| match data_type {
            DataType::Array(_) => Scalar::Row,
            DataType::Scalar(ScalarType::Bool) => Scalar::Bool(column.as_boolean().value(row)),
            DataType::Scalar(ScalarType::Int32) => {
                Scalar::Int32(column.as_primitive::<Int32Type>().value(row))
            }
            DataType::Scalar(ScalarType::Int64) => {
                Scalar::Int64(column.as_primitive::<Int64Type>().value(row))
            }
            DataType::Scalar(ScalarType::Float32) => {
                Scalar::Float32(column.as_primitive::<Float32Type>().value(row))
            }
            DataType::Scalar(ScalarType::Float64) => {
                Scalar::Float64(column.as_primitive::<Float64Type>().value(row))
            }
            DataType::Scalar(ScalarType::String) => {
                Scalar::String(column.as_string::<i32>().value(row))
            }
            DataType::Scalar(ScalarType::Bytes) => {
                Scalar::Bytes(column.as_binary::<i32>().value(row))
            }
            DataType::Scalar(ScalarType::Timestamp) => {
                Scalar::Timestamp(column.as_primitive::<TimestampMicrosecondType>().value(row))
            }
        })
    }
}
