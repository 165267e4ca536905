//! Windows, watermarks, records.

use std::sync::Arc;

use fs_core::{Code, Coded};
use fs_offline::{RunKind, RunStatus};

use crate::fixture::{Served, Shop, at, click, range};
use crate::{Error, Silent, Views};

#[tokio::test]
async fn rows_reach_both_stores() {
    let shop = Shop::new();
    shop.source(&[
        click(1, 10, 1),
        click(1, 20, 2),
        click(2, 15, 3),
        click(3, 100, 4),
    ]);
    let run = shop.materialize(0, 100).await.unwrap();
    assert_eq!((run.record.rows_read, run.record.rows_written), (3, 3));
    assert_eq!((run.record.published, run.record.deleted), (2, 0));
    assert_eq!(
        shop.facts().await,
        [(1, 10, Some(1)), (1, 20, Some(2)), (2, 15, Some(3))]
    );
    let served = Served::from([(1, (20, Some(2))), (2, (15, Some(3)))]);
    assert_eq!(shop.served().await, served);
    assert_eq!(shop.watermark().await, Some(at(100)));
}

#[tokio::test]
async fn running_a_window_twice_is_running_it_once() {
    let shop = Shop::new();
    shop.source(&[click(1, 10, 1), click(2, 15, 3)]);
    shop.materialize(0, 100).await.unwrap();
    let (facts, served) = (shop.facts().await, shop.served().await);
    shop.materialize(0, 100).await.unwrap();
    assert_eq!((shop.facts().await, shop.served().await), (facts, served));
    assert_eq!(shop.stored().await, shop.expected().await);
}

#[tokio::test]
async fn the_halves_of_a_window_are_the_whole_of_it() {
    let rows: Vec<_> = (0..40).map(|n| click(n % 7, n, n)).collect();
    let (whole, halves) = (Shop::new(), Shop::new());
    whole.source(&rows);
    halves.source(&rows);
    whole.materialize(0, 40).await.unwrap();
    halves.materialize(0, 17).await.unwrap();
    halves.materialize(17, 40).await.unwrap();
    assert_eq!(halves.facts().await, whole.facts().await);
    assert_eq!(halves.served().await, whole.served().await);
    assert_eq!(halves.watermark().await, whole.watermark().await);
}

#[tokio::test]
async fn an_incremental_run_reads_what_is_new_since_the_watermark() {
    let shop = Shop::new();
    shop.source(&[click(1, 10, 1)]);
    let first = shop.incremental(100).await.unwrap();
    assert_eq!(
        (first.record.range_start, first.record.range_end),
        (None, at(100))
    );
    shop.source(&[
        click(1, 10, 1),
        click(1, 100, 2),
        click(2, 199, 3),
        click(3, 200, 4),
    ]);
    let second = shop.incremental(200).await.unwrap();
    assert_eq!(second.record.range_start, Some(at(100)));
    assert_eq!(
        (second.record.rows_read, second.record.kind),
        (2, RunKind::Incremental)
    );
    let served = Served::from([(1, (100, Some(2))), (2, (199, Some(3)))]);
    assert_eq!(shop.served().await, served);
}

#[tokio::test]
async fn a_late_row_with_a_created_time_reaches_both_stores_on_the_next_run() {
    let shop = Shop::new();
    shop.source(&[click(1, 10, 1).known(11)]);
    shop.incremental(100).await.unwrap();
    shop.source(&[
        click(1, 10, 1).known(11),
        click(1, 50, 2).known(120),
        click(2, 40, 3).known(130),
    ]);
    let run = shop.incremental(200).await.unwrap();
    assert_eq!(run.record.range_start, Some(at(40)));
    assert_eq!(shop.facts().await.len(), 3);
    let served = Served::from([(1, (50, Some(2))), (2, (40, Some(3)))]);
    assert_eq!(shop.served().await, served);
}

#[tokio::test]
async fn a_late_row_within_the_lateness_of_its_source_reaches_both_stores() {
    let shop = Shop::with(|view| view, |source| source.lateness("60s"));
    shop.source(&[click(1, 10, 1)]);
    shop.incremental(100).await.unwrap();
    shop.source(&[click(1, 10, 1), click(1, 40, 2)]);
    shop.incremental(200).await.unwrap();
    assert_eq!(shop.served().await, Served::from([(1, (40, Some(2)))]));
}

#[tokio::test]
async fn a_gap_keeps_the_watermark_and_the_next_incremental_run_fills_it() {
    let shop = Shop::new();
    shop.source(&[click(1, 10, 1), click(2, 150, 2), click(3, 250, 3)]);
    shop.materialize(0, 100).await.unwrap();
    let run = shop.materialize(200, 300).await.unwrap();
    assert_eq!(run.gap, Some(range(100, 200)));
    assert!(
        run.record
            .message
            .unwrap()
            .contains("has not been materialized")
    );
    assert_eq!(shop.watermark().await, Some(at(100)));
    assert_eq!(shop.facts().await.len(), 2);
    shop.incremental(1_000).await.unwrap();
    assert_eq!(shop.facts().await.len(), 3);
    assert_eq!(shop.watermark().await, Some(at(1_000)));
    assert_eq!(shop.served().await.len(), 3);
}

#[tokio::test]
async fn an_incremental_run_cannot_end_in_the_future() {
    let shop = Shop::new();
    let end = Some(at(2_000));
    let error = shop
        .materializer
        .materialize_incremental(&shop.catalog, &Views::All, end, Arc::new(Silent))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::EndInFuture { .. }));
    assert_eq!(error.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn an_unknown_view_is_refused_with_the_nearest_one() {
    let shop = Shop::new();
    let views = Views::Only(vec!["activty".parse().unwrap()]);
    let error = shop
        .materializer
        .materialize(&shop.catalog, &views, &range(0, 1), Arc::new(Silent))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("did you mean `activity`?"),
        "{error}"
    );
    assert_eq!(error.code(), Code::NotFound);
}

#[tokio::test]
async fn every_run_is_recorded_under_an_id_of_its_own() {
    let shop = Shop::new();
    shop.source(&[click(1, 10, 1)]);
    let first = shop.materialize(0, 100).await.unwrap().record;
    let second = shop.materialize(0, 100).await.unwrap().record;
    assert_eq!(first.id, "1000000000-activity-1");
    assert_eq!(second.id, "1000000000-activity-2");
    assert_eq!(shop.offline.show_run(&first.id).await.unwrap(), first);
    let listed = shop.offline.list_runs(None, 10).await.unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|run| run.status == RunStatus::Ok));
}

#[tokio::test]
async fn a_view_that_is_not_online_is_not_published() {
    let shop = Shop::with(fs_testkit::catalog::ViewBuilder::offline_only, |source| {
        source
    });
    shop.source(&[click(1, 10, 1)]);
    let run = shop.materialize(0, 100).await.unwrap();
    assert_eq!((run.record.rows_written, run.record.published), (1, 0));
    assert_eq!(shop.served().await, Served::new());
    assert_eq!(shop.republish().await, None);
}
