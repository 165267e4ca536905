use arrow::array::{Array, AsArray, Int32Array, ListArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int32Type};
use datafusion::error::DataFusionError;
use fs_core::{Coded, KeyType};
use futures::TryStreamExt;

use super::*;
use crate::Scan;
use crate::fixture::{Row, Shop, at, batch, row, schema, schema_with, stream, window};

mod frozen;
mod memory;
mod progress;
mod properties;

#[tokio::test]
async fn the_first_write_makes_the_table_with_its_rows_and_its_watermark() {
    let shop = Shop::new();
    assert_eq!(shop.store.state(schema().view()).await.unwrap(), None);
    let rows = [row("ann", 10, 1), row("bob", 5, 2)];
    let done = shop
        .replace(window(0, 100), &rows, Some(100))
        .await
        .unwrap();
    assert_eq!((done.version, done.ingest, done.rows), (0, 1, 2));
    let state = shop.store.state(schema().view()).await.unwrap().unwrap();
    assert_eq!((state.version, state.ingest, state.rows), (0, 1, 2));
    assert_eq!(state.watermark, Some(at(100)));
}

#[tokio::test]
async fn rows_are_numbered_by_ingest_and_by_their_place_in_the_stream() {
    let shop = Shop::new();
    let late_first = [row("ann", 30, 1), row("ann", 10, 2)];
    shop.replace(window(0, 100), &late_first, None)
        .await
        .unwrap();
    shop.replace(window(100, 200), &[row("ann", 150, 3)], None)
        .await
        .unwrap();
    let expected = vec![
        (1 << 32, row("ann", 30, 1)),
        ((1 << 32) | 1, row("ann", 10, 2)),
        (2 << 32, row("ann", 150, 3)),
    ];
    assert_eq!(shop.numbered().await, expected);
}

#[tokio::test]
async fn rows_outside_the_window_keep_their_values_and_their_sequence() {
    let shop = Shop::new();
    let rows = [
        row("a", 10, 1),
        row("b", 20, 2),
        row("c", 29, 3),
        row("d", 30, 4),
    ];
    shop.replace(window(0, 100), &rows, None).await.unwrap();
    let before = shop.numbered().await;
    shop.replace(window(20, 30), &[row("e", 25, 5)], None)
        .await
        .unwrap();
    let expected = vec![
        before[0].clone(),
        before[3].clone(),
        (2 << 32, row("e", 25, 5)),
    ];
    assert_eq!(shop.numbered().await, expected);
}

#[tokio::test]
async fn a_window_without_a_start_reaches_back_to_the_beginning() {
    let shop = Shop::new();
    let all = TimeRange::until(at(100));
    shop.replace(
        all,
        &[row("a", i64::from(i32::MIN), 1), row("b", 99, 2)],
        None,
    )
    .await
    .unwrap();
    shop.replace(all, &[row("c", 0, 3)], None).await.unwrap();
    assert_eq!(shop.rows().await, vec![row("c", 0, 3)]);
}

#[tokio::test]
async fn an_empty_stream_empties_the_window_and_moves_the_watermark() {
    let shop = Shop::new();
    shop.replace(
        window(0, 100),
        &[row("a", 10, 1), row("b", 60, 2)],
        Some(50),
    )
    .await
    .unwrap();
    let done = shop.replace(window(50, 100), &[], Some(100)).await.unwrap();
    assert_eq!((done.rows, done.watermark), (0, Some(at(100))));
    assert_eq!(shop.rows().await, vec![row("a", 10, 1)]);
}

#[tokio::test]
async fn an_empty_stream_makes_an_empty_table() {
    let shop = Shop::new();
    shop.replace(window(0, 100), &[], Some(100)).await.unwrap();
    assert_eq!(shop.rows().await, vec![]);
    assert_eq!(shop.version().await, Some(0));
}

#[tokio::test]
async fn the_watermark_is_never_lowered() {
    let shop = Shop::new();
    shop.replace(window(0, 100), &[], Some(100)).await.unwrap();
    for lower in [Some(50), None] {
        let done = shop.replace(window(0, 50), &[], lower).await.unwrap();
        assert_eq!(done.watermark, Some(at(100)));
    }
    let state = shop.store.state(schema().view()).await.unwrap().unwrap();
    assert_eq!(state.watermark, Some(at(100)));
}

