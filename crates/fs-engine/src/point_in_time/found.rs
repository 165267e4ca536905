//! What a join found, ready to be put beside the spine.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use datafusion::common::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use fs_pit::{KeptRows, Matches, RowId};

use super::parts::Runs;
use super::spine::kernel_error;

/// What a join found for every row of the spine.
#[derive(Debug)]
pub(super) enum Found {
    /// Where the winners are.
    Places {
        matches: Matches,
        _memory: MemoryReservation,
    },
    /// The columns of the winners.
    Kept {
        matches: Matches,
        kept: KeptRows,
        _memory: [MemoryReservation; 2],
    },
    /// Either, on disk and in pieces.
    Parts(Runs),
}

impl Found {
    /// What the join adds to the rows `rows` of the spine, which must be asked for in order.
    pub(super) async fn columns(&mut self, rows: Range<usize>) -> Result<Vec<ArrayRef>> {
        match self {
            Self::Places { matches, .. } => Ok(vec![places(matches, rows)]),
            Self::Kept { matches, kept, .. } => {
                let ids: Vec<Option<RowId>> = rows.map(|row| matches.row(row)).collect();
                let gathered = kept.gather(&ids).map_err(kernel_error)?;
                Ok(gathered.columns().to_vec())
            }
            Self::Parts(runs) => runs.columns(rows).await,
        }
    }

    /// Which of the first `rows` rows of the spine found something.
    pub(super) fn matched_rows(&self, rows: usize) -> BooleanArray {
        let found = |row| match self {
            Self::Places { matches, .. } | Self::Kept { matches, .. } => matches.row(row).is_some(),
            Self::Parts(_) => true,
        };
        (0..rows).map(|row| Some(found(row))).collect()
    }

    /// How many rows of the spine found something.
    pub(super) fn matched(&self) -> usize {
        match self {
            Self::Places { matches, .. } | Self::Kept { matches, .. } => matches.matched(),
            Self::Parts(runs) => runs.rows(),
        }
    }
}

/// The places of the winners of these rows of the spine.
fn places(matches: &Matches, rows: Range<usize>) -> ArrayRef {
    let places: UInt64Array = rows.map(|row| matches.row(row).map(RowId::pack)).collect();
    Arc::new(places)
}
