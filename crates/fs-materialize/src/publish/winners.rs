//! What a search found: which rows of the table are to be published, in place of what.

use std::collections::HashMap;

use fs_offline::{Between, Scan};
use fs_online::{EncodedKey, RowOrder};
use fs_pit::{NewestPerKey, RowRank};

use super::sequences::Sequences;

/// About what an entry of [`Winners::replaced`] takes: its key, its order, and the room between entries.
const REPLACED_BYTES: usize = 256;

/// Rows to be published. They are known by their `_sequence`, which no other row of a table has, and are
/// read when they are written: their features are never kept.
#[derive(Debug, Default)]
pub(super) struct Winners {
    sequences: Sequences,
    /// Where all of them are.
    bounds: Option<Bounds>,
    /// Some winner has no sequence, because it was written by something else: rows without one are
    /// published as well. Newest wins, so that does no harm.
    has_unnumbered: bool,
    /// Stored rows that are newer than the winner of their key, and not true any more.
    pub(super) replaced: HashMap<EncodedKey, RowOrder>,
    /// Whether a stored row that is this very row is written again.
    pub(super) again: bool,
}

/// Both ends inclusive.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    event: Between,
    sequence: Between,
}

impl Winners {
    /// Takes over the newest rows of a search.
    pub(super) fn add(&mut self, found: &NewestPerKey) {
        for rank in found.ranks() {
            self.add_one(&rank);
        }
    }

    fn add_one(&mut self, rank: &RowRank) {
        let point = |at: i64| Between { low: at, high: at };
        let event = point(rank.event);
        let sequence = rank.sequence.map_or(Between { low: 0, high: 0 }, point);
        self.bounds = Some(match self.bounds {
            None => Bounds { event, sequence },
            Some(bounds) => Bounds {
                event: wider(bounds.event, event),
                sequence: wider(bounds.sequence, sequence),
            },
        });
        match rank.sequence {
            Some(sequence) => self.sequences.insert(sequence),
            None => self.has_unnumbered = true,
        }
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        self.sequences.len()
    }

    /// Bytes of what is replaced.
    pub(super) fn bytes(&self) -> usize {
        bytes_of(&self.replaced)
    }

    /// `scan` without files and row groups that hold no winner; `None` where there is none.
    pub(super) fn narrow(&self, scan: &Scan) -> Option<Scan> {
        let bounds = self.bounds?;
        let event = scan.event.map_or(bounds.event, |event| Between {
            low: event.low.max(bounds.event.low),
            high: event.high.min(bounds.event.high),
        });
        let mut narrow = Scan {
            event: Some(event),
            ..scan.clone()
        };
        if !self.has_unnumbered {
            let Between { low, high } = bounds.sequence;
            narrow.since = Some(scan.since.map_or(low, |since| since.max(low)));
            let end = high.saturating_add(1);
            narrow.before = Some(scan.before.map_or(end, |before| before.min(end)));
        }
        let is_empty = event.low > event.high
            || matches!((narrow.since, narrow.before), (Some(since), Some(before)) if since >= before);
        (!is_empty).then_some(narrow)
    }

    /// Whether a row with this sequence may be a winner.
    pub(super) fn has(&self, sequence: Option<i64>) -> bool {
        match sequence {
            Some(sequence) => self.sequences.contains(sequence),
            None => self.has_unnumbered,
        }
    }

    /// Which stored row has to give way to the winner of `key` although it is not older.
    pub(super) fn replaced_by(&self, key: &EncodedKey, order: RowOrder) -> Option<RowOrder> {
        let replaced = self.replaced.get(key).copied();
        replaced.or_else(|| self.again.then_some(order))
    }
}

/// About how many bytes a map of keys and orders takes.
pub(super) fn bytes_of(orders: &HashMap<EncodedKey, RowOrder>) -> usize {
    orders.len() * REPLACED_BYTES
}

fn wider(a: Between, b: Between) -> Between {
    Between {
        low: a.low.min(b.low),
        high: a.high.max(b.high),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn winners(rows: &[(i64, Option<i64>)]) -> Winners {
        let mut winners = Winners::default();
        for (event, sequence) in rows {
            winners.add_one(&RowRank {
                event: *event,
                created: None,
                sequence: *sequence,
            });
        }
        winners
    }

    #[test]
    fn a_scan_is_narrowed_to_where_the_winners_are() {
        let scan = Scan {
            event: Some(Between { low: 0, high: 100 }),
            since: Some(6),
            ..Scan::default()
        };
        let narrow = winners(&[(120, Some(9)), (20, Some(3)), (40, Some(5))]).narrow(&scan);
        let narrow = narrow.unwrap();
        assert_eq!(narrow.event, Some(Between { low: 20, high: 100 }));
        assert_eq!((narrow.since, narrow.before), (Some(6), Some(10)));
        assert_eq!(winners(&[(20, Some(3))]).narrow(&scan), None);
        assert_eq!(winners(&[(101, Some(7))]).narrow(&scan), None);
        assert_eq!(winners(&[]).narrow(&Scan::default()), None);
    }

    #[test]
    fn rows_without_a_sequence_are_looked_for_everywhere() {
        let winners = winners(&[(20, None), (30, Some(1 << 32))]);
        let narrow = winners.narrow(&Scan::default()).unwrap();
        assert_eq!((narrow.since, narrow.before), (None, None));
        assert!(winners.has(None) && winners.has(Some(1 << 32)) && !winners.has(Some(0)));
    }
}
