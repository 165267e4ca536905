//! Feature rows: how they are handed over, told apart and put in order.

use arrow::array::{Array, ArrayRef, Int64Array, TimestampMicrosecondArray};

use crate::Error;

/// One feature row: which batch, counted from 0 in the order offered, and which row of it.
///
/// Whoever can find a row again by a place of its own, such as a file and a row of that file, says
/// so with [`RowIds::At`] and gets these back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId {
    /// The batch, or the file.
    pub batch: u32,
    /// The row in it.
    pub row: u32,
}

/// What the rows of a batch are called.
#[derive(Debug, Clone, Copy)]
pub enum RowIds<'a> {
    /// Rows 0, 1, 2 … of the batch with this number.
    Batch(u32),
    /// These rows of the file with this number; none may be null.
    At {
        /// The number of the file.
        file: u32,
        /// Where in the file each row is.
        rows: &'a Int64Array,
    },
}

/// What decides whether a row wins, in the order of the fields; nulls are lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowRank {
    /// Event time, in microseconds UTC.
    pub event: i64,
    /// Created time, in microseconds UTC.
    pub created: Option<i64>,
    /// Its place in the order of commits.
    pub sequence: Option<i64>,
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

/// A row in the race. Which of two visible rows of a key wins: the greater.
///
/// | First | then | then | then |
/// |---|---|---|---|
/// | event time | created time, null lowest | sequence, null lowest | the row that came later |
///
/// It fills half a cache line, because a join looks at one for every feature row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) event: i64,
    created: i64,
    sequence: i64,
    /// Whether there is a created time, whether there is a sequence, 30 bits of the batch, 32 of the row.
    tag: u64,
}

const HAS_CREATED: u64 = 1 << 63;
const HAS_SEQUENCE: u64 = 1 << 62;
const FLAGS: u64 = HAS_CREATED | HAS_SEQUENCE;
/// The first batch number that does not fit beside the flags.
const BATCHES: u32 = (1 << 30) - 1;

impl Candidate {
    /// No row; every row beats it.
    pub(crate) const VACANT: Self = Self {
        event: i64::MIN,
        created: 0,
        sequence: 0,
        tag: u64::MAX,
    };

    pub(crate) const fn is_vacant(&self) -> bool {
        self.tag == u64::MAX
    }

    /// Whether this row wins over `other`; no row wins over itself.
    pub(crate) fn beats(&self, other: &Self) -> bool {
        if self.event != other.event {
            return self.event > other.event;
        }
        !self.is_vacant() && (other.is_vacant() || self.after_event() > other.after_event())
    }

    const fn after_event(&self) -> (bool, i64, bool, i64, u64) {
        (
            self.tag & HAS_CREATED != 0,
            self.created,
            self.tag & HAS_SEQUENCE != 0,
            self.sequence,
            self.tag & !FLAGS,
        )
    }

    /// The times and the sequence of the row; `None` if vacant.
    pub(crate) fn order(&self) -> Option<RowRank> {
        (!self.is_vacant()).then(|| RowRank {
            event: self.event,
            created: (self.tag & HAS_CREATED != 0).then_some(self.created),
            sequence: (self.tag & HAS_SEQUENCE != 0).then_some(self.sequence),
        })
    }

    /// The row; `None` if vacant.
    pub(crate) fn id(&self) -> Option<RowId> {
        (!self.is_vacant()).then(|| RowId::unpack(self.tag & !FLAGS))
    }
}

impl RowId {
    /// Both numbers in one: `batch << 32 | row`.
    pub const fn pack(self) -> u64 {
        ((self.batch as u64) << 32) | self.row as u64
    }

    /// What [`Self::pack`] made.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "each half of the number is taken apart"
    )]
    pub const fn unpack(packed: u64) -> Self {
        Self {
            batch: (packed >> 32) as u32,
            row: packed as u32,
        }
    }
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

    /// Checks lengths, event times and names of the rows.
    pub(crate) fn check(&self, ids: &RowIds<'_>) -> Result<(), Error> {
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
        let batch = match ids {
            RowIds::Batch(batch) => *batch,
            RowIds::At { file, .. } => *file,
        };
        if let Some(error) = keys.or(created).or(sequence) {
            return Err(error);
        }
        if let Some(row) = first_null(self.event) {
            return Err(Error::NullEventTime { batch, row });
        }
        match ids {
            RowIds::At { rows, .. } if rows.len() != self.len() => Err(Error::Ragged {
                column: "row",
                expected: self.len(),
                found: rows.len(),
            }),
            RowIds::At { rows, .. }
                if rows.null_count() > 0
                    || rows.values().iter().any(|row| u32::try_from(*row).is_err()) =>
            {
                Err(Error::TooMany)
            }
            _ if batch >= BATCHES || u32::try_from(self.len()).is_err() => Err(Error::TooMany),
            _ => Ok(()),
        }
    }

    pub(crate) fn created(&self, row: usize) -> Option<i64> {
        self.created
            .and_then(|created| created.is_valid(row).then(|| created.value(row)))
    }

    /// What decides about `row`; the rows were checked.
    pub(crate) fn rank(&self, row: usize) -> RowRank {
        let sequence = self.sequence.filter(|sequence| sequence.is_valid(row));
        RowRank {
            event: self.event.value(row),
            created: self.created(row),
            sequence: sequence.map(|sequence| sequence.value(row)),
        }
    }

    /// The candidate that `row` makes; the rows were checked with the same `ids`.
    pub(crate) fn candidate(&self, row: usize, ids: &RowIds<'_>) -> Candidate {
        let created = self.created(row);
        let sequence = self
            .sequence
            .and_then(|sequence| sequence.is_valid(row).then(|| sequence.value(row)));
        let id = match ids {
            RowIds::Batch(batch) => (u64::from(*batch) << 32) | row as u64,
            RowIds::At { file, rows } => (u64::from(*file) << 32) | rows.value(row).cast_unsigned(),
        };
        Candidate {
            event: self.event.value(row),
            created: created.unwrap_or(0),
            sequence: sequence.unwrap_or(0),
            tag: id
                | if created.is_some() { HAS_CREATED } else { 0 }
                | if sequence.is_some() { HAS_SEQUENCE } else { 0 },
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_fills_half_a_cache_line() {
        assert_eq!(size_of::<Candidate>(), 32);
    }

    #[test]
    fn a_row_at_the_beginning_of_time_beats_no_row_and_nothing_beats_itself() {
        let event = TimestampMicrosecondArray::from(vec![i64::MIN]);
        let rows = FeatureRows {
            keys: &[],
            event: &event,
            created: None,
            sequence: None,
        };
        let first = rows.candidate(0, &RowIds::Batch(0));
        assert!(first.beats(&Candidate::VACANT) && !Candidate::VACANT.beats(&first));
        assert!(!first.beats(&first) && !Candidate::VACANT.beats(&Candidate::VACANT));
        assert_eq!(first.id(), Some(RowId { batch: 0, row: 0 }));
    }

    #[test]
    fn a_file_or_row_number_that_does_not_fit_is_refused() {
        let event = TimestampMicrosecondArray::from(vec![0]);
        let rows = FeatureRows {
            keys: &[],
            event: &event,
            created: None,
            sequence: None,
        };
        let far = Int64Array::from(vec![1_i64 << 32]);
        let ids = RowIds::At {
            file: 0,
            rows: &far,
        };
        assert!(matches!(rows.check(&ids), Err(Error::TooMany)));
        assert!(matches!(
            rows.check(&RowIds::Batch(BATCHES)),
            Err(Error::TooMany)
        ));
    }
}
