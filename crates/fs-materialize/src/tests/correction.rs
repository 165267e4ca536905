//! Sources that change what they said.

use fs_core::CreatedTime;
use fs_online::key::encode_key;
use fs_online::{OnlineStore, RowEncoder, RowLayout, RowOrder, RowWrite};

use crate::fixture::{Served, Shop, at, click};

#[tokio::test]
async fn a_corrected_source_changes_the_rows_online() {
    let shop = Shop::new();
    shop.source(&[click(1, 10, 1), click(2, 20, 2)]);
    shop.materialize(0, 100).await.unwrap();
    shop.source(&[click(1, 10, 7), click(2, 20, 2)]);
    let run = shop.materialize(0, 100).await.unwrap();
    assert_eq!(run.record.deleted, 0);
    assert_eq!(
        shop.served().await,
        Served::from([(1, (10, Some(7))), (2, (20, Some(2)))])
    );
}

#[tokio::test]
async fn a_row_that_is_removed_gives_way_to_the_one_before_it() {
    for shop in [Shop::new(), Shop::new().cramped()] {
        shop.source(&[
            click(1, 10, 1),
            click(1, 60, 2),
            click(2, 70, 3),
            click(3, 5, 4),
        ]);
        shop.materialize(0, 50).await.unwrap();
        shop.materialize(50, 100).await.unwrap();
        assert_eq!(shop.served().await[&1], (60, Some(2)));
        shop.source(&[click(1, 10, 1), click(2, 70, 3), click(3, 5, 4)]);
        shop.materialize(50, 100).await.unwrap();
        let served = Served::from([(1, (10, Some(1))), (2, (70, Some(3))), (3, (5, Some(4)))]);
        assert_eq!(shop.served().await, served);
    }
}

#[tokio::test]
async fn a_key_that_is_removed_disappears() {
    for shop in [Shop::new(), Shop::new().cramped()] {
        shop.source(&[click(1, 10, 1), click(2, 20, 2), click(3, 30, 3)]);
        shop.materialize(0, 100).await.unwrap();
        shop.source(&[click(2, 20, 2)]);
        let run = shop.materialize(0, 100).await.unwrap();
        assert_eq!(run.record.deleted, 2);
        assert_eq!(shop.served().await, Served::from([(2, (20, Some(2)))]));
    }
}

#[tokio::test]
async fn a_key_that_is_removed_disappears_also_when_everything_is_published() {
    for shop in [Shop::new(), Shop::new().cramped()] {
        shop.source(&[click(1, 10, 1), click(2, 20, 2), click(2, 30, 3)]);
        shop.materialize(0, 100).await.unwrap();
        shop.source(&[click(2, 20, 2)]);
        shop.online.fail_after(0);
        shop.materialize(0, 100).await.unwrap_err();
        shop.online.recover();
        let published = shop.republish().await.unwrap();
        assert_eq!(
            (published.written, published.deleted, published.full),
            (1, 1, true)
        );
        assert_eq!(shop.stored().await, shop.expected().await);
    }
}

/// A row straight from a writer, not from the table.
async fn push(shop: &Shop, user: i64, event: i64, clicks: i64) {
    let layout = RowLayout::of_view(&shop.catalog.feature_views["activity"]);
    let column = arrow::array::Int64Array::from(vec![clicks]);
    let order = RowOrder {
        event: at(event),
        created: Some(CreatedTime::from_micros(at(event).as_micros())),
        sequence: 0,
    };
    let row = RowEncoder::new(&layout).encode(&[std::sync::Arc::new(column)], &[order]);
    let key = encode_key(&[fs_core::KeyValue::Int64(user)]);
    let write = RowWrite::newest(key, row.unwrap().remove(0));
    shop.online.prepare(&shop.id(), &layout).await.unwrap();
    shop.online
        .write(&shop.id(), vec![write], None)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_old_row_never_overwrites_a_newer_one_whoever_wrote_it() {
    let shop = Shop::new();
    push(&shop, 1, 50, 99).await;
    push(&shop, 2, 5, 98).await;
    push(&shop, 3, 5, 97).await;
    shop.source(&[click(1, 10, 1), click(2, 20, 2)]);
    shop.materialize(0, 100).await.unwrap();
    let served = Served::from([(1, (50, Some(99))), (2, (20, Some(2))), (3, (5, Some(97)))]);
    assert_eq!(shop.served().await, served);
    // Also not when what it would have replaced goes.
    push(&shop, 2, 60, 96).await;
    shop.source(&[click(1, 10, 1)]);
    shop.materialize(0, 100).await.unwrap();
    shop.republish().await.unwrap();
    let served = Served::from([(1, (50, Some(99))), (2, (60, Some(96))), (3, (5, Some(97)))]);
    assert_eq!(shop.served().await, served);
}

#[tokio::test]
async fn a_log_that_is_gone_makes_everything_be_published() {
    let shop = Shop::new();
    shop.source(&[click(1, 10, 1), click(2, 20, 2)]);
    shop.materialize(0, 100).await.unwrap();
    shop.source(&[click(2, 20, 3)]);
    shop.online.fail_after(0);
    shop.materialize(0, 100).await.unwrap_err();
    shop.online.recover();
    // As a vacuum does: the files that the newest version no longer has.
    let folder = shop.offline.root().join("activity").to_folder().unwrap();
    let log = std::fs::read_to_string(folder.join("_delta_log/00000000000000000000.json"));
    let log = log.unwrap();
    let name = log
        .split("\"path\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    std::fs::remove_file(folder.join(name)).unwrap();
    shop.incremental(1_000).await.unwrap();
    assert_eq!(shop.served().await, Served::from([(2, (20, Some(3)))]));
}

#[tokio::test]
async fn a_table_that_is_made_anew_is_published_as_a_whole() {
    let shop = Shop::new();
    shop.source(&[click(1, 10, 1), click(2, 20, 2)]);
    shop.materialize(0, 50).await.unwrap();
    shop.materialize(0, 100).await.unwrap();
    shop.offline
        .drop_table(&"activity".parse().unwrap())
        .await
        .unwrap();
    shop.source(&[click(2, 15, 3)]);
    shop.materialize(0, 100).await.unwrap();
    assert_eq!(shop.served().await, Served::from([(2, (15, Some(3)))]));
}
