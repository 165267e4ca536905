//! What a join found, ready to be put beside the spine.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, UInt64Array};
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use fs_pit::windows::WindowAnswers;
use fs_pit::{KeptRows, Matches, RowId};

use super::parts::Runs;
use super::spine::kernel_error;

/// What a join found for every row of the spine.
#[derive(Debug)]
pub(super) struct Found {
    what: What,
    /// What it is charged to; nothing if it is on disk.
    _memory: Vec<MemoryReservation>,
}

#[derive(Debug)]
pub(super) enum What {
    /// Where the winners are.
    Places(Matches),
    /// The columns of the winners.
    Kept(Matches, KeptRows),
    /// What windows give.
    Windows(WindowAnswers),
    /// Any of these, on disk and in pieces.
    Parts(Runs),
}

impl What {
    fn bytes(&self) -> usize {
        match self {
            Self::Places(matches) => matches.bytes(),
            Self::Kept(matches, kept) => matches.bytes() + kept.bytes(),
            Self::Windows(answers) => answers.bytes(),
            Self::Parts(_) => 0,
        }
    }
}

impl Found {
    /// What was found, charged to what its making was charged to.
    pub(super) fn new(what: What, memory: Vec<MemoryReservation>) -> Result<Self> {
        let mut bytes = what.bytes();
        for memory in &memory {
            let mine = bytes.min(memory.size());
            memory.shrink(memory.size() - mine);
            bytes -= mine;
        }
        // More than its making took is what is over, as a rule nothing.
        if let Some(memory) = memory.first() {
            memory.try_grow(bytes)?;
        }
        Ok(Self {
            what,
            _memory: memory,
        })
    }

    /// What the join adds to the rows `rows` of the spine, which must be asked for in order; and how
    /// many of them found something that has not been counted yet.
    pub(super) async fn columns(&mut self, rows: Range<usize>) -> Result<(Vec<ArrayRef>, usize)> {
        match &mut self.what {
            What::Places(matches) => {
                let places: UInt64Array =
                    rows.map(|row| matches.row(row).map(RowId::pack)).collect();
                let found = places.len() - places.null_count();
                Ok((vec![Arc::new(places)], found))
            }
            What::Kept(matches, kept) => {
                let ids: Vec<Option<RowId>> = rows.map(|row| matches.row(row)).collect();
                let gathered = kept.gather(&ids).map_err(kernel_error)?;
                Ok((gathered.columns().to_vec(), ids.iter().flatten().count()))
            }
            // These are counted when they are found.
            What::Windows(answers) => Ok((answers.columns(rows).map_err(kernel_error)?, 0)),
            What::Parts(runs) => runs.columns(rows).await,
        }
    }

    /// Which of the first `rows` rows of the spine found something.
    pub(super) fn matched(&self, rows: usize) -> BooleanArray {
        match &self.what {
            What::Places(matches) | What::Kept(matches, _) => {
                let found = (0..rows).map(|row| Some(matches.row(row).is_some()));
                found.collect()
            }
            What::Windows(answers) => answers.matched(0..rows),
            What::Parts(_) => (0..rows).map(|_| Some(true)).collect(),
        }
    }
}
