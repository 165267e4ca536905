//! Pushes beside each other, beside replaced windows, and beside other tools.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use super::*;
use crate::Replacement;
use crate::fixture::{input, schema_with, stream};
use crate::sequence::is_pushed;

#[tokio::test]
async fn pushes_of_many_writers_at_once_are_all_there_once() {
    let shop = Arc::new(Shop::new());
    let writers = (0..4).map(|writer: i64| {
        let shop = Arc::clone(&shop);
        tokio::spawn(async move {
            for n in 0..5 {
                let rows = [row(&writer.to_string(), n, n), row("all", n, writer)];
                shop.append(&[push(&rows)]).await;
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let rows = shop.numbered().await;
    let numbers: Vec<i64> = rows.iter().map(|(number, _)| *number).collect();
    let first = first_of_ingest(1) | PUSHED;
    assert_eq!(numbers, (first..first + 40).collect::<Vec<_>>());
    for writer in 0..4 {
        let of = rows
            .iter()
            .filter(|(_, row)| row.user == writer.to_string());
        let events: Vec<i64> = of.map(|(_, row)| row.event).collect();
        assert_eq!(events, [0, 1, 2, 3, 4]);
    }
}

#[tokio::test]
async fn a_replaced_window_leaves_pushed_rows_and_puts_their_small_files_together() {
    let shop = Shop::new();
    let rows = [row("a", 10, 1), row("a", 90_000, 2)];
    shop.replace(window(0, 100_000), &rows, None).await.unwrap();
    for n in 0..6 {
        shop.append(&[push(&[row("p", 20_000 + 20_000 * n, n)])])
            .await;
    }
    let before = shop.numbered().await;
    shop.replace(window(0, 100_000), &[row("b", 50, 3)], None)
        .await
        .unwrap();
    let pushed = before.into_iter().filter(|(number, _)| is_pushed(*number));
    let mut expected: Vec<_> = pushed.collect();
    expected.push((first_of_ingest(2), row("b", 50, 3)));
    assert_eq!(shop.numbered().await, expected);
    // Four pushed files lay in the window; two, beyond it, stay as they were.
    let state = shop.store.state(schema().view()).await.unwrap().unwrap();
    assert_eq!(state.files, 3);

    let changes = shop.store.changes(&schema(), 6, 7, None).await.unwrap();
    let added = collect(changes.added().unwrap()).await;
    assert_eq!(added, [(first_of_ingest(2), row("b", 50, 3))]);
    let mut removed = collect(changes.removed().unwrap()).await;
    removed.sort();
    let first = first_of_ingest(1);
    let [earlier, later] = rows;
    assert_eq!(removed, [(first, earlier), (first + 1, later)]);

    // Again, from the file that has both kinds.
    shop.replace(window(0, 100_000), &[], None).await.unwrap();
    expected.pop();
    assert_eq!(shop.numbered().await, expected);
}

#[tokio::test]
async fn large_files_of_pushed_rows_are_not_written_again() {
    let shop = Shop::with_small_files();
    shop.append(&[push(&[row("p", 20, 1)])]).await;
    shop.replace(window(0, 100), &[row("b", 50, 3)], None)
        .await
        .unwrap();
    let changes = shop.store.changes(&schema(), 0, 1, None).await.unwrap();
    assert_eq!(collect(changes.removed().unwrap()).await, []);
    let state = shop.store.state(schema().view()).await.unwrap().unwrap();
    assert_eq!((state.files, state.rows), (2, 2));
}

#[tokio::test]
async fn a_window_is_committed_after_pushes_that_came_while_its_rows_were_read() {
    let shop = Shop::new();
    shop.replace(window(0, 100), &[row("a", 10, 1)], Some(100))
        .await
        .unwrap();
    let store = shop.store.clone();
    // The rows of the window come only after somebody has pushed, twice.
    let rows = stream::once(async move {
        for n in 0..2 {
            let pushed = push(&[row("p", 50 + n, n)]);
            store.append(&schema(), &[pushed]).await.unwrap();
        }
        Ok(batch(&[row("b", 50, 2)]))
    });
    let rows = Box::pin(RecordBatchStreamAdapter::new(input(), rows));
    let done = shop
        .store
        .replace_window(
            &schema(),
            Replacement {
                watermark: Some(at(200)),
                ..Replacement::of(window(0, 100), rows)
            },
        )
        .await
        .unwrap();
    assert_eq!((done.version, done.ingest), (3, 2));
    assert_eq!(done.watermark, Some(at(200)));
    let pushed = first_of_ingest(1) | PUSHED;
    let expected = vec![
        (pushed, row("p", 50, 0)),
        (pushed + 1, row("p", 51, 1)),
        (first_of_ingest(2), row("b", 50, 2)),
    ];
    assert_eq!(shop.numbered().await, expected);
    let changes = shop.store.changes(&schema(), 0, 3, None).await.unwrap();
    assert_eq!(changes.first_sequence(), Some(pushed));
    let mut added = collect(changes.added().unwrap()).await;
    added.sort();
    assert_eq!(added, expected);
}

#[tokio::test]
async fn a_window_gives_way_to_a_push_that_widened_the_table_and_to_another_window() {
    for widen in [true, false] {
        let shop = Shop::new();
        shop.replace(window(0, 100), &[row("a", 10, 1)], None)
            .await
            .unwrap();
        let store = shop.store.clone();
        let rows = stream::once(async move {
            if widen {
                let features = [("clicks", "int64"), ("score", "float64")];
                let wider = schema_with(fs_core::KeyType::String, &features);
                let pushed = push(&[row("p", 50, 0)]);
                store.append(&wider, &[pushed]).await.unwrap();
            } else {
                store
                    .replace_window(&schema(), Replacement::of(window(0, 1), stream(vec![])))
                    .await
                    .unwrap();
            }
            Ok(batch(&[row("b", 50, 2)]))
        });
        let rows = Box::pin(RecordBatchStreamAdapter::new(input(), rows));
        let error = shop
            .store
            .replace_window(&schema(), Replacement::of(window(0, 100), rows))
            .await
            .unwrap_err();
        assert!(matches!(error, Error::Conflict { .. }), "{error}");
        assert!(shop.rows().await.contains(&row("a", 10, 1)));
    }
}

#[tokio::test]
async fn a_compaction_by_another_tool_keeps_pushed_rows_through_the_next_window() {
    let shop = Shop::new();
    shop.replace(window(0, 100), &[row("a", 10, 1)], None)
        .await
        .unwrap();
    for n in 0..3 {
        shop.append(&[push(&[row("p", 20 + n, n)])]).await;
    }
    let before = shop.numbered().await;
    shop.delta_table().await.optimize().await.unwrap();
    assert_eq!(shop.numbered().await, before);
    shop.append(&[push(&[row("p", 60, 9)])]).await;
    shop.replace(window(0, 100), &[row("b", 20, 2)], None)
        .await
        .unwrap();
    let rows = shop.numbered().await.into_iter();
    let users: Vec<String> = rows.map(|(_, row)| row.user).collect();
    assert_eq!(users, ["p", "p", "p", "p", "b"]);
}

#[derive(Debug, Clone)]
enum Step {
    Replace(i64, i64, Vec<(i64, i64)>),
    Push(Option<u8>, Vec<(i64, i64)>),
    Compact,
}

fn a_step() -> impl Strategy<Value = Step> {
    let rows = || prop::collection::vec((0..4_000_i64, 0..100_i64), 1..6);
    prop_oneof![
        3 => (0..4_000_i64, 1..3_000_i64, rows()).prop_map(|(start, length, rows)| {
            let inside = |(offset, clicks)| (start + offset % length, clicks);
            Step::Replace(start, start + length, rows.into_iter().map(inside).collect())
        }),
        4 => (prop::option::of(0..4_u8), rows()).prop_map(|(key, rows)| Step::Push(key, rows)),
        1 => Just(Step::Compact),
    ]
}

fn named(rows: &[(i64, i64)]) -> Vec<Row> {
    rows.iter()
        .map(|(event, clicks)| row("u", *event, *clicks))
        .collect()
}

/// What a table should hold.
#[derive(Debug, Default)]
struct Model {
    rows: BTreeMap<i64, Row>,
    keys: HashSet<u8>,
    ingest: i64,
    pushed: i64,
}

impl Model {
    async fn take(&mut self, shop: &Shop, step: &Step) {
        match step {
            Step::Replace(start, end, rows) => {
                let rows = named(rows);
                shop.replace(window(*start, *end), &rows, None)
                    .await
                    .unwrap();
                (self.ingest, self.pushed) = (self.ingest + 1, 0);
                let window = *start..*end;
                self.rows
                    .retain(|number, row| is_pushed(*number) || !window.contains(&row.event));
                self.rows.extend((first_of_ingest(self.ingest)..).zip(rows));
            }
            Step::Push(key, rows) => {
                let rows = named(rows);
                let push = match key {
                    Some(key) => keyed(&key.to_string(), &rows),
                    None => push(&rows),
                };
                let answer = shop.append(&[push]).await.remove(0);
                let is_new = key.is_none_or(|key| self.keys.insert(key));
                assert_eq!(answer.repeated, !is_new);
                if is_new {
                    self.ingest = self.ingest.max(1);
                    let first = first_pushed_after(self.ingest) + self.pushed;
                    assert_eq!(answer.first_sequence, first);
                    self.pushed += i64::try_from(rows.len()).unwrap();
                    self.rows.extend((first..).zip(rows));
                }
            }
            Step::Compact if self.ingest > 0 => {
                shop.delta_table().await.optimize().await.unwrap();
            }
            Step::Compact => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn pushes_windows_and_compactions_leave_what_a_list_of_rows_would_hold(
        steps in prop::collection::vec(a_step(), 1..10),
        small in any::<bool>(),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let shop = if small { Shop::with_small_files() } else { Shop::new() };
            let mut model = Model::default();
            for step in &steps {
                model.take(&shop, step).await;
                if model.ingest > 0 {
                    let expected: Vec<(i64, Row)> = model.rows.clone().into_iter().collect();
                    assert_eq!(shop.numbered().await, expected);
                }
            }
        });
    }
}
