//! What windows are to hold, by definition: go through all events, take those inside, calculate.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use fs_integration::Chance;
use parquet::arrow::ArrowWriter;
use serde_json::{Value, json};

pub(crate) const MINUTE: i64 = 60_000_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;

/// The windows of every aggregation; the last one has no end.
const WINDOWS: [(&str, i64); 4] = [
    ("10m", 10 * MINUTE),
    ("1h", HOUR),
    ("1d", 24 * HOUR),
    ("lifetime", i64::MAX),
];

/// Name, and the rest of the definition.
const AGGREGATIONS: [(&str, &str); 15] = [
    ("rows", "column: \"*\", function: count"),
    ("items", "column: items, function: sum"),
    ("amount", "column: amount, function: sum"),
    ("mean", "column: amount, function: avg"),
    ("least", "column: amount, function: min"),
    ("most", "column: amount, function: max"),
    ("gifts", "column: gift, function: avg"),
    ("kinds", "column: kind, function: count_distinct"),
    ("last", "column: kind, function: last_n, n: 3"),
    ("first", "column: items, function: first"),
    ("top", "column: kind, function: top_k, k: 2"),
    ("spread", "column: amount, function: stddev_samp"),
    (
        "middle",
        "column: amount, function: approx_percentile, p: 0.5",
    ),
    ("about", "column: items, function: approx_count_distinct"),
    (
        "large",
        "column: amount, function: sum, filter: \"kind = 'a' AND NOT gift\"",
    ),
];

/// The definitions, over a Parquet file `spending.parquet`.
pub(crate) fn definitions(delay: i64) -> Result<String> {
    let windows = WINDOWS.map(|(name, _)| name).join(", ");
    let mut text = format!(
        "kind: entity\nname: account\njoin_keys: [{{ name: account_id, type: int64 }}]\n---\n\
         kind: source\nname: spending\nformat: parquet\npath: spending.parquet\n\
         timestamp_field: event_timestamp\ncreated_timestamp_column: created_timestamp\n---\n\
         kind: feature_view\nname: spending\nentities: [account]\nsource: spending\n\
         delay: {}m\nschedule: \"0 * * * *\"\naggregations:\n",
        delay / MINUTE
    );
    for (name, rest) in AGGREGATIONS {
        writeln!(text, "  - {{ name: {name}, {rest}, windows: [{windows}] }}")?;
    }
    text.push_str("---\nkind: feature_service\nname: spending\nfeatures: [spending]\n");
    Ok(text)
}

/// A purchase. No two of an account have the same event and created time, so that there is a newest.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) account: i64,
    pub(crate) at: i64,
    pub(crate) created: i64,
    amount: Option<f64>,
    items: Option<i64>,
    kind: Option<&'static str>,
    gift: Option<bool>,
}

impl Event {
    /// Some purchase of an account at that time; `number` is that of no other.
    pub(crate) fn some(chance: &mut Chance, account: i64, event: i64, number: i64) -> Self {
        let mut there = |share: u64| chance.below(share) != 0;
        let (has_amount, has_items) = (there(6), there(6));
        let (has_kind, has_gift, gift) = (there(5), there(7), there(2));
        // Eighths, of which every sum is exact, whatever the order.
        let eighths = i32::try_from(chance.below(80_000)).unwrap_or_default() - 40_000;
        let items = i64::try_from(chance.below(1_000)).unwrap_or_default() - 300;
        let kind = ["a", "b", "c", "d"][usize::try_from(chance.below(4)).unwrap_or_default()];
        Self {
            account,
            at: event,
            created: event + number,
            amount: has_amount.then_some(f64::from(eighths) / 8.0),
            items: has_items.then_some(items),
            kind: has_kind.then_some(kind),
            gift: has_gift.then_some(gift),
        }
    }
}

