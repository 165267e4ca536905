use super::*;
use crate::Replacement;
use crate::fixture::{Row, Shop, collect, row, schema, window};

async fn changes(shop: &Shop, after: i64, upto: i64) -> (Vec<Row>, Vec<Row>) {
    let changes = shop
        .store
        .changes(&schema(), after, upto, None)
        .await
        .unwrap();
    let plain = |rows: Vec<(i64, Row)>| {
        let mut rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
        rows.sort();
        rows
    };
    let added = plain(collect(changes.added().unwrap()).await);
    let removed = plain(collect(changes.removed().unwrap()).await);
    (added, removed)
}

#[tokio::test]
async fn rows_that_are_only_written_again_did_not_change() {
    let shop = Shop::new();
    let rows = [row("a", 10, 1), row("b", 20, 2), row("c", 30, 3)];
    shop.replace(window(0, 100), &rows, None).await.unwrap();
    shop.replace(window(20, 30), &[row("d", 25, 4)], None)
        .await
        .unwrap();
    assert_eq!(changes(&shop, -1, 0).await, (rows.to_vec(), vec![]));
    assert_eq!(
        changes(&shop, 0, 1).await,
        (vec![row("d", 25, 4)], vec![row("b", 20, 2)])
    );
    assert_eq!(changes(&shop, 1, 1).await, (vec![], vec![]));
}

#[tokio::test]
async fn rows_that_came_and_went_in_between_are_told_twice() {
    let shop = Shop::new();
    shop.replace(window(0, 100), &[row("a", 10, 1)], None)
        .await
        .unwrap();
    shop.replace(window(0, 50), &[row("b", 10, 2)], None)
        .await
        .unwrap();
    shop.replace(window(0, 50), &[], None).await.unwrap();
    let told = shop.store.changes(&schema(), 0, 2, None).await.unwrap();
    assert_eq!(told.first_sequence(), Some(2 << 32));
    let (added, removed) = changes(&shop, 0, 2).await;
    assert_eq!(added, vec![row("b", 10, 2)]);
    assert_eq!(removed, vec![row("a", 10, 1), row("b", 10, 2)]);
}

#[tokio::test]
async fn a_feature_that_is_added_makes_no_old_row_change() {
    let shop = Shop::new();
    shop.replace(window(0, 100), &[row("a", 10, 1)], None)
        .await
        .unwrap();
    let wider = crate::fixture::schema_with(
        fs_core::KeyType::String,
        &[("clicks", "int64"), ("score", "float64")],
    );
    let empty = crate::fixture::stream(vec![]);
    shop.store
        .replace_window(&wider, Replacement::of(window(50, 60), empty))
        .await
        .unwrap();
    assert_eq!(changes(&shop, 0, 1).await, (vec![], vec![]));
}

#[tokio::test]
async fn a_log_entry_that_is_gone_is_said_to_be() {
    let shop = Shop::new();
    for round in 0..3 {
        shop.replace(window(0, 100), &[row("a", 10, round)], None)
            .await
            .unwrap();
    }
    let log = shop.folder.path().join("shop/activity/_delta_log");
    // A file of an old version: only `changes` looks at it.
    let old = std::fs::read_to_string(log.join("00000000000000000000.json")).unwrap();
    let name = old
        .split("\"path\":\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    std::fs::remove_file(shop.folder.path().join("shop/activity").join(name)).unwrap();
    let error = shop.store.changes(&schema(), 0, 2, None).await.unwrap_err();
    assert!(
        matches!(error, Error::LogGone { version: 1, .. }),
        "{error}"
    );
    changes(&shop, 1, 2).await;

    let error = shop.store.changes(&schema(), 1, 3, None).await.unwrap_err();
    assert!(
        matches!(error, Error::LogGone { version: 3, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_compaction_by_another_tool_changes_nothing_and_keeps_the_sequence() {
    let shop = Shop::new();
    for day in 0..3 {
        let start = day * 1_000_000;
        let rows = [row("a", start, day)];
        shop.replace(window(start, start + 10), &rows, None)
            .await
            .unwrap();
    }
    let before = shop.numbered().await;
    let location = shop.store.root().join("activity");
    let mut table = deltalake::DeltaTable::new(Table::log_store(&location).unwrap());
    table.load().await.unwrap();
    table.optimize().await.unwrap();
    assert_eq!(shop.version().await, Some(3));
    assert_eq!(shop.numbered().await, before);
    assert_eq!(changes(&shop, 2, 3).await, (vec![], vec![]));
}

#[tokio::test]
async fn a_commit_of_another_tool_cannot_be_told_apart() {
    let shop = Shop::new();
    shop.replace(window(0, 100), &[row("a", 10, 1)], None)
        .await
        .unwrap();
    let location = shop.store.root().join("activity");
    let mut table = deltalake::DeltaTable::new(Table::log_store(&location).unwrap());
    table.load().await.unwrap();
    table.delete().await.unwrap();
    let error = shop.store.changes(&schema(), 0, 1, None).await.unwrap_err();
    assert!(
        matches!(error, Error::LogGone { version: 1, .. }),
        "{error}"
    );
}
