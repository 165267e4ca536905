//! [`World`]: a table, its state online, and which events the state should know.

use std::sync::Arc;

use fs_core::EventTime;

use super::fixture::{Sample, built, pushed};
use crate::state::{Rebased, State, StateShape};

/// The table, the online side, and what it should know.
#[derive(Default)]
pub(super) struct World {
    pub(super) table: Vec<Sample>,
    /// Sent, and not there yet.
    pub(super) late: Vec<Sample>,
    pub(super) state: Option<Vec<u8>>,
    /// What was published, of how many sequences.
    pub(super) published: Vec<Sample>,
    pub(super) through: i64,
    pub(super) committed: Vec<Sample>,
    pub(super) provisional: Vec<Sample>,
}

impl World {
    pub(super) fn known(&self) -> Vec<Sample> {
        [&self.published, &self.committed, &self.provisional]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    pub(super) fn push(&mut self, shape: &StateShape, samples: &[Sample]) {
        self.state = pushed(self.state.as_deref(), shape, samples);
        for sample in samples {
            let is_new = sample.sequence.is_none_or(|sequence| {
                let known = self
                    .committed
                    .iter()
                    .any(|it| it.sequence == Some(sequence));
                sequence >= self.through && !known
            });
            if !is_new {
                continue;
            }
            match sample.sequence {
                Some(_) => self.committed.push(sample.clone()),
                None => self.provisional.push(sample.clone()),
            }
        }
    }

    pub(super) fn publish(
        &mut self,
        shape: &Arc<StateShape>,
        through: i64,
        watermark: Option<i64>,
    ) {
        let is_in = |sample: &&Sample| sample.sequence.unwrap() < through;
        let rows: Vec<Sample> = self.table.iter().filter(is_in).cloned().collect();
        let base = built(shape, &rows, through);
        let mut turned = rows.clone();
        turned.reverse();
        assert_eq!(
            base,
            built(shape, &turned, through),
            "order does not matter"
        );
        let base_state = State::open(&base).unwrap();
        let stored = self.state.clone();
        let stored = stored.as_deref().map(|bytes| State::open(bytes).unwrap());
        let watermark_time = watermark.map(EventTime::from_micros);
        match State::rebase(stored.as_ref(), &base_state, watermark_time).unwrap() {
            Rebased::State(state) => {
                self.state = Some(state);
                self.published = rows;
                self.through = through;
                self.committed.retain(|it| it.sequence.unwrap() >= through);
                let from = watermark.unwrap_or(i64::MIN);
                self.provisional.retain(|it| it.event >= from);
            }
            Rebased::Straddles { greatest } => {
                assert!(greatest >= through);
                self.publish(shape, greatest + 1, watermark);
            }
        }
    }
}
