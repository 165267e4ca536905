//! Runs that fail, and runs after them.

use std::sync::Arc;

use fs_core::{Code, Coded};
use fs_offline::RunStatus;
use fs_testkit::catalog;

use crate::fixture::{Served, Shop, click, range};
use crate::{Error, Silent, Views};

#[tokio::test]
async fn a_source_that_cannot_be_read_changes_nothing_and_is_recorded() {
    let shop = Shop::new();
    shop.source(&[click(1, 10, 1)]);
    shop.materialize(0, 100).await.unwrap();
    let before = (
        shop.table().await,
        shop.stored().await,
        shop.watermark().await,
    );
    shop.break_source();
    let error = shop.materialize(0, 200).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    let after = (
        shop.table().await,
        shop.stored().await,
        shop.watermark().await,
    );
    assert_eq!(after, before);
    let newest = shop.offline.list_runs(None, 1).await.unwrap().remove(0);
    assert_eq!(newest.status, RunStatus::Failed);
    let message = newest.message.unwrap();
    assert!(message.contains("clicks.parquet"), "{message}");
}

#[tokio::test]
async fn a_row_without_a_key_fails_the_run_and_changes_nothing() {
    let shop = Shop::with(
        |view| view.query("SELECT nullif(user, 2) AS user, event, created, clicks FROM clicks"),
        |source| source,
    );
    shop.source(&[click(1, 10, 1)]);
    shop.materialize(0, 100).await.unwrap();
    let before = shop.table().await;
    shop.source(&[click(1, 10, 7), click(2, 20, 2)]);
    let error = shop.materialize(0, 100).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    let report = fs_core::code::report(&error);
    assert!(report.contains("user"), "{report}");
    assert_eq!(shop.table().await, before);
    assert_eq!(shop.served().await, Served::from([(1, (10, Some(1)))]));
}

#[tokio::test]
async fn an_online_store_that_is_down_fails_the_run_and_the_next_one_catches_up() {
    let shop = Shop::new();
    shop.source(&[click(1, 10, 1)]);
    shop.online.fail_after(0);
    let error = shop.materialize(0, 100).await.unwrap_err();
    assert_eq!(error.code(), Code::DeadlineExceeded);
    assert!(fs_core::code::report(&error).contains("the offline store has its rows"));
    shop.online.recover();
    let run = shop.incremental(1_000).await.unwrap();
    assert_eq!(run.record.published, 1);
    assert_eq!(shop.served().await, Served::from([(1, (10, Some(1)))]));
}

#[tokio::test]
async fn a_run_with_nothing_to_read_still_publishes_what_is_unpublished() {
    let shop = Shop::new();
    shop.source(&[click(1, 10, 1)]);
    shop.online.fail_after(0);
    shop.incremental(1_000).await.unwrap_err();
    shop.online.recover();
    let run = shop.incremental(1_000).await.unwrap();
    assert_eq!((run.record.rows_read, run.record.published), (0, 1));
    assert_eq!(run.record.message.as_deref(), Some("nothing new to read"));
}

#[tokio::test]
async fn a_view_that_fails_does_not_keep_the_others_from_running() {
    let mut shop = Shop::new();
    let broken = catalog::source("broken")
        .parquet("broken.parquet")
        .timestamp("event");
    let broken = broken.build();
    shop.catalog.sources.insert(broken.name.clone(), broken);
    let view = catalog::view("a_broken_one")
        .entity("user")
        .source("broken");
    let view = view.feature("clicks", "int64").build();
    shop.catalog.feature_views.insert(view.name.clone(), view);
    shop.source(&[click(1, 10, 1)]);
    let error = shop
        .materializer
        .materialize(&shop.catalog, &Views::All, &range(0, 100), Arc::new(Silent))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("1 of 2 views failed: `a_broken_one`"),
        "{error}"
    );
    let Error::Failed { runs, .. } = error else {
        panic!("another error")
    };
    let statuses: Vec<RunStatus> = runs.iter().map(|run| run.record.status).collect();
    assert_eq!(statuses, [RunStatus::Failed, RunStatus::Ok]);
    assert_eq!(shop.served().await, Served::from([(1, (10, Some(1)))]));
    assert_eq!(shop.offline.list_runs(None, 10).await.unwrap().len(), 2);
}
