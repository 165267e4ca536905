//! Which of several pushes are new, and what numbers their rows get.

use std::collections::HashMap;

use arrow::array::RecordBatch;
use deltalake::kernel::Transaction;

use super::{Appended, Push, PushKey};
use crate::Error;
use crate::sequence::{MAX_ROWS, first_of_ingest, first_pushed_after, next_after};
use crate::store::{INGEST_APP, PUSH_APP, PUSHED_APP};
use crate::table::Table;

/// Which pushes are new, and what numbers their rows get.
pub(super) struct Numbered {
    pub(super) batches: Vec<RecordBatch>,
    /// The ingest that the rows come after, where it is not the table's.
    ingest: Option<i64>,
    /// The `_sequence` of the first new row.
    pub(super) first: i64,
    /// How many rows are new.
    pub(super) rows: i64,
    /// The keys that are new, with the first `_sequence` of each.
    keys: Vec<(PushKey, i64)>,
    /// The first `_sequence` of every push, and whether it is repeated.
    places: Vec<(i64, bool)>,
}

impl Numbered {
    pub(super) async fn of(pushes: &[Push], table: Option<&Table>) -> Result<Self, Error> {
        let mut known: HashMap<&str, i64> = HashMap::new();
        let mut last = None;
        // A table begins with an ingest, so that every number is above those of rows without a table.
        let mut ingest = 0;
        if let Some(table) = table {
            ingest = table.ingest().await?;
            last = table.last_pushed().await?;
            for key in pushes.iter().filter_map(|push| push.key.as_ref()) {
                if let Some(first) = table.transaction(&key_app(&key.key)).await? {
                    known.insert(&key.key, first);
                }
            }
        }
        let rows = pushes.iter().map(|push| push.rows.num_rows() as u64).sum();
        let (first, new_ingest) = first_free(ingest, last, rows);
        let mut plan = Self {
            batches: Vec::new(),
            ingest: new_ingest,
            first,
            rows: 0,
            keys: Vec::new(),
            places: Vec::with_capacity(pushes.len()),
        };
        for push in pushes {
            let earlier = push
                .key
                .as_ref()
                .and_then(|key| known.get(key.key.as_str()));
            if let Some(first) = earlier {
                plan.places.push((*first, true));
                continue;
            }
            let first = plan.first + plan.rows;
            plan.places.push((first, false));
            plan.rows += push.rows.num_rows().cast_signed() as i64;
            plan.batches.push(push.rows.clone());
            if let Some(key) = &push.key {
                known.insert(&key.key, first);
                plan.keys.push((key.clone(), first));
            }
        }
        Ok(plan)
    }

    pub(super) fn transactions(&self) -> Vec<Transaction> {
        let keys = self.keys.iter().map(|(key, first)| {
            let used = key.used.map(|used| used.as_micros().div_euclid(1_000));
            Transaction::new_with_last_update(key_app(&key.key), *first, used)
        });
        let ingest = self
            .ingest
            .map(|ingest| Transaction::new(INGEST_APP, ingest));
        let pushed = Transaction::new(PUSHED_APP, self.first + self.rows - 1);
        keys.chain(ingest).chain([pushed]).collect()
    }

    pub(super) fn answers(&self, version: i64) -> Vec<Appended> {
        let places = self.places.iter();
        places
            .map(|(first_sequence, repeated)| Appended {
                version,
                first_sequence: *first_sequence,
                repeated: *repeated,
            })
            .collect()
    }
}

/// The first number that `rows` more rows may have after `ingest` and the row `last`; and another ingest
/// than that, if there is none yet, or if it has no room left.
fn first_free(ingest: i64, last: Option<i64>, rows: u64) -> (i64, Option<i64>) {
    let first = next_after(ingest, last);
    let has_room = first + rows.min(MAX_ROWS).cast_signed() <= first_of_ingest(ingest + 1);
    if ingest > 0 && has_room {
        return (first, None);
    }
    (first_pushed_after(ingest + 1), Some(ingest + 1))
}

fn key_app(key: &str) -> String {
    format!("{PUSH_APP}{key}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_range_of_numbers_is_followed_by_that_of_another_ingest() {
        let last_of = |ingest: i64| first_of_ingest(ingest + 1) - 1;
        let most = MAX_ROWS.cast_signed();
        assert_eq!(first_free(0, None, 5), (first_pushed_after(1), Some(1)));
        assert_eq!(first_free(3, None, MAX_ROWS), (first_pushed_after(3), None));
        let before = first_pushed_after(2) + 9;
        assert_eq!(
            first_free(3, Some(before), 1),
            (first_pushed_after(3), None)
        );
        let almost = last_of(3) - 2;
        assert_eq!(first_free(3, Some(almost), 2), (almost + 1, None));
        assert_eq!(
            first_free(3, Some(almost), 3),
            (first_pushed_after(4), Some(4))
        );
        assert_eq!(first_pushed_after(3) + most, first_of_ingest(4));
    }
}
