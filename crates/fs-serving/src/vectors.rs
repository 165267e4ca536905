//! The answer: the rows that were fetched, read as columns of values with a status for each.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::ArrayRef;
use fs_core::{DataType, EventTime, ViewName};
use fs_online::{Cell, OpenRows};

use crate::Plan;
use crate::plan::{Lookup, Output};
use crate::windowed::Withheld;

/// Whether a value is there, and if not, why. The numbers are those of Feast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Status {
    /// The value is there.
    Present = 1,
    /// The entity has a row, and its value is null.
    NullValue = 2,
    /// The entity has no row, or none that was visible yet.
    NotFound = 3,
    /// The entity has a row, but it is older than the ttl of its view; or what is stored of the entity does
    /// not give this window exactly at this instant. The value is withheld.
    OutsideMaxAge = 4,
}

impl Status {
    /// The name that people and Feast use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Present => "PRESENT",
            Self::NullValue => "NULL_VALUE",
            Self::NotFound => "NOT_FOUND",
            Self::OutsideMaxAge => "OUTSIDE_MAX_AGE",
        }
    }

    /// The status with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Present),
            2 => Some(Self::NullValue),
            3 => Some(Self::NotFound),
            4 => Some(Self::OutsideMaxAge),
            _ => None,
        }
    }

    /// The number that goes over the wire.
    pub const fn number(self) -> u8 {
        self as u8
    }
}

/// One column per feature, in the order asked for, one row per entity, in the order given.
///
/// The answer owns the packed rows of the store and reads out of them what it is asked for: no value
/// is copied before a wire wants it, and then once.
#[derive(Debug)]
pub struct FeatureVectors {
    plan: Arc<Plan>,
    rows: usize,
    /// One for each lookup of the plan.
    found: Vec<Found>,
}

/// What was found for one lookup: a row, or the reason why there is none, for each entity.
#[derive(Debug)]
pub(crate) struct Found {
    /// One [`Status`] of the whole row each, by number.
    states: Vec<u8>,
    /// When each row was true; any time where there is none.
    events: Vec<Option<i64>>,
    rows: OpenRows,
    /// Values that are not there because they cannot be given exactly.
    withheld: Withheld,
    /// Every entity has a row.
    all_there: bool,
    /// Every entity has a row, and it has every feature.
    all_present: bool,
}

/// One feature of every entity.
#[derive(Debug, Clone, Copy)]
pub struct VectorColumn<'a> {
    output: &'a Output,
    view: ViewRows<'a>,
}

/// The rows of one view, as one request sees them.
#[derive(Debug, Clone, Copy)]
pub struct ViewRows<'a> {
    lookup: &'a Lookup,
    found: &'a Found,
}

impl Found {
    pub(crate) fn new(
        states: Vec<u8>,
        events: Vec<Option<i64>>,
        rows: OpenRows,
        withheld: Withheld,
    ) -> Self {
        let all_there = states.iter().all(|state| *state == PRESENT);
        Self {
            all_present: all_there && rows.are_all_full(),
            states,
            events,
            rows,
            withheld,
            all_there,
        }
    }

    /// Why a value of a row that is there is not.
    fn absent(&self, row: usize, wanted: usize) -> Status {
        if self.withheld.has(row, wanted) {
            Status::OutsideMaxAge
        } else {
            Status::NullValue
        }
    }
}

const PRESENT: u8 = Status::Present.number();

impl FeatureVectors {
    pub(crate) const fn new(plan: Arc<Plan>, rows: usize, found: Vec<Found>) -> Self {
        Self { plan, rows, found }
    }

    /// What the answer was made by.
    pub const fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// How many entities there are.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Whether every value of every feature is [`Status::Present`]. Costs nothing for each of them;
    /// false where that is not known without looking.
    pub fn all_present(&self) -> bool {
        self.found.iter().all(|found| found.all_present)
    }

    /// The features, in the order asked for.
    pub fn columns(&self) -> impl ExactSizeIterator<Item = VectorColumn<'_>> {
        self.plan.outputs.iter().map(|output| VectorColumn {
            output,
            view: self.view(output.lookup),
        })
    }

    /// The feature at this position.
    pub fn column(&self, position: usize) -> Option<VectorColumn<'_>> {
        let output = self.plan.outputs.get(position)?;
        let view = self.view(output.lookup);
        Some(VectorColumn { output, view })
    }

    /// The views that the features come from.
    pub fn views(&self) -> impl ExactSizeIterator<Item = ViewRows<'_>> {
        (0..self.found.len()).map(|lookup| self.view(lookup))
    }

    fn view(&self, lookup: usize) -> ViewRows<'_> {
        ViewRows {
            lookup: &self.plan.lookups[lookup],
            found: &self.found[lookup],
        }
    }
}

