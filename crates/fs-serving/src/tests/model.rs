//! Any request on any rows, against the plainest reading of the contract.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use fs_core::{PointInTime, Span};
use proptest::prelude::*;

use super::fixture::{NOW, Shop, column};
use crate::Status;

const KEYS: [&str; 4] = ["", "E", "EW", "EWR"];
const TTL: i64 = 5;

#[derive(Debug, Clone)]
struct Row {
    key: usize,
    event: i64,
    created: Option<i64>,
    values: [Option<f64>; 2],
}

fn any_row() -> impl Strategy<Value = Row> {
    let value = || proptest::option::of(prop_oneof![Just(0.0), Just(-1.5), any::<f64>()]);
    let created = proptest::option::of(NOW - 3..NOW + 3);
    (0..KEYS.len(), NOW - 8..NOW + 4, created, [value(), value()]).prop_map(
        |(key, event, created, values)| Row {
            key,
            event,
            created,
            values,
        },
    )
}

/// The newest row of a key, and what it comes to at `NOW`: the contract, read aloud.
fn expected(
    rows: &[Row],
    key: Option<usize>,
    feature: usize,
    (delay, known_at): (i64, bool),
) -> (Status, Option<u64>) {
    let newest: BTreeMap<usize, &Row> = rows.iter().fold(BTreeMap::new(), |mut newest, row| {
        let kept = newest.entry(row.key).or_insert(row);
        if (row.event, row.created) > (kept.event, kept.created) {
            *kept = row;
        }
        newest
    });
    let Some(row) = key.and_then(|key| newest.get(&key)) else {
        return (Status::NotFound, None);
    };
    let known = !known_at || row.created.unwrap_or(row.event) <= NOW;
    if row.event + delay > NOW || !known {
        return (Status::NotFound, None);
    }
    if row.event < NOW - TTL {
        return (Status::OutsideMaxAge, None);
    }
    match row.values[feature] {
        Some(value) => (Status::Present, Some(value.to_bits())),
        None => (Status::NullValue, None),
    }
}

proptest! {
    #[test]
    fn every_answer_is_the_naive_one(
        rows in prop::collection::vec(any_row(), 0..12),
        asked in prop::collection::vec(proptest::option::of(0..KEYS.len()), 0..8),
        backwards in any::<bool>(),
        delay in 0..3_i64,
        known_at in any::<bool>(),
    ) {
        let mut shop = Shop::new().with_ttl("weather", TTL);
        shop.change_view("weather", |view| {
            view.delay = Span::from_micros(delay).unwrap();
            if known_at {
                view.point_in_time = PointInTime::KnownAt;
            }
        });
        let keys = asked.iter().map(|key| key.map(|key| KEYS[key]));
        let origin: ArrayRef = Arc::new(keys.collect::<StringArray>());
        let mut features = [("weather:temp", 0), ("weather:wind", 1)];
        if backwards {
            features.reverse();
        }

        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let vectors = runtime.block_on(async {
            for row in &rows {
                let key = [KEYS[row.key]];
                shop.put_known("weather", &key, row.event, row.created, &row.values).await;
            }
            shop.get(&features.map(|(name, _)| name), &[("origin", origin)]).await.unwrap()
        });

        for (position, (name, feature)) in features.iter().enumerate() {
            let name = name.replace(':', "__");
            prop_assert_eq!(vectors.column(position).unwrap().name(), &name);
            let answer = column(&vectors, &name)
                .into_iter()
                .map(|(status, value)| (status, value.map(f64::to_bits)));
            let naive = asked
                .iter()
                .map(|key| expected(&rows, *key, *feature, (delay, known_at)));
            prop_assert_eq!(answer.collect::<Vec<_>>(), naive.collect::<Vec<_>>());
        }
    }
}
