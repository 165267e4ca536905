//! Small generated files with the cases that real data has too few of: keys that have most of the rows,
//! rows of equal times, times that are a microsecond apart from an edge, nulls.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use arrow::array::{
    ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use parquet::arrow::ArrowWriter;

/// The stores, of which the first have most of the rows.
const STORES: [&str; 6] = ["north", "south", "east", "west", "", "näh"];
/// The first event time, 2013-01-01, and how many steps there are from there on.
const START: i64 = 1_356_998_400_000_000;
const STEPS: i64 = 3_000;
/// Between two event times. That is no whole multiple of anything.
const STEP: i64 = 61_000_003;

/// A row: the key (store, item), and its times.
struct Row {
    store: &'static str,
    item: i64,
    event: i64,
    created: Option<i64>,
}

/// The same numbers from the same seed, always.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next number below `bound`, all alike.
    fn below(&mut self, bound: i64) -> i64 {
        (self.next() % bound.cast_unsigned()).cast_signed()
    }

    /// The next number below `bound`, small ones far more often.
    fn skewed(&mut self, bound: i64) -> i64 {
        let widest = self.below(bound) + 1;
        let wide = self.below(widest) + 1;
        self.below(wide)
    }

    /// One of them, all alike.
    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let at = usize::try_from(self.next() % all.len() as u64);
        &all[at.unwrap_or(0)]
    }
}

fn events(rows: usize) -> Vec<Row> {
    let mut numbers = Numbers(1);
    let event = |_| {
        let store = usize::try_from(numbers.skewed(6)).unwrap_or(0);
        let (store, item) = (STORES[store], numbers.skewed(12));
        let event = START + numbers.below(STEPS) * STEP;
        // Known at once, later, much later, or, as some systems have it, before it happened.
        let created = match numbers.below(8) {
            0 => None,
            1 => Some(event - STEP),
            2 => Some(event),
            _ => Some(event + numbers.below(9) * STEP),
        };
        Row {
            store,
            item,
            event,
            created,
        }
    };
    (0..rows).map(event).collect()
}

/// Writes `rows` events: `store`, `item`, both times, and the features `n` (the number of the row),
/// `x` and `s`, which have nulls.
pub fn write_skewed_events(path: &Path, rows: usize) -> Result<()> {
    let events = events(rows);
    let numbers = (0_i32..).take(rows);
    let times = events.iter().map(|event| event.event);
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "store",
            stores(events.iter().map(|event| Some(event.store))),
        ),
        (
            "item",
            Arc::new(Int64Array::from_iter_values(
                events.iter().map(|event| event.item),
            )),
        ),
        ("event_timestamp", timestamps(times.map(Some))),
        (
            "created_timestamp",
            timestamps(events.iter().map(|event| event.created)),
        ),
        (
            "n",
            Arc::new(Int64Array::from_iter_values(numbers.clone().map(i64::from))),
        ),
        (
            "x",
            Arc::new(
                numbers
                    .clone()
                    .map(|n| (n % 5 > 0).then_some(f64::from(n) / 8.0))
                    .collect::<Float64Array>(),
            ),
        ),
        (
            "s",
            Arc::new(
                numbers
                    .map(|n| (n % 7 > 0).then(|| format!("row {n}")))
                    .collect::<StringArray>(),
            ),
        ),
    ];
    write(path, columns)
}

/// Writes a spine of `rows` rows over the same `events` events: two keys, the time, and a label.
///
/// Half of the rows are anywhere. The others lie around the instants at which an event comes into sight
/// or leaves it again, which are so many microseconds after its time or its created time as `after`
/// says: a microsecond before, at it, or a microsecond after it.
pub fn write_skewed_spine(path: &Path, rows: usize, events: usize, after: &[i64]) -> Result<()> {
    let events = self::events(events);
    let mut numbers = Numbers(2);
    let (mut keys, mut others, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..rows {
        let event = numbers.one_of(&events);
        times.push(Some(if row % 2 == 0 {
            START + numbers.below(STEPS * STEP)
        } else {
            let since = if numbers.below(3) == 0 {
                event.created.unwrap_or(event.event)
            } else {
                event.event
            };
            since + numbers.one_of(after) + numbers.below(3) - 1
        }));
        for (keys, event) in [(&mut keys, event), (&mut others, numbers.one_of(&events))] {
            // Null in one part, in both, or unknown.
            keys.push(match numbers.below(20) {
                0 => (None, Some(event.item)),
                1 => (Some(event.store), None),
                2 => (None, None),
                3 => (Some(event.store), Some(-1)),
                _ => (Some(event.store), Some(event.item)),
            });
        }
    }
    let items = |keys: &[(Option<&str>, Option<i64>)]| -> ArrayRef {
        Arc::new(keys.iter().map(|(_, item)| *item).collect::<Int64Array>())
    };
    let columns = vec![
        ("store", stores(keys.iter().map(|(store, _)| *store))),
        ("item", items(&keys)),
        (
            "other_store",
            stores(others.iter().map(|(store, _)| *store)),
        ),
        ("other_item", items(&others)),
        ("event_timestamp", timestamps(times.into_iter())),
        (
            "label",
            Arc::new(Int64Array::from_iter_values((0..).take(rows))),
        ),
    ];
    write(path, columns)
}

fn stores<'a>(stores: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(stores.collect::<StringArray>())
}

fn timestamps(times: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    let times: TimestampMicrosecondArray = times.collect();
    Arc::new(times.with_timezone("UTC"))
}

fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) -> Result<()> {
    let batch = RecordBatch::try_from_iter(columns)?;
    let mut writer = ArrowWriter::try_new(File::create(path)?, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}