impl<'a> ViewRows<'a> {
    /// The view, under the name that it has in the request.
    pub const fn label(&self) -> &'a ViewName {
        &self.lookup.label
    }

    /// Whether these are the same rows, found by the same keys: two columns of one label may not be.
    pub fn is_same(&self, other: &Self) -> bool {
        std::ptr::eq(self.found, other.found)
    }

    /// Whether an entity has a row: [`Status::NullValue`] is of values only.
    pub fn status(&self, row: usize) -> Status {
        let state = self.found.states.get(row);
        state
            .and_then(|state| Status::from_number(*state))
            .unwrap_or(Status::NotFound)
    }

    /// When an entity's row was true, or the newest of its events; none where it is [`Status::NotFound`], or
    /// has no events.
    pub fn event_time(&self, row: usize) -> Option<EventTime> {
        let micros = (*self.found.events.get(row)?)?;
        (self.status(row) != Status::NotFound).then(|| EventTime::from_micros(micros))
    }
}

impl<'a> VectorColumn<'a> {
    /// `feature`, or `view__feature`.
    pub fn name(&self) -> &'a str {
        &self.output.name
    }

    /// Its type.
    pub const fn data_type(&self) -> DataType {
        self.output.data_type
    }

    /// The rows that its values come from.
    pub const fn view(&self) -> ViewRows<'a> {
        self.view
    }

    /// How many values there are, whatever their status.
    pub fn rows(&self) -> usize {
        self.view.found.states.len()
    }

    /// Whether a value is there, and if not, why.
    pub fn status(&self, row: usize) -> Status {
        match self.view.status(row) {
            Status::Present if !self.values().has(row, self.output.wanted) => {
                self.view.found.absent(row, self.output.wanted)
            }
            status => status,
        }
    }

    /// Whether every value is [`Status::Present`]. Costs nothing for each row.
    pub fn all_present(&self) -> bool {
        let found = self.view.found;
        found.all_present || found.all_there && found.rows.is_full(self.output.wanted)
    }

    /// Writes the numbers of the statuses of `rows` into `out`, which is as long.
    pub fn put_statuses(&self, rows: Range<usize>, out: &mut [u8]) {
        let first = rows.start;
        let states = self.view.found.states.get(rows).unwrap_or_default();
        for (place, state) in out.iter_mut().zip(states) {
            *place = *state;
        }
        if self.values().is_full(self.output.wanted) {
            return;
        }
        for (row, place) in (first..).zip(out) {
            if *place == PRESENT && !self.values().has(row, self.output.wanted) {
                *place = self.view.found.absent(row, self.output.wanted).number();
            }
        }
    }

    /// A value; some exactly where it is [`Status::Present`].
    pub fn cell(&self, row: usize) -> Option<Cell<'a>> {
        self.values().cell(row, self.output.wanted)
    }

    /// The bytes of a string or of bytes; some exactly where it is [`Status::Present`].
    pub fn bytes(&self, row: usize) -> Option<&'a [u8]> {
        self.values().bytes(row, self.output.wanted)
    }

    /// Copies the values of `rows` side by side into `out`, little-endian, zeros where a value is
    /// not [`Status::Present`]: of a feature whose values take `W` bytes each.
    pub fn gather<const W: usize>(&self, rows: Range<usize>, out: &mut [u8]) {
        self.values().gather::<W>(self.output.wanted, rows, out);
    }

    /// When the row of a value was true, or the newest event of its key; none where it is
    /// [`Status::NotFound`], or there are no events.
    pub fn event_time(&self, row: usize) -> Option<EventTime> {
        self.view.event_time(row)
    }

    /// The values as Arrow has them; null wherever one is not [`Status::Present`].
    pub fn to_arrow(&self) -> ArrayRef {
        let cells = (0..self.rows()).map(|row| self.cell(row));
        fs_online::row::to_arrow(self.data_type(), cells)
    }

    const fn values(&self) -> &'a OpenRows {
        &self.view.found.rows
    }
}
