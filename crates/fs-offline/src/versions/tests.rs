use fs_core::{Code, Coded};

use super::*;
use crate::fixture::{Shop, row, schema, window};

async fn newest(shop: &Shop) -> TableVersion {
    shop.store.newest(schema().view()).await.unwrap().unwrap()
}

async fn refused(shop: &Shop, wanted: &TableVersion) -> Error {
    let kept = shop.store.ensure_kept(schema().view(), wanted).await;
    kept.unwrap_err()
}

/// A table with two versions, the second of which replaced the files of the first.
async fn with_two_versions() -> (Shop, TableVersion) {
    let shop = Shop::new();
    shop.replace(window(0, 100), &[row("ann", 10, 1)], None)
        .await
        .unwrap();
    let first = newest(&shop).await;
    shop.replace(window(0, 100), &[row("ann", 10, 2)], None)
        .await
        .unwrap();
    (shop, first)
}

#[tokio::test]
async fn a_version_is_kept_while_its_log_and_its_files_are_there() {
    let shop = Shop::new();
    assert_eq!(shop.store.newest(schema().view()).await.unwrap(), None);
    let (shop, first) = with_two_versions().await;
    let second = newest(&shop).await;
    assert_eq!((first.version, second.version), (0, 1));
    assert_eq!(first.id, second.id);
    for version in [&first, &second] {
        let kept = shop.store.ensure_kept(schema().view(), version).await;
        kept.unwrap();
    }
    let later = TableVersion {
        version: 7,
        ..second
    };
    let error = refused(&shop, &later).await;
    assert!(matches!(error, Error::NoSuchVersion { newest: 1, .. }));
}

#[tokio::test]
async fn a_version_whose_files_a_vacuum_removed_is_gone() {
    let (shop, first) = with_two_versions().await;
    let table = Table::open(&shop.store, "activity", Some(0)).await;
    let files = table.unwrap().unwrap().files().unwrap();
    let folder = shop.folder.path().join("shop/activity");
    std::fs::remove_file(folder.join(&files[0].path)).unwrap();
    let error = refused(&shop, &first).await;
    assert!(error.to_string().contains("a vacuum removed its files"));
    assert_eq!(error.code(), Code::NotFound);
}

#[tokio::test]
async fn a_version_whose_log_was_cleaned_up_is_gone() {
    let (shop, first) = with_two_versions().await;
    let log = shop.folder.path().join("shop/activity/_delta_log");
    // Versions up to 25, with a checkpoint at 20, behind which the log goes.
    for clicks in 3..=26 {
        shop.replace(window(0, 100), &[row("ann", 10, clicks)], None)
            .await
            .unwrap();
    }
    for version in 0..20 {
        std::fs::remove_file(log.join(format!("{version:020}.json"))).unwrap();
    }
    let error = refused(&shop, &first).await;
    assert!(
        error.to_string().contains("its log was cleaned up"),
        "{error}"
    );
}

#[tokio::test]
async fn a_table_that_was_dropped_and_made_again_is_another() {
    let (shop, first) = with_two_versions().await;
    shop.store.drop_table(schema().view()).await.unwrap();
    shop.replace(window(0, 100), &[row("ann", 10, 1)], None)
        .await
        .unwrap();
    assert_eq!(newest(&shop).await.version, first.version);
    let error = refused(&shop, &first).await;
    assert!(matches!(error, Error::Remade { version: 0, .. }), "{error}");
}
