//! [`Runner`]: one join on one stretch of a history.

mod newest;
mod windows;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use datafusion::common::Result;
use datafusion::physical_plan::metrics::Count;
use fs_pit::SpineIndex;

use self::newest::Newest;
use self::windows::{InWindows, Lines};
use super::columns::{Join, OfNewest, Taken};
use super::found::{Found, What};
use super::run::{ROWS_MATCHED, ROWS_READ, Session};

/// A join that takes part in a race.
#[derive(Debug)]
pub(super) struct Contender {
    pub(super) join: Arc<Join>,
    pub(super) index: Arc<SpineIndex>,
    kind: Kind,
    /// Set once there was no memory for what the join takes.
    given_up: Arc<AtomicBool>,
    rows_read: Count,
    /// Spine rows that found something, where that is known as soon as they have.
    rows_matched: Count,
}

/// A join on one stretch of a history.
#[derive(Debug)]
pub(super) struct Runner {
    join: Arc<Join>,
    racing: Racing,
    given_up: Arc<AtomicBool>,
    rows_read: Count,
}

/// What it races for.
#[derive(Debug)]
enum Kind {
    Newest(Arc<OfNewest>),
    /// Without lines it gave up before it began.
    Windows(Option<Lines>),
}

/// What it keeps of the rows that have come by.
#[derive(Debug)]
enum Racing {
    Newest(Newest),
    Windows(InWindows),
}

impl Contender {
    pub(super) fn new(join: Arc<Join>, index: Arc<SpineIndex>, session: &Session) -> Result<Self> {
        let kind = match &join.taken {
            Taken::OfNewest(taken) => Kind::Newest(Arc::clone(taken)),
            Taken::Windows(aggregated) => Kind::Windows(Lines::cut(aggregated, &index, session)?),
        };
        Ok(Self {
            rows_read: session.metrics.of_join(ROWS_READ, join.label()),
            rows_matched: session.metrics.of_join(ROWS_MATCHED, join.label()),
            join,
            index,
            kind,
            given_up: Arc::default(),
        })
    }

    /// A runner for partition `partition`; `None` if there is no memory for what it begins with.
    pub(super) fn runner(&self, partition: usize, session: &Session) -> Result<Option<Runner>> {
        let racing = match &self.kind {
            Kind::Newest(taken) => {
                let newest = Newest::start(taken, &self.join, &self.index, partition, session);
                newest.map(Racing::Newest)
            }
            Kind::Windows(Some(lines)) => InWindows::start(lines, session)?.map(Racing::Windows),
            Kind::Windows(None) => None,
        };
        if racing.is_none() {
            self.given_up.store(true, Ordering::Relaxed);
        }
        Ok(racing.map(|racing| Runner {
            join: Arc::clone(&self.join),
            racing,
            given_up: Arc::clone(&self.given_up),
            rows_read: self.rows_read.clone(),
        }))
    }

    /// What was found, once everything has been offered to `runners`, which are in the order of the
    /// partitions; `None` if memory did not suffice.
    pub(super) fn finish(&self, runners: Vec<Runner>) -> Result<Option<Found>> {
        if self.given_up.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let (mut newest, mut in_windows) = (Vec::new(), Vec::new());
        for runner in runners {
            match runner.racing {
                Racing::Newest(partition) => newest.push(partition),
                Racing::Windows(partition) => in_windows.push(partition),
            }
        }
        match &self.kind {
            Kind::Newest(taken) => Newest::finish(newest, taken, &self.index).map(Some),
            Kind::Windows(Some(lines)) => self.finish_windows(in_windows, lines),
            Kind::Windows(None) => Ok(None),
        }
    }

    fn finish_windows(&self, partitions: Vec<InWindows>, lines: &Lines) -> Result<Option<Found>> {
        let Some((answers, memory)) = InWindows::finish(partitions, lines)? else {
            return Ok(None);
        };
        let matched = answers.matched(0..answers.len()).true_count();
        self.rows_matched.add(matched);
        Found::new(What::Windows(answers), vec![memory]).map(Some)
    }
}

impl Runner {
    /// Lets a batch race; `false` if there is no memory for what would have to be kept.
    pub(super) fn offer(&mut self, batch: &RecordBatch) -> Result<bool> {
        self.rows_read.add(batch.num_rows());
        self.offer_again(batch)
    }

    /// The same for a batch that was counted when it was read.
    pub(super) fn offer_again(&mut self, batch: &RecordBatch) -> Result<bool> {
        if self.given_up.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let fits = match &mut self.racing {
            Racing::Newest(newest) => newest.offer(&self.join, batch)?,
            Racing::Windows(in_windows) => in_windows.offer(&self.join, batch)?,
        };
        if !fits {
            self.given_up.store(true, Ordering::Relaxed);
        }
        Ok(fits)
    }
}
