//! A packed row as Redis holds it: behind the time until which it must be kept.
//!
//! ```text
//!   at   bytes   what
//!   0    4       minutes since 1970, little-endian: the row may be forgotten from then on; 0: never
//!   4    …       the packed row
//! ```
//!
//! Fields of a hash have no expiry of their own before Redis 7.4, and there it costs memory. Four bytes
//! and not eight: a row of 50 `float64` then still fits the 448 bytes that its allocator has a
//! size for. In front, because a reader drops them without copying anything.

use bytes::{Buf as _, Bytes};
use fs_online::{Error, RowProblem};
use redis::{RedisWrite, ToRedisArgs};
use std::io::Write as _;

/// What stands in front of a row.
pub(crate) const PREFIX_BYTES: usize = 4;

const MICROS_PER_MINUTE: i64 = 60_000_000;

/// A row, and until when it must be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredRow {
    keep_until: u32,
    row: Bytes,
}

impl StoredRow {
    pub(crate) fn new(row: Bytes, keep_until: Option<i64>) -> Self {
        Self {
            keep_until: keep_until.map_or(0, minutes),
            row,
        }
    }

    pub(crate) fn len(&self) -> usize {
        PREFIX_BYTES + self.row.len()
    }
}

/// The first minute that is not before `micros`; never 0, which stands for no end.
fn minutes(micros: i64) -> u32 {
    let whole = micros.div_euclid(MICROS_PER_MINUTE);
    let started = i64::from(micros.rem_euclid(MICROS_PER_MINUTE) > 0);
    u32::try_from((whole + started).max(1)).unwrap_or(u32::MAX)
}

/// The row in what Redis holds.
pub(crate) fn row_of(stored: Vec<u8>) -> Result<Bytes, Error> {
    if stored.len() < PREFIX_BYTES {
        return Err(RowProblem::TooShort {
            length: stored.len(),
            needed: PREFIX_BYTES,
        }
        .into());
    }
    let mut row = Bytes::from(stored);
    row.advance(PREFIX_BYTES);
    Ok(row)
}

impl ToRedisArgs for StoredRow {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        let mut argument = out.writer_for_next_arg();
        // What it writes to is memory.
        argument.write_all(&self.keep_until.to_le_bytes()).ok();
        argument.write_all(&self.row).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_rounded_up_to_a_minute_and_is_never_none() {
        for (micros, expected) in [
            (i64::MIN, 1),
            (-1, 1),
            (0, 1),
            (60_000_000, 1),
            (60_000_001, 2),
            (1_356_998_400_000_000, 22_616_640),
            (i64::MAX, u32::MAX),
        ] {
            assert_eq!(minutes(micros), expected, "{micros}");
        }
    }

    #[test]
    fn a_row_reads_back_from_the_bytes_that_are_sent() {
        let row = Bytes::from_static(b"a packed row");
        for (keep_until, prefix) in [(None, [0, 0, 0, 0]), (Some(1), [1, 0, 0, 0])] {
            let stored = StoredRow::new(row.clone(), keep_until);
            let sent = stored.to_redis_args().remove(0);
            assert_eq!(sent.len(), stored.len());
            assert_eq!(sent[..PREFIX_BYTES], prefix);
            assert_eq!(row_of(sent).unwrap(), row);
        }
        assert!(matches!(row_of(vec![0; 3]), Err(Error::CorruptRow { .. })));
    }
}
