//! Whatever windows are replaced, the table holds what a list of rows would.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A call: a window, and rows inside of it.
#[derive(Debug, Clone)]
struct Call {
    window: TimeRange,
    rows: Vec<Row>,
}

/// Times within a few milliseconds, so that the statistics of Delta are never exact.
fn call() -> impl Strategy<Value = Call> {
    let rows = prop::collection::vec((0..4_000_i64, 0..4_u8, 0..100_i64), 0..12);
    (0..6_000_i64, 1..4_000_i64, rows).prop_map(|(start, length, rows)| Call {
        window: window(start, start + length),
        rows: rows
            .into_iter()
            .map(|(offset, user, clicks)| row(&user.to_string(), start + offset % length, clicks))
            .collect(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn replaced_windows_leave_what_a_list_of_rows_would_hold(
        calls in prop::collection::vec(call(), 1..7),
        small in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let shop = if small { Shop::with_small_files() } else { Shop::new() };
            let mut model: BTreeMap<i64, Row> = BTreeMap::new();
            for (ingest, call) in (1_i64..).zip(&calls) {
                shop.replace(call.window, &call.rows, None).await.unwrap();
                model.retain(|_, row| !call.window.contains(at(row.event)));
                model.extend((ingest << 32..).zip(call.rows.clone()));
                let expected: Vec<(i64, Row)> = model.clone().into_iter().collect();
                assert_eq!(shop.numbered().await, expected);
            }
            let before = shop.rows().await;
            let again = calls.last().unwrap();
            shop.replace(again.window, &again.rows, None).await.unwrap();
            assert_eq!(shop.rows().await, before);
        });
    }
}
