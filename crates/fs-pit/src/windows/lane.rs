//! [`Lane`]: the partial aggregates of one column and filter.

use std::any::Any;
use std::fmt::Debug;

use arrow::array::{Array, ArrayRef, NullArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::held::Batch;
use super::join::Events;
use super::places::Placed;
use super::plan::WindowPlan;
use super::sweep::{Asked, Sweep, Sweeper};
use crate::aggregate::{Aggregate, Input, Visitor};
use crate::{Error, FeatureRows, RowRank};

/// The partial aggregates of one column and filter, by number.
///
/// The only calls that are not known when it is compiled are one per batch, and one per key at the
/// end.
pub(super) trait Lane: Debug + Send + Sync {
    /// Makes room for `partials`; there will be `most` of them if no event is late.
    fn grow(&mut self, partials: usize, most: usize);

    /// Adds the values of a batch to the partials that its events go to.
    fn update(&mut self, column: &Column, rows: &FeatureRows<'_>, placed: &[Placed]);

    /// Bytes on the heap.
    fn bytes(&self) -> usize;

    /// A sweep over the partials of this lane in all of `joins`, this one's among them.
    fn sweep<'a>(
        &'a self,
        joins: &[&'a dyn Lane],
        asked: Vec<Asked<'a>>,
    ) -> Box<dyn Sweeper<'a> + 'a>;

    fn as_any(&self) -> &dyn Any;
}

/// What a lane reads of a batch.
#[derive(Debug)]
pub(super) struct Column {
    /// Absent for `*`.
    values: Option<ArrayRef>,
    /// The rows that count: those that the filter lets through and that are not null. All if
    /// absent.
    counting: Option<BooleanBuffer>,
}

/// The lanes of a plan, empty.
pub(super) fn all(plan: &WindowPlan) -> Result<Vec<Box<dyn Lane>>, Error> {
    let lanes = plan.lanes().iter();
    lanes.map(|lane| lane.visit(Empty)).collect()
}

/// The inputs of events as lanes read them, if nothing is wrong with the columns beside their keys
/// and times, which were checked.
pub(super) fn inputs(plan: &WindowPlan, events: &Events<'_>) -> Result<Vec<ArrayRef>, Error> {
    let rows = events.rows.len();
    let ragged = |column, found| Error::Ragged {
        column,
        expected: rows,
        found,
    };
    let missing = |what, expected, found| Error::EventColumns {
        what,
        expected,
        found,
    };
    let (inputs, filters) = (plan.inputs().len(), plan.filters().len());
    if inputs != events.inputs.len() {
        return Err(missing("input", inputs, events.inputs.len()));
    }
    if filters != events.filters.len() {
        return Err(missing("filter", filters, events.filters.len()));
    }
    if let Some(input) = events.inputs.iter().find(|input| input.len() != rows) {
        return Err(ragged("input", input.len()));
    }
    if let Some(filter) = events.filters.iter().find(|filter| filter.len() != rows) {
        return Err(ragged("filter", filter.len()));
    }
    let inputs = events.inputs.iter().map(|input| match input.data_type() {
        DataType::Dictionary(_, values) => cast(input, values),
        _ => Ok(ArrayRef::clone(input)),
    });
    let inputs: Vec<ArrayRef> = inputs.collect::<Result<_, _>>()?;
    for lane in plan.lanes() {
        if let Some(input) = lane.input
            && !lane.visit(Reads(&inputs[input]))?
        {
            return Err(Error::EventColumn {
                column: plan.inputs()[input].name.clone(),
                expected: plan.inputs()[input].data_type,
                found: inputs[input].data_type().clone(),
            });
        }
    }
    Ok(inputs)
}

/// What each lane reads of a batch.
pub(super) fn columns(plan: &WindowPlan, batch: &Batch) -> Vec<Column> {
    let filters: Vec<BooleanBuffer> = batch
        .filters
        .iter()
        .map(|filter| match filter.nulls() {
            Some(nulls) => filter.values() & nulls.inner(),
            None => filter.values().clone(),
        })
        .collect();
    let lanes = plan.lanes().iter().map(|lane| {
        let values = lane
            .input
            .map(|input| ArrayRef::clone(&batch.inputs[input]));
        let valid = values.as_ref().and_then(Array::logical_nulls);
        let valid = valid.filter(|nulls| nulls.null_count() > 0);
        let valid = valid.map(NullBuffer::into_inner);
        let counting = match (lane.filter.map(|filter| &filters[filter]), valid) {
            (Some(filter), Some(valid)) => Some(filter & &valid),
            (Some(filter), None) => Some(filter.clone()),
            (None, valid) => valid,
        };
        Column { values, counting }
    });
    lanes.collect()
}

/// Whether an aggregate reads a column.
struct Reads<'a>(&'a dyn Array);

impl Visitor for Reads<'_> {
    type Output = bool;

    fn visit<A: Aggregate>(self, _: A) -> bool {
        A::Input::column(self.0).is_some()
    }
}

