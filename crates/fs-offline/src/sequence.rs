//! `_sequence`: the order in which rows were committed, and how they came.
//!
//! ```text
//!   bits 63 … 32        31            30 … 0
//!   ingest              0             which row of the window        the rows of a replaced window
//!   ingest before it    1             which row pushed since then    pushed rows
//! ```
//! So rows that were pushed between two ingests stand between the rows of these, whoever committed
//! meanwhile, and every row says by itself whether it was pushed.

/// The bit that marks a pushed row.
pub(crate) const PUSHED: i64 = 1 << 31;

/// Most rows that one ingest, or the pushes after it, may have.
pub(crate) const MAX_ROWS: u64 = 1 << 31;

/// The first row of the window that `ingest` replaced.
pub(crate) const fn first_of_ingest(ingest: i64) -> i64 {
    ingest << 32
}

/// The first row that may be pushed after `ingest`.
pub(crate) const fn first_pushed_after(ingest: i64) -> i64 {
    first_of_ingest(ingest) | PUSHED
}

/// The least number that a row may get which is committed after `ingest` and the pushed row `last`.
pub(crate) const fn next_after(ingest: i64, last: Option<i64>) -> i64 {
    let first = first_pushed_after(ingest);
    match last {
        Some(last) if last >= first => last + 1,
        _ => first,
    }
}

/// The ingest that the row belongs to, or was pushed after.
pub(crate) const fn ingest_of(sequence: i64) -> i64 {
    sequence >> 32
}

/// Whether the row was pushed, rather than read from a source.
pub(crate) const fn is_pushed(sequence: i64) -> bool {
    sequence & PUSHED != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pushed_rows_stand_between_the_ingest_before_them_and_the_next() {
        let last_of_ingest = first_of_ingest(7) + MAX_ROWS.cast_signed() - 1;
        let first = first_pushed_after(7);
        let last = first + MAX_ROWS.cast_signed() - 1;
        assert_eq!(first, last_of_ingest + 1);
        assert_eq!(last + 1, first_of_ingest(8));
        for (sequence, pushed) in [(last_of_ingest, false), (first, true), (last, true)] {
            assert_eq!((ingest_of(sequence), is_pushed(sequence)), (7, pushed));
        }
        assert_eq!(next_after(7, None), first);
        assert_eq!(next_after(7, Some(first + 4)), first + 5);
        assert_eq!(next_after(8, Some(last)), first_pushed_after(8));
    }
}