#[tokio::test]
async fn a_stream_that_breaks_off_changes_nothing() {
    let shop = Shop::new();
    let broken = || {
        let error = DataFusionError::Execution("the disk is gone".to_owned());
        stream(vec![Ok(batch(&[row("b", 20, 2)])), Err(error)])
    };
    let window = window(0, 100);
    let error = shop
        .store
        .replace_window(
            &schema(),
            Replacement {
                watermark: Some(at(100)),
                ..Replacement::of(window, broken())
            },
        )
        .await;
    assert!(matches!(error, Err(Error::Rows { .. })), "{error:?}");
    assert_eq!(shop.version().await, None);

    shop.replace(window, &[row("a", 10, 1)], Some(50))
        .await
        .unwrap();
    let before = shop.store.state(schema().view()).await.unwrap();
    let error = shop
        .store
        .replace_window(
            &schema(),
            Replacement {
                watermark: Some(at(100)),
                ..Replacement::of(window, broken())
            },
        )
        .await;
    let report = fs_core::code::report(&error.unwrap_err());
    assert!(report.contains("the disk is gone"), "{report}");
    assert_eq!(shop.store.state(schema().view()).await.unwrap(), before);
    assert_eq!(shop.rows().await, vec![row("a", 10, 1)]);
}

#[tokio::test]
async fn a_row_outside_the_window_is_refused_and_nothing_changes() {
    let shop = Shop::new();
    for event in [9, 20] {
        let error = shop
            .replace(window(10, 20), &[row("a", event, 1)], None)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::OutsideWindow { .. }), "{error}");
    }
    shop.replace(window(10, 20), &[row("a", 10, 1), row("a", 19, 1)], None)
        .await
        .unwrap();
    assert_eq!(shop.version().await, Some(0));
}

#[tokio::test]
async fn of_two_writers_at_once_one_wins_and_the_other_changes_nothing() {
    let shop = Shop::new();
    let ann = [row("ann", 10, 1)];
    let bob = [row("bob", 20, 2)];
    for round in 0..5 {
        let (first, second) = tokio::join!(
            shop.replace(window(0, 100), &ann, Some(round)),
            shop.replace(window(0, 100), &bob, Some(round)),
        );
        let rows = shop.rows().await;
        match (first, second) {
            (Ok(_), Err(error)) => {
                assert!(matches!(error, Error::Conflict { .. }), "{error}");
                assert_eq!(rows, ann);
            }
            (Err(error), Ok(_)) => {
                assert!(matches!(error, Error::Conflict { .. }), "{error}");
                assert_eq!(rows, bob);
            }
            (Ok(_), Ok(_)) => assert!(rows == ann || rows == bob, "{rows:?}"),
            (Err(error), Err(_)) => panic!("nobody won: {error}"),
        }
    }
}

#[tokio::test]
async fn a_feature_that_is_added_is_null_in_old_rows() {
    let shop = Shop::new();
    shop.replace(window(0, 100), &[row("ann", 10, 1)], None)
        .await
        .unwrap();
    let wider = schema_with(
        KeyType::String,
        &[("clicks", "int64"), ("score", "float64")],
    );
    let scores = |rows: &[RecordBatch]| -> Vec<Option<f64>> {
        let column = |batch: &RecordBatch| batch.column_by_name("score").unwrap().clone();
        let values = rows.iter().map(column);
        let values = values.map(|column| column.as_primitive::<Float64Type>().clone());
        values
            .flat_map(|column| column.iter().collect::<Vec<_>>())
            .collect()
    };
    // Before the table has the column, and after.
    for round in 0..2 {
        let scan = shop.store.scan(&wider, &Scan::default()).await.unwrap();
        let rows: Vec<RecordBatch> = scan.stream().unwrap().try_collect().await.unwrap();
        assert_eq!(scores(&rows), [None], "round {round}");
        let empty = stream(vec![]);
        shop.store
            .replace_window(&wider, Replacement::of(window(50, 60), empty))
            .await
            .unwrap();
    }
    assert_eq!(shop.version().await, Some(2));
    assert_eq!(shop.rows().await, vec![row("ann", 10, 1)]);
}

#[tokio::test]
async fn a_feature_that_is_removed_keeps_its_column() {
    let shop = Shop::new();
    shop.replace(
        window(0, 100),
        &[row("ann", 10, 1), row("bob", 60, 2)],
        None,
    )
    .await
    .unwrap();
    let narrower = schema_with(KeyType::String, &[("views", "int64")]);
    let renamed = batch(&[row("cid", 70, 3)]).project(&[0, 1, 2]).unwrap();
    let rows = stream(vec![Ok(renamed)]);
    shop.store
        .replace_window(&narrower, Replacement::of(window(50, 100), rows))
        .await
        .unwrap();
    let gone = Row {
        clicks: None,
        ..row("cid", 70, 3)
    };
    assert_eq!(shop.rows().await, vec![row("ann", 10, 1), gone]);
}

