//! [`InWindows`]: what do the events of each window make?

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use fs_pit::SpineIndex;
use fs_pit::windows::{Events, TimeLine, WindowAnswers, WindowJoin};

use crate::point_in_time::aggregated::Aggregated;
use crate::point_in_time::columns::Join;
use crate::point_in_time::run::Session;

/// Where windows cut the time of each key, for all partitions of a history.
#[derive(Debug)]
pub(super) struct Lines {
    aggregated: Arc<Aggregated>,
    line: Arc<TimeLine>,
    memory: MemoryReservation,
}

/// The partial aggregates of the events that have come by.
#[derive(Debug)]
pub(super) struct InWindows {
    aggregated: Arc<Aggregated>,
    kernel: WindowJoin,
    memory: MemoryReservation,
}

impl Lines {
    /// Cuts the time of each key of a spine; `None` if there is no memory for that.
    pub(super) fn cut(
        aggregated: &Arc<Aggregated>,
        index: &Arc<SpineIndex>,
        session: &Session,
    ) -> Result<Option<Self>> {
        let memory = session.reservation("time lines");
        if memory
            .try_grow(TimeLine::bytes_over(index, &aggregated.plan))
            .is_err()
        {
            return Ok(None);
        }
        let line = TimeLine::new(Arc::clone(index), Arc::clone(&aggregated.plan));
        let line = line.map_err(|cause| aggregated.failed(cause))?;
        let fits = memory.try_resize(line.bytes()).is_ok();
        Ok(fits.then(|| Self {
            aggregated: Arc::clone(aggregated),
            line: Arc::new(line),
            memory,
        }))
    }
}

impl InWindows {
    /// No events yet; `None` if there is no memory to begin with.
    pub(super) fn start(lines: &Lines, session: &Session) -> Result<Option<Self>> {
        let memory = session.reservation("partial aggregates");
        let bytes = WindowJoin::bytes_over(&lines.line);
        if memory.try_grow(bytes).is_err() {
            return Ok(None);
        }
        let kernel = WindowJoin::over(Arc::clone(&lines.line));
        let kernel = kernel.map_err(|cause| lines.aggregated.failed(cause))?;
        Ok(Some(Self {
            aggregated: Arc::clone(&lines.aggregated),
            kernel,
            memory,
        }))
    }

    /// Adds the events of a batch to their aggregates; `false` if there is no memory for them.
    pub(super) fn offer(&mut self, join: &Join, batch: &RecordBatch) -> Result<bool> {
        let keys = join.key_columns(batch);
        let events = Events {
            rows: join.rows(&keys, batch)?,
            inputs: &self.aggregated.inputs(batch),
            filters: &self.aggregated.filters(batch)?,
        };
        let taken = self.kernel.offer(&events);
        taken.map_err(|cause| self.aggregated.failed(cause))?;
        Ok(self.memory.try_resize(self.kernel.bytes()).is_ok())
    }

    /// The answers of all partitions, and what they are charged to; `None` if there is no memory for them.
    pub(super) fn finish(
        partitions: Vec<Self>,
        lines: &Lines,
    ) -> Result<Option<(WindowAnswers, MemoryReservation)>> {
        let bytes = WindowAnswers::bytes_over(&lines.line);
        let charged = lines.memory.new_empty();
        if charged.try_grow(bytes).is_err() {
            return Ok(None);
        }
        let (kernels, memory): (Vec<_>, Vec<_>) = partitions
            .into_iter()
            .map(|partition| (partition.kernel, partition.memory))
            .unzip();
        let answers = WindowJoin::finish_together(kernels, &lines.line);
        let answers = answers.map_err(|cause| lines.aggregated.failed(cause))?;
        // The partial aggregates are gone; lists and texts take more than was foreseen.
        drop(memory);
        let fits = charged.try_resize(answers.bytes()).is_ok();
        Ok(fits.then_some((answers, charged)))
    }
}
