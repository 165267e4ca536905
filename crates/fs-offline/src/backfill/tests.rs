use std::collections::BTreeMap;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::array::{AsArray, Float64Array, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Float64Type;
use fs_core::data_type::UTC;
use fs_core::{EventTime, KeyType};
use futures::TryStreamExt;
use proptest::prelude::*;

use super::*;
use crate::fixture::{Row, Shop, at, batch, collect, row, schema, schema_with, stream, window};
use crate::sequence::is_pushed;
use crate::{Push, Scan};

mod memory;

/// The view with another feature.
fn wider() -> TableSchema {
    schema_with(
        KeyType::String,
        &[("clicks", "int64"), ("score", "float64")],
    )
}

/// A row of the source: user, event, created, score.
type Given = (&'static str, i64, Option<i64>, Option<f64>);

fn given(rows: &[Given]) -> RecordBatch {
    let wider = wider();
    let times = |times: TimestampMicrosecondArray| Arc::new(times.with_timezone(UTC)) as ArrayRef;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| row.3).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|row| Some(row.0)).collect::<StringArray>()),
        times(rows.iter().map(|row| Some(row.1)).collect()),
        times(rows.iter().map(|row| row.2).collect()),
    ];
    let names = ["score", "user", EVENT_TIMESTAMP, CREATED_TIMESTAMP];
    let fields = names.map(|name| wider.columns().field_with_name(name).unwrap().clone());
    RecordBatch::try_new(Arc::new(Schema::new(fields.to_vec())), columns).unwrap()
}

fn scores_of(window: TimeRange, rows: &[Given]) -> Backfill {
    Backfill {
        window,
        features: vec!["score".to_owned()],
        rows: stream(vec![Ok(given(rows))]),
        fence: None,
        progress: None,
    }
}

/// `_sequence`, the row and its score, in the order of `_sequence`.
async fn scored(shop: &Shop) -> Vec<(i64, Row, Option<f64>)> {
    let scan = shop.store.scan(&wider(), &Scan::default()).await.unwrap();
    let batches: Vec<RecordBatch> = scan.stream().unwrap().try_collect().await.unwrap();
    let mut all = Vec::new();
    for batch in batches {
        let score = batch.column_by_name("score").unwrap().clone();
        let score: Vec<Option<f64>> = score.as_primitive::<Float64Type>().iter().collect();
        let rows = collect(stream(vec![Ok(batch)])).await;
        all.extend(
            rows.into_iter()
                .zip(score)
                .map(|((n, row), score)| (n, row, score)),
        );
    }
    all.sort_by_key(|(number, _, _)| *number);
    all
}

fn created(created: i64, row: Row) -> Row {
    Row {
        created: Some(created),
        ..row
    }
}

#[tokio::test]
async fn rows_that_match_get_the_new_feature_and_keep_everything_else() {
    let shop = Shop::new();
    let rows = [
        created(15, row("a", 10, 1)),
        row("a", 10, 2),
        row("b", 20, 3),
        row("c", 50, 4),
    ];
    shop.replace(window(0, 100), &rows, Some(100))
        .await
        .unwrap();
    let pushed = Push {
        rows: batch(&[row("p", 30, 9)]),
        key: None,
    };
    shop.store.append(&schema(), &[pushed]).await.unwrap();
    let before = scored(&shop).await;
    let done = shop
        .store
        .backfill_window(
            &wider(),
            scores_of(
                window(0, 40),
                &[
                    ("b", 20, Some(21), Some(0.9)),
                    ("b", 21, None, Some(0.8)),
                    ("a", 10, None, Some(0.2)),
                    ("a", 10, Some(15), Some(0.1)),
                    ("p", 30, None, Some(0.7)),
                ],
            ),
        )
        .await
        .unwrap();
    assert_eq!((done.version, done.rows, done.matched), (2, 3, 2));
    let expected = [Some(0.1), Some(0.2), None, None, None];
    let after = scored(&shop).await;
    assert_eq!(after.len(), before.len());
    for ((old, new), score) in before.iter().zip(&after).zip(expected) {
        assert_eq!((old.0, &old.1), (new.0, &new.1));
        assert_eq!(new.2, score, "{new:?}");
    }
    let state = shop.store.state(schema().view()).await.unwrap().unwrap();
    assert_eq!((state.watermark, state.ingest), (Some(at(100)), 1));
}

