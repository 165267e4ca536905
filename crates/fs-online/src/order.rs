//! Which of two rows of one key is the newer.

use fs_core::{CreatedTime, EventTime};
use serde::{Deserialize, Serialize};

/// Where a row stands among the rows of its key: the greatest is the newest, and wins.
///
/// Event time decides, then created time with null lowest, then the order in which the rows were
/// committed. Two rows of one view never have the same order unless they are the same row.
///
/// ```
/// use fs_core::{CreatedTime, EventTime};
/// use fs_online::RowOrder;
///
/// let first = RowOrder { event: EventTime::from_micros(7), created: None, sequence: 9 };
/// let corrected = RowOrder { created: Some(CreatedTime::from_micros(-1)), ..first };
/// assert!(corrected > first);
/// assert!(corrected.to_bytes() > first.to_bytes());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RowOrder {
    /// When the row was true.
    pub event: EventTime,
    /// When it became known.
    pub created: Option<CreatedTime>,
    /// When it was committed: the `_sequence` of the offline table.
    pub sequence: u64,
}

impl RowOrder {
    /// How many bytes an order takes.
    pub const BYTES: usize = 24;

    /// Bytes that compare as the order does: three big-endian numbers, the signs flipped.
    ///
    /// A null created time is all zero; so the earliest instant there is, which would be all zero
    /// too, is written as the microsecond after it.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let created = self
            .created
            .map_or(0, |at| flip_sign(at.as_micros()).max(1));
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&flip_sign(self.event.as_micros()).to_be_bytes());
        bytes[8..16].copy_from_slice(&created.to_be_bytes());
        bytes[16..].copy_from_slice(&self.sequence.to_be_bytes());
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let number = |at: usize| {
            let mut eight = [0; 8];
            eight.copy_from_slice(&bytes[at..at + 8]);
            u64::from_be_bytes(eight)
        };
        let created = number(8);
        Self {
            event: EventTime::from_micros(unflip_sign(number(0))),
            created: (created != 0).then(|| CreatedTime::from_micros(unflip_sign(created))),
            sequence: number(16),
        }
    }
}

const fn flip_sign(number: i64) -> u64 {
    number.cast_unsigned() ^ (1 << 63)
}

const fn unflip_sign(number: u64) -> i64 {
    (number ^ (1 << 63)).cast_signed()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_order() -> impl Strategy<Value = RowOrder> {
        // Few distinct values, so that ties happen.
        let micros = || prop_oneof![any::<i64>(), -2..3_i64, Just(i64::MAX), Just(i64::MIN + 1)];
        (micros(), proptest::option::of(micros()), 0..3_u64).prop_map(
            |(event, created, sequence)| RowOrder {
                event: EventTime::from_micros(event),
                created: created
                    .filter(|at| *at != i64::MIN)
                    .map(CreatedTime::from_micros),
                sequence,
            },
        )
    }

    proptest! {
        #[test]
        fn the_bytes_of_two_orders_compare_as_the_orders_do(a in any_order(), b in any_order()) {
            prop_assert_eq!(a.to_bytes().cmp(&b.to_bytes()), a.cmp(&b));
        }

        #[test]
        fn an_order_reads_back_from_its_bytes(order in any_order()) {
            prop_assert_eq!(RowOrder::from_bytes(&order.to_bytes()), order);
        }
    }

    #[test]
    fn the_earliest_created_time_is_still_above_null() {
        let null = RowOrder {
            event: EventTime::from_micros(0),
            created: None,
            sequence: 5,
        };
        let earliest = RowOrder {
            created: Some(CreatedTime::from_micros(i64::MIN)),
            ..null
        };
        assert!(earliest.to_bytes() > null.to_bytes());
    }
}