/// Makes an empty lane of the aggregate that it is called with.
struct Empty;

impl Visitor for Empty {
    type Output = Box<dyn Lane>;

    fn visit<A: Aggregate>(self, aggregate: A) -> Box<dyn Lane> {
        Box::new(Partials {
            states: Vec::new(),
            heap_bytes: 0,
            aggregate,
        })
    }
}

/// The partials of one aggregate.
#[derive(Debug)]
pub(super) struct Partials<A: Aggregate> {
    pub(super) aggregate: A,
    /// Number 0 is that of no partial, and stays empty.
    pub(super) states: Vec<A::State>,
    /// What the states have on the heap.
    heap_bytes: usize,
}

impl<A: Aggregate> Lane for Partials<A> {
    fn grow(&mut self, partials: usize, most: usize) {
        let len = self.states.len();
        if partials > self.states.capacity() {
            // Doubles, but takes no more than there can be.
            let most = (most + 1).max(partials);
            self.states
                .reserve_exact((2 * len).clamp(partials, most) - len);
        }
        let empty = || self.aggregate.init();
        self.states.resize_with(partials.max(len), empty);
    }

    fn update(&mut self, column: &Column, rows: &FeatureRows<'_>, placed: &[Placed]) {
        // What counts rows reads no column.
        let nothing: &dyn Array = &NullArray::new(0);
        let values = column.values.as_deref().unwrap_or(nothing);
        let Some(values) = A::Input::column(values) else {
            return;
        };
        match &column.counting {
            None => self.update_all(&values, rows, placed.iter()),
            Some(counting) => {
                let placed = placed.iter();
                let counts = |placed: &&Placed| counting.value(placed.row as usize);
                self.update_all(&values, rows, placed.filter(counts));
            }
        }
    }

    fn bytes(&self) -> usize {
        self.states.capacity() * size_of::<A::State>() + self.heap_bytes
    }

    fn sweep<'a>(
        &'a self,
        joins: &[&'a dyn Lane],
        asked: Vec<Asked<'a>>,
    ) -> Box<dyn Sweeper<'a> + 'a> {
        let same = |lane: &&'a dyn Lane| lane.as_any().downcast_ref::<Self>();
        let states = joins.iter().filter_map(same);
        let states = states.map(|lane| lane.states.as_slice()).collect();
        Box::new(Sweep::new(&self.aggregate, states, asked))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl<A: Aggregate> Partials<A> {
    fn update_all<'p>(
        &mut self,
        values: &<A::Input as Input>::Column<'_>,
        rows: &FeatureRows<'_>,
        placed: impl Iterator<Item = &'p Placed>,
    ) {
        let nowhere = RowRank {
            event: 0,
            created: None,
            sequence: None,
        };
        for Placed { row, place } in placed {
            let row = *row as usize;
            let rank = if A::RANKED { rows.rank(row) } else { nowhere };
            let state = &mut self.states[*place as usize];
            let before = self.aggregate.heap_bytes(state);
            let value = A::Input::value(*values, row);
            self.aggregate.update(state, value, rank);
            let after = self.aggregate.heap_bytes(state);
            self.heap_bytes = (self.heap_bytes + after).saturating_sub(before);
        }
    }
}
