//! Feature rows: how they are handed over, told apart and put in order.

use arrow::array::{Array, ArrayRef, Int64Array, TimestampMicrosecondArray};

use crate::Error;

/// One feature row: which batch, counted from 0 in the order offered, and which row of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId {
    /// The batch.
    pub batch: u32,
    /// The row in that batch.
    pub row: u32,
}

/// The columns of a batch of feature rows that decide who wins.
#[derive(Debug, Clone, Copy)]
pub struct FeatureRows<'a> {
    /// The key columns, in the order of the spine's.
    pub keys: &'a [ArrayRef],
    /// Event times; none may be null.
    pub event: &'a TimestampMicrosecondArray,
    /// Created times, if there are any.
    pub created: Option<&'a TimestampMicrosecondArray>,
    /// The order in which the rows were committed, if it is known.
    pub sequence: Option<&'a Int64Array>,
}

/// Which of two visible rows of a key wins: the greater.
///
/// | First | then | then | then |
/// |---|---|---|---|
/// | event time | created time, null lowest | sequence, null lowest | the row that came later |
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub(crate) event: i64,
    pub(crate) created: Option<i64>,
    pub(crate) sequence: Option<i64>,
    pub(crate) row: RowId,
}

impl FeatureRows<'_> {
    /// The number of rows.
    pub fn len(&self) -> usize {
        self.event.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.event.is_empty()
    }

    /// Checks lengths and event times of the batch numbered `batch`; the number of its rows.
    pub(crate) fn check(&self, batch: u32) -> Result<u32, Error> {
        let ragged = |column, found| {
            (found != self.len()).then_some(Error::Ragged {
                column,
                expected: self.len(),
                found,
            })
        };
        let keys = self.keys.iter().find_map(|key| ragged("key", key.len()));
        let created = self.created.and_then(|c| ragged("created time", c.len()));
        let sequence = self.sequence.and_then(|s| ragged("sequence", s.len()));
        if let Some(error) = keys.or(created).or(sequence) {
            return Err(error);
        }
        if let Some(row) = first_null(self.event) {
            return Err(Error::NullEventTime { batch, row });
        }
        u32::try_from(self.len()).map_err(|_overflow| Error::TooMany)
    }

    pub(crate) fn created(&self, row: usize) -> Option<i64> {
        self.created
            .and_then(|created| created.is_valid(row).then(|| created.value(row)))
    }

    pub(crate) fn rank(&self, id: RowId) -> Rank {
        let row = id.row as usize;
        Rank {
            event: self.event.value(row),
            created: self.created(row),
            sequence: self
                .sequence
                .and_then(|sequence| sequence.is_valid(row).then(|| sequence.value(row))),
            row: id,
        }
    }
}

/// The first null of a column, if it has one.
pub(crate) fn first_null(column: &dyn Array) -> Option<usize> {
    if column.null_count() == 0 {
        return None;
    }
    (0..column.len()).find(|row| column.is_null(*row))
}
