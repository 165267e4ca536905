//! [`WindowJoin`]: takes events in any order, and keeps partial aggregates of them.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};

use super::answers::WindowAnswers;
use super::lane::{self, Lane};
use super::places::{Placed, Places};
use super::time_line::TimeLine;
use crate::row::RowIds;
use crate::{Error, FeatureRows};

/// Aggregates, for each spine row, the events of its key in windows that end at its time.
///
/// Costs a hash lookup and a search per event, and one update per [lane](super::plan::Lane).
/// Memory: at most a partial aggregate per lane and interval of the [`TimeLine`], and none where no
/// event was; partials with lists or sets of values grow with what is in them. Several joins can
/// share a time line, each see a part of the events, and [finish together](Self::finish_together).
#[derive(Debug)]
pub struct WindowJoin {
    places: Places,
    /// In the order of the lanes of the plan.
    lanes: Vec<Box<dyn Lane>>,
    /// Where the events of the last batch went.
    placed: Vec<Placed>,
}

/// A batch of events.
#[derive(Debug, Clone, Copy)]
pub struct Events<'a> {
    /// Their keys and times.
    pub rows: FeatureRows<'a>,
    /// What [`WindowPlan::inputs`](super::WindowPlan::inputs) says, in that order.
    pub inputs: &'a [ArrayRef],
    /// Whether each of [`WindowPlan::filters`](super::WindowPlan::filters) holds, in that order;
    /// null is false.
    pub filters: &'a [BooleanArray],
}

impl WindowJoin {
    /// A join over a time line, without events.
    pub fn over(line: Arc<TimeLine>) -> Result<Self, Error> {
        let plan = Arc::clone(line.plan());
        Ok(Self {
            lanes: lane::all(&plan)?,
            places: Places::over(line),
            placed: Vec::new(),
        })
    }

    /// Bytes that a join over `line` takes before it has seen events.
    pub fn bytes_over(line: &TimeLine) -> usize {
        Places::bytes_over(line)
    }

    /// Bytes on the heap, those of the shared time line apart.
    pub fn bytes(&self) -> usize {
        let lanes = self.lanes.iter().map(|lane| lane.bytes());
        self.places.bytes() + lanes.sum::<usize>()
    }

    /// Takes the next events. A batch that is refused changes nothing.
    pub fn offer(&mut self, events: &Events<'_>) -> Result<(), Error> {
        let rows = &events.rows;
        rows.check(&RowIds::Batch(0))?;
        let line = Arc::clone(self.places.line());
        let plan = line.plan();
        let columns = lane::columns(plan, events)?;
        self.placed.clear();
        self.places.place(&plan.rule(), rows, &mut self.placed)?;
        let (len, most) = (self.places.len(), self.places.limit());
        for (lane, column) in self.lanes.iter_mut().zip(&columns) {
            lane.grow(len, most);
            lane.update(column, rows, &self.placed);
        }
        Ok(())
    }

    /// The answers, once every event has been offered to one of `joins`, all of them over `line`.
    pub fn finish_together(joins: Vec<Self>, line: &Arc<TimeLine>) -> Result<WindowAnswers, Error> {
        let answers = WindowAnswers::new(&joins, line);
        drop(joins);
        answers
    }

    pub(super) const fn places(&self) -> &Places {
        &self.places
    }

    pub(super) fn lane(&self, lane: usize) -> &dyn Lane {
        self.lanes[lane].as_ref()
    }
}

#[cfg(test)]
mod tests;