/// Writes events as rows of the source.
pub(crate) fn write(path: &Path, events: &[Event]) -> Result<()> {
    let time = |get: fn(&Event) -> i64| -> ArrayRef {
        let times = TimestampMicrosecondArray::from_iter_values(events.iter().map(get));
        Arc::new(times.with_timezone("UTC"))
    };
    let accounts = Int64Array::from_iter_values(events.iter().map(|event| event.account));
    let amounts: Float64Array = events.iter().map(|event| event.amount).collect();
    let items: Int64Array = events.iter().map(|event| event.items).collect();
    let kinds: StringArray = events.iter().map(|event| event.kind).collect();
    let gifts: BooleanArray = events.iter().map(|event| event.gift).collect();
    let columns: [(&str, ArrayRef); 7] = [
        ("account_id", Arc::new(accounts)),
        ("event_timestamp", time(|event| event.at)),
        ("created_timestamp", time(|event| event.created)),
        ("amount", Arc::new(amounts)),
        ("items", Arc::new(items)),
        ("kind", Arc::new(kinds)),
        ("gift", Arc::new(gifts)),
    ];
    let batch = RecordBatch::try_from_iter(columns)?;
    let mut writer = ArrowWriter::try_new(File::create(path)?, batch.schema(), None)?;
    writer.write(&batch)?;
    writer.close()?;
    Ok(())
}

/// All features of an account at `now`, of these events, but for those that are not simple to calculate.
pub(crate) fn features<'a>(
    events: impl Iterator<Item = &'a Event>,
    account: i64,
    now: i64,
    delay: i64,
) -> BTreeMap<String, Value> {
    let mut mine: Vec<&Event> = events.filter(|event| event.account == account).collect();
    mine.sort_by_key(|event| (event.at, event.created));
    let mut features = BTreeMap::new();
    for (window, length) in WINDOWS {
        let inside = |event: &&&Event| {
            let visible = event.at + delay;
            visible <= now && (length == i64::MAX || visible > now - length)
        };
        let inside: Vec<&Event> = mine.iter().filter(inside).copied().collect();
        for (name, _) in AGGREGATIONS {
            if let Some(value) = aggregate(name, &inside) {
                features.insert(format!("{name}_{window}"), value);
            }
        }
    }
    features
}

/// One feature of the events in a window, oldest first.
fn aggregate(name: &str, events: &[&Event]) -> Option<Value> {
    let amounts: Vec<f64> = events.iter().filter_map(|event| event.amount).collect();
    let items: Vec<i64> = events.iter().filter_map(|event| event.items).collect();
    let kinds: Vec<&str> = events.iter().filter_map(|event| event.kind).collect();
    Some(match name {
        "rows" => json!(events.len()),
        "items" if items.is_empty() => Value::Null,
        "items" => json!(items.iter().sum::<i64>()),
        "amount" => sum(&amounts),
        "mean" => mean(&amounts),
        "least" => json!(amounts.iter().copied().reduce(f64::min)),
        "most" => json!(amounts.iter().copied().reduce(f64::max)),
        "gifts" => {
            let gifts = events.iter().filter_map(|event| event.gift);
            mean(
                &gifts
                    .map(|gift| f64::from(u8::from(gift)))
                    .collect::<Vec<_>>(),
            )
        }
        "kinds" => json!(kinds.iter().collect::<BTreeSet<_>>().len()),
        "last" => json!(kinds.iter().rev().take(3).collect::<Vec<_>>()),
        "first" => json!(items.first()),
        "top" => top(&kinds),
        "large" => {
            let large = |event: &&&Event| event.kind == Some("a") && event.gift == Some(false);
            let large = events.iter().filter(large);
            sum(&large.filter_map(|event| event.amount).collect::<Vec<_>>())
        }
        _ => return None,
    })
}

/// The two most frequent ones, equally frequent ones in their order.
fn top(kinds: &[&str]) -> Value {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for kind in kinds {
        *counts.entry(kind).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    json!(
        counts
            .iter()
            .take(2)
            .map(|(kind, _)| kind)
            .collect::<Vec<_>>()
    )
}

fn sum(values: &[f64]) -> Value {
    match values {
        [] => Value::Null,
        _ => json!(values.iter().sum::<f64>()),
    }
}

fn mean(values: &[f64]) -> Value {
    let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
    match values {
        [] => Value::Null,
        _ => json!(values.iter().sum::<f64>() / f64::from(count)),
    }
}
