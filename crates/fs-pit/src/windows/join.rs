//! [`WindowJoin`]: takes events in any order, and keeps partial aggregates of them.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};

use super::answers::WindowAnswers;
use super::held::Held;
use super::lane::{self, Lane};
use super::places::{Placed, Places};
use super::time_line::TimeLine;
use crate::row::RowIds;
use crate::{Error, FeatureRows};

/// Aggregates, for each spine row, the events of its key in windows that end at its time.
///
/// Costs a hash lookup and a search per event, and one update per [lane](super::plan::Lane). Where
/// there are many keys, some events are held until they are worth sorting by key, so that they find
/// their places in the cache. Memory: at most a partial aggregate per lane and interval of the
/// [`TimeLine`], and none where no event was; partials with lists or sets of values grow with what is
/// in them. Several joins can share a time line, each see a part of the events, and
/// [finish together](Self::finish_together).
#[derive(Debug)]
pub struct WindowJoin {
    places: Places,
    held: Held,
    /// So many events are held before they are placed.
    hold: usize,
    /// In the order of the lanes of the plan.
    lanes: Vec<Box<dyn Lane>>,
    /// The keys of the last batch.
    keys: Vec<u32>,
    /// Where the events went that were placed last.
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

/// Events are not held beyond so many bytes.
const MANY_BYTES: usize = 64 << 20;
/// Fewer intervals than these are all in the cache anyway.
const FEW_INTERVALS: usize = 1 << 16;

/// How many events are worth sorting by key: enough that some are of the same one, and few beside
/// what the time line takes.
fn worth_sorting(line: &TimeLine) -> usize {
    match line.intervals() {
        ..FEW_INTERVALS => 0,
        intervals => (intervals / 8).clamp(FEW_INTERVALS, 1 << 20),
    }
}

impl WindowJoin {
    /// A join over a time line, without events.
    pub fn over(line: Arc<TimeLine>) -> Result<Self, Error> {
        let plan = Arc::clone(line.plan());
        Ok(Self {
            lanes: lane::all(&plan)?,
            hold: worth_sorting(&line),
            places: Places::over(line),
            held: Held::default(),
            keys: Vec::new(),
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
        self.places.bytes() + self.held.bytes() + lanes.sum::<usize>()
    }

    /// Takes the next events. A batch that is refused changes nothing.
    pub fn offer(&mut self, events: &Events<'_>) -> Result<(), Error> {
        let rows = &events.rows;
        rows.check(&RowIds::Batch(0))?;
        let line = Arc::clone(self.places.line());
        let inputs = lane::inputs(line.plan(), events)?;
        if !self.places.have_room(self.held.rows() + rows.len()) {
            return Err(Error::TooMany);
        }
        self.keys.clear();
        let keys = line.index().keys();
        keys.find(rows.keys, rows.len(), &mut self.keys)?;
        if !self.held.goes_with(&inputs) {
            self.place()?;
        }
        self.held.push(events, inputs, &self.keys);
        if self.held.rows() >= self.hold || self.held.bytes() >= MANY_BYTES {
            self.place()?;
        }
        Ok(())
    }

    /// The same, holding so many events before they are placed.
    #[cfg(test)]
    pub(super) fn holding(mut self, events: usize) -> Self {
        self.hold = events;
        self
    }

    /// Adds the events that are held to partials.
    fn place(&mut self) -> Result<(), Error> {
        let line = Arc::clone(self.places.line());
        let (plan, keys) = (line.plan(), line.index().key_count());
        let (batch, arrivals) = self.held.take(&plan.rule(), keys)?;
        self.placed.clear();
        self.places.place(&arrivals, &mut self.placed);
        drop(arrivals);
        let columns = lane::columns(plan, &batch);
        let (len, most) = (self.places.len(), self.places.limit());
        for (lane, column) in self.lanes.iter_mut().zip(&columns) {
            lane.grow(len, most);
            lane.update(column, &batch.rows(), &self.placed);
        }
        Ok(())
    }

    /// The answers, once every event has been offered to one of `joins`, all of them over `line`.
    pub fn finish_together(
        mut joins: Vec<Self>,
        line: &Arc<TimeLine>,
    ) -> Result<WindowAnswers, Error> {
        std::thread::scope(|scope| {
            let waiting = joins.iter_mut().filter(|join| join.held.rows() > 0);
            let tasks: Vec<_> = waiting.map(|join| scope.spawn(|| join.place())).collect();
            tasks.into_iter().try_for_each(|task| match task.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
        })?;
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
