//! Rows that were written with another schema than the view has now.

use fs_core::Feature;
use fs_core::code::report;
use fs_core::{Code, Coded};
use fs_online::{OnlineStore, RowEncoder, RowLayout, RowOrder, RowWrite, ViewId};

use super::fixture::{NOW, Shop, column, float64, string_key, strings};
use crate::Status::{NullValue, Present};

fn add_feature(shop: &mut Shop, name: &str) {
    shop.change_view("planes", |view| {
        view.schema.insert(
            0,
            Feature {
                name: name.parse().unwrap(),
                data_type: float64(),
                description: None,
            },
        );
    });
}

#[tokio::test]
async fn a_row_older_than_a_feature_has_no_value_for_it_and_keeps_the_others() {
    let mut shop = Shop::new();
    shop.put("planes", &["1"], NOW, &[Some(150.0)]).await;
    add_feature(&mut shop, "weight");
    shop.put("planes", &["2"], NOW, &[Some(80.0), Some(200.0)])
        .await;

    let entities = [("tailnum", super::fixture::int64s([1, 2]))];
    let vectors = shop
        .get(&["planes:weight", "planes:seats"], &entities)
        .await
        .unwrap();
    let weight = [(NullValue, None), (Present, Some(80.0))];
    assert_eq!(column(&vectors, "planes__weight"), weight);
    let seats = [(Present, Some(150.0)), (Present, Some(200.0))];
    assert_eq!(column(&vectors, "planes__seats"), seats);
}

#[tokio::test]
async fn layouts_are_read_when_a_row_has_one_that_is_new_and_not_again() {
    let mut shop = Shop::new();
    shop.put("planes", &["1"], NOW, &[Some(150.0)]).await;
    let entities = [("tailnum", super::fixture::int64s([1, 2]))];
    let features = ["planes:seats"];
    for expected in [1, 0] {
        shop.get(&features, &entities).await.unwrap();
        let (_, _, layouts) = shop.store.take_counts();
        assert_eq!(layouts, expected);
    }

    // Another process applies a new schema and materializes with it.
    add_feature(&mut shop, "weight");
    shop.put("planes", &["2"], NOW, &[Some(80.0), Some(200.0)])
        .await;
    for expected in [1, 0] {
        let vectors = shop.get(&features, &entities).await.unwrap();
        let seats = [(Present, Some(150.0)), (Present, Some(200.0))];
        assert_eq!(column(&vectors, "planes__seats"), seats);
        let (_, _, layouts) = shop.store.take_counts();
        assert_eq!(layouts, expected);
    }
}

async fn put_bytes(shop: &Shop, change: impl FnOnce(&mut Vec<u8>)) {
    let layout = RowLayout::new(vec![]);
    let order = RowOrder {
        event: fs_core::EventTime::from_micros(NOW),
        created: None,
        sequence: 0,
    };
    let mut row = RowEncoder::new(&layout).encode(&[], &[order]).unwrap()[0].to_vec();
    change(&mut row);
    let view = ViewId::new("flights".parse().unwrap(), "weather".parse().unwrap());
    let write = RowWrite::newest(string_key("EWR"), row.into());
    shop.store.write(&view, vec![write], None).await.unwrap();
}

#[tokio::test]
async fn a_row_of_a_layout_that_the_store_does_not_know_is_an_error_that_names_the_view() {
    let shop = Shop::new();
    put_bytes(&shop, |_| {}).await;
    let entities = [("origin", strings(["EWR"]))];
    let error = shop.get(&["weather:temp"], &entities).await.unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    assert!(
        report(&error).contains("flights/weather"),
        "{}",
        report(&error)
    );
    let (_, _, layouts) = shop.store.take_counts();
    assert_eq!(layouts, 1);
}

#[tokio::test]
async fn a_damaged_row_is_an_error_that_names_the_view() {
    let shop = Shop::new();
    let id = ViewId::new("flights".parse().unwrap(), "weather".parse().unwrap());
    shop.store
        .prepare(&id, &RowLayout::new(vec![]))
        .await
        .unwrap();
    put_bytes(&shop, |row| row.push(0)).await;
    let entities = [("origin", strings(["EWR"]))];
    let error = shop.get(&["weather:temp"], &entities).await.unwrap_err();
    assert_eq!(error.code(), Code::Internal);
    assert!(
        report(&error).contains("flights/weather"),
        "{}",
        report(&error)
    );
}
