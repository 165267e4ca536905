//! Whatever happens to a table, nobody can tell that its files were put together.

use proptest::prelude::*;

use super::*;

/// What happens to a table.
#[derive(Debug, Clone)]
enum Step {
    Replace(i64, i64, Vec<i64>),
    Push(Vec<i64>),
    Optimize,
}

fn a_step() -> impl Strategy<Value = Step> {
    let offsets = || prop::collection::vec(0..4_000_i64, 1..6);
    prop_oneof![
        3 => (0..4_000_i64, 1..3_000_i64, offsets()).prop_map(|(start, length, rows)| {
            let rows = rows.into_iter().map(|offset| start + offset % length);
            Step::Replace(start, start + length, rows.collect())
        }),
        4 => offsets().prop_map(Step::Push),
        3 => Just(Step::Optimize),
    ]
}

fn rows_at(events: &[i64]) -> Vec<Row> {
    (0..)
        .zip(events)
        .map(|(n, event)| row("u", *event, n))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Two tables live through the same, one of them without being put together.
    #[test]
    fn nobody_can_tell_that_files_were_put_together(
        steps in prop::collection::vec(a_step(), 2..10),
        small in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let shops = [0, 1].map(|_| if small { Shop::with_small_files() } else { Shop::new() });
            for step in &steps {
                for (at, shop) in shops.iter().enumerate() {
                    match step {
                        Step::Replace(start, end, rows) => {
                            let part = window(*start, *end);
                            shop.replace(part, &rows_at(rows), None).await.unwrap();
                        }
                        Step::Push(rows) => shop.push(&rows_at(rows)).await,
                        Step::Optimize if at == 0 => {
                            shop.store.optimize(schema().view()).await.unwrap();
                        }
                        Step::Optimize => {}
                    }
                }
            }
            let [moved, plain] = &shops;
            let state = plain.store.state(schema().view()).await.unwrap();
            let Some(state) = state else { return };
            assert_eq!(moved.numbered().await, plain.numbered().await);
            let newest = moved.version().await.unwrap();
            for (since, before) in [(None, Some(2_i64 << 32)), (Some((1_i64 << 32) | (1 << 31)), None)] {
                let scan = Scan { since, before, ..Scan::default() };
                assert_eq!(moved.scan(&scan).await, plain.scan(&scan).await);
            }
            // What publishers are told: the same rows came, and the same went.
            let all = async |shop: &Shop, upto| {
                let changes = shop.store.changes(&schema(), -1, upto, None).await.unwrap();
                let mut added = collect(changes.added().unwrap()).await;
                let mut removed = collect(changes.removed().unwrap()).await;
                added.sort();
                removed.sort();
                (added, removed, changes.first_sequence())
            };
            let told = all(moved, newest).await;
            assert_eq!(told, all(plain, state.version).await);
            assert_eq!(moved.files().await.is_empty(), plain.files().await.is_empty());
        });
    }
}