#[tokio::test]
async fn a_changed_type_is_refused_and_says_both_types_and_what_to_do() {
    let shop = Shop::new();
    shop.replace(window(0, 100), &[row("ann", 10, 1)], None)
        .await
        .unwrap();
    let cases = [
        (
            schema_with(KeyType::String, &[("clicks", "float64")]),
            ["`clicks`", "int64", "float64"],
        ),
        (
            schema_with(KeyType::Int64, &[("clicks", "int64")]),
            ["`user`", "string", "int64"],
        ),
    ];
    for (other, parts) in cases {
        let write = shop
            .store
            .replace_window(&other, Replacement::of(window(0, 1), stream(vec![])))
            .await;
        let read = shop.store.scan(&other, &Scan::default()).await;
        for error in [write.unwrap_err(), read.unwrap_err()] {
            assert_eq!(error.code(), fs_core::Code::FailedPrecondition);
            let text = error.to_string();
            for part in parts.iter().chain(&["drop the table"]) {
                assert!(text.contains(part), "{text} lacks {part}");
            }
        }
    }
    assert_eq!(shop.version().await, Some(0));
}

#[tokio::test]
async fn a_join_key_cannot_come_or_go() {
    let shop = Shop::new();
    shop.replace(window(0, 100), &[row("ann", 10, 1)], None)
        .await
        .unwrap();
    let mut catalog = fs_core::Catalog::empty("shop".parse().unwrap());
    let mut view: fs_core::FeatureView = serde_json::from_value(serde_json::json!({
        "name": "activity", "entities": [], "source": "events", "online": true,
        "schema": [{ "name": "clicks", "type": "int64" }],
    }))
    .unwrap();
    let global = TableSchema::of(&catalog, &view);
    let error = shop
        .store
        .scan(&global, &Scan::default())
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Incompatible { ref column, .. } if column == "user"),
        "{error}"
    );

    let key: fs_core::Entity = serde_json::from_value(serde_json::json!({
        "name": "pair",
        "join_keys": [{ "name": "user", "type": "string" }, { "name": "shop", "type": "string" }],
    }))
    .unwrap();
    catalog.entities.insert(key.name.clone(), key);
    view.entities = vec!["pair".parse().unwrap()];
    let pair = TableSchema::of(&catalog, &view);
    let error = shop.store.scan(&pair, &Scan::default()).await.unwrap_err();
    assert!(
        matches!(error, Error::Incompatible { ref column, .. } if column == "shop"),
        "{error}"
    );
}

#[tokio::test]
async fn every_type_of_feature_comes_back_as_it_went_in() {
    let shop = Shop::new();
    let lists = schema_with(KeyType::String, &[("last", "array<int32>")]);
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
        Some(vec![Some(1), None, Some(3)]),
        None,
        Some(vec![]),
    ]);
    let plain = batch(&[row("a", 1, 0), row("b", 2, 0), row("c", 3, 0)]);
    let mut columns = plain.columns()[..3].to_vec();
    columns.push(Arc::new(list.clone()));
    let fields = lists.columns().fields()[..4].to_vec();
    let rows = RecordBatch::try_new(Arc::new(arrow::datatypes::Schema::new(fields)), columns);
    let rows = stream(vec![Ok(rows.unwrap())]);
    shop.store
        .replace_window(&lists, Replacement::of(window(0, 10), rows))
        .await
        .unwrap();
    // Rewrites the kept rows once.
    shop.store
        .replace_window(&lists, Replacement::of(window(2, 3), stream(vec![])))
        .await
        .unwrap();
    let scan = Scan {
        columns: Some(vec!["last".to_owned()]),
        ..Scan::default()
    };
    let scan = shop.store.scan(&lists, &scan).await.unwrap();
    let read: Vec<RecordBatch> = scan.stream().unwrap().try_collect().await.unwrap();
    let read = arrow::compute::concat_batches(&scan.schema(), &read).unwrap();
    assert_eq!(read.schema().field(0), lists.columns().field(3));
    let read = read.column(0).as_list::<i32>().clone();
    assert_eq!(
        read.value(0).as_ref(),
        &Int32Array::from(vec![Some(1), None, Some(3)])
    );
    assert!(read.value(1).is_empty() && read.len() == 2);
}

#[tokio::test]
async fn rows_without_a_key_are_refused() {
    let shop = Shop::new();
    let narrow = batch(&[row("a", 1, 1)]).project(&[1, 3]).unwrap();
    let rows = stream(vec![Ok(narrow)]);
    let written = shop
        .store
        .replace_window(&schema(), Replacement::of(window(0, 10), rows))
        .await;
    let error = written.unwrap_err().to_string();
    assert!(error.contains("column `user` is missing"), "{error}");
}
