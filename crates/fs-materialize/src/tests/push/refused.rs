//! Rows that do not fit: all that is wrong with them is said, and nothing is written.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use fs_core::{Code, Coded};

use super::*;
use crate::Error;

async fn refusal(shop: &Shop, columns: Vec<(&str, ArrayRef)>) -> String {
    let columns = columns.into_iter();
    let rows = RecordBatch::try_from_iter_with_nullable(
        columns.map(|(name, column)| (name, column, true)),
    );
    let view = "activity".parse().unwrap();
    let rows = rows.unwrap();
    let mut said = String::new();
    for to in [PushTo::Both, PushTo::Online, PushTo::Offline] {
        let pushed = shop.pusher.push(&shop.catalog, &view, &rows, to, Some("k"));
        let error = pushed.await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        said = error.to_string();
    }
    assert_eq!(shop.facts().await, []);
    assert_eq!(shop.served().await, Served::new());
    said
}

fn ints(values: Vec<Option<i64>>) -> ArrayRef {
    Arc::new(Int64Array::from(values))
}

fn texts(values: Vec<Option<&str>>) -> ArrayRef {
    Arc::new(StringArray::from(values))
}

#[tokio::test]
async fn every_column_that_is_wrong_is_named_with_its_first_bad_row() {
    let shop = Shop::new();
    let said = refusal(
        &shop,
        vec![
            ("user", ints(vec![Some(1), None, None])),
            (
                "event",
                texts(vec![Some("2013-01-01"), Some("yesterday"), None]),
            ),
            ("created", Arc::new(BooleanArray::from(vec![true; 3]))),
            ("clics", ints(vec![Some(1); 3])),
        ],
    )
    .await;
    assert_eq!(
        said,
        "the rows pushed to view `activity` do not fit it: column `user` is null in 2 rows, row 1 \
         first; column `event` holds `yesterday` in row 1, which is not a value of type timestamp; \
         column `created` is bool and not timestamp; column `clicks` is missing; there is no column \
         `clics`; did you mean `clicks`?; nothing was written"
    );
}

#[tokio::test]
async fn a_missing_key_or_time_and_a_column_that_comes_twice_are_named() {
    let shop = Shop::new();
    let said = refusal(
        &shop,
        vec![
            ("clicks", ints(vec![Some(1)])),
            ("clicks", ints(vec![Some(1)])),
            ("created", texts(vec![None])),
        ],
    )
    .await;
    assert!(
        said.contains("column `user` is missing; column `event_timestamp` (or `event`) is missing"),
        "{said}"
    );
    assert!(said.contains("column `clicks` is there twice"), "{said}");
}

#[tokio::test]
async fn no_more_than_ten_problems_are_told_one_by_one() {
    let shop = Shop::new();
    let names: Vec<String> = (0..14).map(|n| format!("unknown_{n}")).collect();
    let columns = names
        .iter()
        .map(|name| (name.as_str(), ints(vec![Some(1)])));
    let said = refusal(&shop, columns.collect()).await;
    assert!(
        said.contains("`unknown_6`; and 7 more problems; nothing"),
        "{said}"
    );
}

#[tokio::test]
async fn numbers_and_texts_that_say_the_same_in_the_types_of_the_view_are_taken() {
    let shop = Shop::new();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("user", Arc::new(arrow::array::Int32Array::from(vec![1]))),
        ("event_timestamp", texts(vec![Some("1970-01-01T00:00:10Z")])),
        (
            "clicks",
            Arc::new(arrow::array::Float64Array::from(vec![3.0])),
        ),
    ];
    let rows = RecordBatch::try_from_iter(columns).unwrap();
    let view = "activity".parse().unwrap();
    let pushed = shop
        .pusher
        .push(&shop.catalog, &view, &rows, PushTo::Both, None);
    assert_eq!(pushed.await.unwrap(), counted(&[Stored]));
    assert_eq!(shop.served().await, Served::from([(1, (10, Some(3)))]));
}

#[tokio::test]
async fn a_row_of_the_future_is_refused_where_nothing_would_publish_it() {
    let shop = Shop::new();
    let rows = [click(1, 10, 1), click(1, 1_001, 2)];
    let error = shop
        .push(&rows, PushTo::Online, Some("k"))
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::NotVisibleYet { row: 1, .. }),
        "{error}"
    );
    assert_eq!(shop.served().await, Served::new());
    let report = shop.push(&rows, PushTo::Both, Some("k")).await.unwrap();
    assert_eq!(report, counted(&[Stored, Later]));
}

#[tokio::test]
async fn a_name_that_nothing_has_is_told_with_the_nearest() {
    let shop = Shop::new();
    for (name, says) in [
        ("activty", "did you mean `activity`?"),
        ("click", "`clicks`?"),
    ] {
        let error = Target::named(&shop.catalog, name).unwrap_err();
        assert_eq!(error.code(), Code::NotFound);
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_source_all_of_whose_views_have_queries_takes_no_rows() {
    let shop = Shop::with(|view| view.query("SELECT * FROM clicks"), |source| source);
    let error = Target::named(&shop.catalog, "clicks").unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition);
    let said = error.to_string();
    assert!(
        said.contains("(`activity`)") && said.contains("to the views themselves"),
        "{said}"
    );
    let report = shop.push(&[click(1, 10, 1)], PushTo::Both, None).await;
    assert_eq!(report.unwrap(), counted(&[Stored]));
}