#[tokio::test]
async fn publishers_are_told_the_window_and_no_row_of_it() {
    let shop = Shop::new();
    shop.replace(window(0, 100), &[row("a", 10, 1)], None)
        .await
        .unwrap();
    let scores = || scores_of(window(0, 40), &[("a", 10, None, Some(0.5))]);
    shop.store
        .backfill_window(&wider(), scores())
        .await
        .unwrap();
    shop.replace(window(50, 60), &[row("b", 55, 2)], None)
        .await
        .unwrap();
    let changes = shop.store.changes(&wider(), 0, 2, None).await.unwrap();
    assert_eq!(changes.rewritten(), [window(0, 40)]);
    let added = collect(changes.added().unwrap()).await;
    assert_eq!(added, [(2 << 32, row("b", 55, 2))]);
    assert!(collect(changes.removed().unwrap()).await.is_empty());
    assert_eq!(changes.first_sequence(), Some(2 << 32));
}

#[tokio::test]
async fn rows_with_equal_keys_and_times_take_values_in_their_order() {
    let shop = Shop::new();
    let rows = [row("a", 10, 1), row("a", 10, 2), row("a", 10, 3)];
    shop.replace(window(0, 100), &rows, None).await.unwrap();
    let scores = [("a", 10, None, Some(0.1)), ("a", 10, None, None)];
    let mut backfill = scores_of(window(0, 100), &scores);
    let done = shop
        .store
        .backfill_window(&wider(), backfill)
        .await
        .unwrap();
    assert_eq!((done.rows, done.matched), (3, 2));
    let scores: Vec<_> = scored(&shop).await.into_iter().map(|(_, _, s)| s).collect();
    assert_eq!(scores, [Some(0.1), None, None]);
    // A value that is there is set, too, and one that is not given stays.
    backfill = scores_of(window(0, 100), &[("a", 10, None, Some(0.3))]);
    shop.store
        .backfill_window(&wider(), backfill)
        .await
        .unwrap();
    let scores: Vec<_> = scored(&shop).await.into_iter().map(|(_, _, s)| s).collect();
    assert_eq!(scores, [Some(0.3), None, None]);
}

#[tokio::test]
async fn a_backfill_of_an_unknown_feature_or_of_no_table_is_refused() {
    let shop = Shop::new();
    let scores = || scores_of(window(0, 40), &[("a", 10, None, Some(0.5))]);
    let error = shop
        .store
        .backfill_window(&wider(), scores())
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotMaterialized { .. }), "{error}");
    shop.replace(window(0, 100), &[row("a", 10, 1)], None)
        .await
        .unwrap();
    let mut unknown = scores();
    unknown.features = vec!["scores".to_owned()];
    let error = shop
        .store
        .backfill_window(&wider(), unknown)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no feature `scores`"), "{error}");
    let outside = scores_of(window(0, 40), &[("a", 40, None, Some(0.5))]);
    let error = shop
        .store
        .backfill_window(&wider(), outside)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::OutsideWindow { .. }), "{error}");
    assert_eq!(shop.version().await, Some(0));
}

