//! Sources that are Delta tables, followed by their versions.

use fs_core::Location;
use fs_offline::{OfflineStore, Replacement, TableSchema};

use crate::fixture::{Click, Served, Shop, at, click, range, raw_stream};

/// A shop whose source is a Delta table.
struct Downstream {
    shop: Shop,
    source: OfflineStore,
}

impl Downstream {
    fn new() -> Self {
        let shop = Shop::with(
            |view| view,
            |source| {
                source
                    .delta("upstream/shop/activity")
                    .timestamp("event_timestamp")
            },
        );
        let root = Location::folder(&shop.base_dir().join("upstream")).unwrap();
        let source = OfflineStore::new(&root, &shop.catalog.project);
        Self { shop, source }
    }

    /// Replaces a stretch of the source.
    async fn write(&self, start: i64, end: i64, rows: &[Click]) {
        let schema = TableSchema::of(
            &self.shop.catalog,
            &self.shop.catalog.feature_views["activity"],
        );
        let replacement = Replacement::of(range(start, end), raw_stream(rows));
        let written = self.source.replace_window(&schema, replacement).await;
        written.unwrap();
    }

    async fn source_version(&self) -> Option<i64> {
        let state = self.shop.offline.state(&"activity".parse().unwrap()).await;
        state.unwrap().and_then(|state| state.source_version)
    }
}

#[tokio::test]
async fn a_late_row_of_a_delta_source_is_found_by_its_version() {
    let of = Downstream::new();
    of.write(0, 100, &[click(1, 10, 1), click(2, 60, 2)]).await;
    let first = of.shop.incremental(100).await.unwrap();
    assert_eq!(
        (first.record.rows_read, of.source_version().await),
        (2, Some(0))
    );
    // Nothing has changed: only what is new by event time is read.
    let second = of.shop.incremental(200).await.unwrap();
    assert_eq!(second.record.range_start, Some(at(100)));
    // A row of an instant long past arrives, and one of then goes.
    of.write(50, 100, &[click(3, 55, 3)]).await;
    of.write(200, 300, &[click(1, 250, 4)]).await;
    let third = of.shop.incremental(300).await.unwrap();
    assert!(third.record.range_start.unwrap() <= at(50));
    assert_eq!(of.source_version().await, Some(2));
    let served = Served::from([(1, (250, Some(4))), (3, (55, Some(3)))]);
    assert_eq!(of.shop.served().await, served);
    assert_eq!(of.shop.facts().await.len(), 3);
}

#[tokio::test]
async fn a_ranged_run_notes_the_version_only_where_all_that_changed_is_read() {
    let of = Downstream::new();
    of.write(0, 100, &[click(1, 10, 1), click(2, 60, 2)]).await;
    of.shop.materialize(0, 100).await.unwrap();
    assert_eq!(of.source_version().await, Some(0));
    of.write(0, 100, &[click(1, 10, 7), click(2, 60, 8)]).await;
    of.shop.materialize(50, 150).await.unwrap();
    // The row at 10 has changed as well, and was not read.
    assert_eq!(of.source_version().await, Some(0));
    of.shop.incremental(200).await.unwrap();
    assert_eq!(of.source_version().await, Some(1));
    let served = Served::from([(1, (10, Some(7))), (2, (60, Some(8)))]);
    assert_eq!(of.shop.served().await, served);
}

#[tokio::test]
async fn a_table_that_does_not_know_which_version_was_read_is_read_from_the_beginning() {
    let of = Downstream::new();
    of.write(0, 100, &[click(1, 10, 1)]).await;
    let schema = TableSchema::of(&of.shop.catalog, &of.shop.catalog.feature_views["activity"]);
    let before = Replacement {
        watermark: Some(at(100)),
        ..Replacement::of(range(0, 100), raw_stream(&[]))
    };
    of.shop
        .offline
        .replace_window(&schema, before)
        .await
        .unwrap();
    let run = of.shop.incremental(200).await.unwrap();
    assert_eq!((run.record.range_start, run.record.rows_read), (None, 1));
    assert_eq!(of.source_version().await, Some(0));
}
