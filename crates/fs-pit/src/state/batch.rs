//! [`StateEvents`]: a batch of events, checked against the plan that they are for.

use arrow::array::{Array, BooleanArray};
use fs_core::{DataType, ScalarType};

use super::event;
use crate::aggregate::input::{Binary, Bool, Float32, Float64, Int32, Int64, Micros, Text};
use crate::aggregate::{Input, Scalar};
use crate::windows::Events;
use crate::windows::plan::WindowPlan;
use crate::{Error, RowRank};

/// A batch of events that go into states, row by row.
///
/// Their keys are not looked at: whoever holds the states knows which rows belong to which.
#[derive(Debug)]
pub struct StateEvents<'a> {
    events: Events<'a>,
    inputs: Vec<Column<'a>>,
}

/// A column of one of the types that inputs have.
#[derive(Debug)]
enum Column<'a> {
    /// Only rows are counted.
    Rows(&'a dyn Array),
    Bool(&'a dyn Array, <Bool as Input>::Column<'a>),
    Int32(&'a dyn Array, <Int32 as Input>::Column<'a>),
    Int64(&'a dyn Array, <Int64 as Input>::Column<'a>),
    Float32(&'a dyn Array, <Float32 as Input>::Column<'a>),
    Float64(&'a dyn Array, <Float64 as Input>::Column<'a>),
    String(&'a dyn Array, <Text as Input>::Column<'a>),
    Bytes(&'a dyn Array, <Binary as Input>::Column<'a>),
    Timestamp(&'a dyn Array, <Micros as Input>::Column<'a>),
}

impl<'a> StateEvents<'a> {
    /// Checks that there are all columns that `plan` reads, of its types, and no event without a time.
    pub fn new(plan: &WindowPlan, events: Events<'a>) -> Result<Self, Error> {
        let rows = events.rows.event.len();
        let counts = [
            ("inputs", plan.inputs().len(), events.inputs.len()),
            ("filters", plan.filters().len(), events.filters.len()),
        ];
        for (what, expected, found) in counts {
            if expected != found {
                return Err(Error::EventColumns {
                    what,
                    expected,
                    found,
                });
            }
        }
        let lengths = events.inputs.iter().map(|column| ("input", column.len()));
        let filters = events.filters.iter().map(|column| ("filter", column.len()));
        let created = events.rows.created.map(|column| ("created", column.len()));
        let sequence = events
            .rows
            .sequence
            .map(|column| ("sequence", column.len()));
        let lengths = lengths.chain(filters).chain(created).chain(sequence);
        for (column, found) in lengths {
            if found != rows {
                return Err(Error::Ragged {
                    column,
                    expected: rows,
                    found,
                });
            }
        }
        if let Some(row) = crate::row::first_null(events.rows.event) {
            return Err(Error::NullEventTime { batch: 0, row });
        }
        let inputs = plan.inputs().iter().zip(events.inputs);
        let inputs = inputs.map(|(input, array)| {
            Column::of(input.data_type, array.as_ref()).ok_or_else(|| Error::EventColumn {
                column: input.name.clone(),
                expected: input.data_type,
                found: array.data_type().clone(),
            })
        });
        Ok(Self {
            inputs: inputs.collect::<Result<_, Error>>()?,
            events,
        })
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.events.rows.event.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where in the order of rows an event came.
    pub(super) fn rank(&self, row: usize) -> RowRank {
        let rows = &self.events.rows;
        let created = rows.created.filter(|created| created.is_valid(row));
        let sequence = rows.sequence.filter(|sequence| sequence.is_valid(row));
        RowRank {
            event: rows.event.value(row),
            created: created.map(|created| created.value(row)),
            sequence: sequence.map(|sequence| sequence.value(row)),
        }
    }

    /// Appends the event in `row` to `events`.
    pub(super) fn put(&self, row: usize, events: &mut event::Events) {
        let holds = |filter: &BooleanArray| filter.is_valid(row) && filter.value(row);
        let filters = self.events.filters.iter().map(holds);
        let values = self.inputs.iter().map(|column| column.value(row));
        events.push(self.rank(row), filters, values);
    }
}

impl<'a> Column<'a> {
    fn of(data_type: DataType, array: &'a dyn Array) -> Option<Self> {
        let DataType::Scalar(scalar) = data_type else {
            return Some(Self::Rows(array));
        };
        Some(match scalar {
            ScalarType::Bool => Self::Bool(array, Bool::column(array)?),
            ScalarType::Int32 => Self::Int32(array, Int32::column(array)?),
            ScalarType::Int64 => Self::Int64(array, Int64::column(array)?),
            ScalarType::Float32 => Self::Float32(array, Float32::column(array)?),
            ScalarType::Float64 => Self::Float64(array, Float64::column(array)?),
            ScalarType::String => Self::String(array, Text::column(array)?),
            ScalarType::Bytes => Self::Bytes(array, Binary::column(array)?),
            ScalarType::Timestamp => Self::Timestamp(array, Micros::column(array)?),
        })
    }

    /// The value in a row; none if it is null.
    fn value(&self, row: usize) -> Option<Scalar<'a>> {
        let there = |array: &&dyn Array| array.is_valid(row);
        match self {
            Self::Rows(array) => there(array).then_some(Scalar::Row),
            Self::Bool(array, column) => {
                there(array).then(|| Scalar::Bool(Bool::value(*column, row)))
            }
            Self::Int32(array, column) => {
                there(array).then(|| Scalar::Int32(Int32::value(*column, row)))
            }
            Self::Int64(array, column) => {
                there(array).then(|| Scalar::Int64(Int64::value(*column, row)))
            }
            Self::Float32(array, column) => {
                there(array).then(|| Scalar::Float32(Float32::value(*column, row)))
            }
            Self::Float64(array, column) => {
                there(array).then(|| Scalar::Float64(Float64::value(*column, row)))
            }
            Self::String(array, column) => {
                there(array).then(|| Scalar::String(Text::value(*column, row)))
            }
            Self::Bytes(array, column) => {
                there(array).then(|| Scalar::Bytes(Binary::value(*column, row)))
            }
            Self::Timestamp(array, column) => {
                there(array).then(|| Scalar::Timestamp(Micros::value(*column, row)))
            }
        }
    }
}