#[tokio::test]
async fn a_backfill_shows_its_fence_says_how_far_it_has_come_and_lets_pushes_by() {
    let shop = Shop::new();
    shop.replace(window(0, 100), &[row("a", 10, 1)], None)
        .await
        .unwrap();
    let store = shop.store.clone();
    // The rows come only after somebody has pushed.
    let rows = futures::stream::once(async move {
        let pushed = Push {
            rows: batch(&[row("p", 30, 9)]),
            key: None,
        };
        store.append(&schema(), &[pushed]).await.unwrap();
        Ok(given(&[("a", 10, None, Some(0.5))]))
    });
    let schema_of_rows = given(&[]).schema();
    let progress = RunProgress {
        key: "k".to_owned(),
        done: at(40),
        at: None,
    };
    let backfill = Backfill {
        rows: Box::pin(
            datafusion::physical_plan::stream::RecordBatchStreamAdapter::new(schema_of_rows, rows),
        ),
        fence: Some(Fence::new(5)),
        progress: Some(progress),
        ..scores_of(window(0, 40), &[])
    };
    let done = shop
        .store
        .backfill_window(&wider(), backfill)
        .await
        .unwrap();
    assert_eq!((done.version, done.matched), (2, 1));
    let come = shop.store.run_progress(schema().view(), "k").await.unwrap();
    assert_eq!(come, Some(at(40)));
    let late = Backfill {
        fence: Some(Fence::new(4)),
        ..scores_of(window(0, 40), &[("a", 10, None, Some(0.7))])
    };
    let error = shop
        .store
        .backfill_window(&wider(), late)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Fenced { .. }), "{error}");
    let scores: Vec<_> = scored(&shop).await.into_iter().map(|(_, _, s)| s).collect();
    assert_eq!(scores, [Some(0.5), None]);
}

/// Users and times of a few rows, so that many are equal.
fn few_rows() -> impl Strategy<Value = Vec<(usize, i64, Option<i64>)>> {
    prop::collection::vec(
        (0..3_usize, 0..4_000_i64, prop::option::of(0..2_i64)),
        0..30,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_backfill_sets_what_a_list_of_rows_would_hold(
        stored in few_rows(),
        source in few_rows(),
        pushed in few_rows(),
        (start, length) in (0..3_000_i64, 1..3_000_i64),
        small in any::<bool>(),
    ) {
        const USERS: [&str; 3] = ["a", "b", "c"];
        // Times lie close together, a thousand of them on one instant.
        let near = |event: i64| event / 1_000 * 1_000;
        let as_row = |(n, (user, event, created)): (i64, &(usize, i64, Option<i64>))| Row {
            user: USERS[*user].to_owned(),
            event: near(*event),
            created: *created,
            clicks: Some(n),
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let shop = if small { Shop::with_small_files() } else { Shop::new() };
            let rows: Vec<Row> = (0..).zip(&stored).map(as_row).collect();
            shop.replace(window(0, 10_000), &rows, None).await.unwrap();
            let rows: Vec<Row> = (0..).zip(&pushed).map(as_row).collect();
            let push = Push { rows: batch(&rows), key: None };
            shop.store.append(&schema(), &[push]).await.unwrap();
            let before = shop.numbered().await;

            let range = window(start, start + length);
            let scores: Vec<Given> = source
                .iter()
                .zip(0_u32..)
                .map(|((user, event, created), n)| {
                    (USERS[*user], near(*event), *created, Some(f64::from(n)))
                })
                .filter(|given| range.contains(EventTime::from_micros(given.1)))
                .collect();
            let wider = wider();
            let done = shop.store.backfill_window(&wider, scores_of(range, &scores));
            let done = done.await.unwrap();

            let mut open: BTreeMap<(String, i64, Option<i64>), Vec<Option<f64>>> = BTreeMap::new();
            for (user, event, created, score) in scores.iter().rev() {
                open.entry(((*user).to_owned(), *event, *created)).or_default().push(*score);
            }
            let mut matched = 0;
            let expected: Vec<_> = before
                .into_iter()
                .map(|(number, row)| {
                    let found = open.get_mut(&(row.user.clone(), row.event, row.created));
                    let score = match found {
                        Some(scores) if !is_pushed(number) => scores.pop(),
                        _ => None,
                    };
                    matched += u64::from(score.is_some());
                    (number, row, score.flatten())
                })
                .collect();
            assert_eq!(done.matched, matched);
            assert_eq!(scored(&shop).await, expected);
        });
    }
}
