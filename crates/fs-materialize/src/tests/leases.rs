//! One run of a view at a time.

use std::sync::Arc;
use std::time::Duration;

use fs_core::{Clock, Code, Coded, Fence};
use fs_offline::{Replacement, RunStatus, TableSchema};
use fs_registry::{LeaseOptions, Leases, Stopped};

use crate::fixture::{END, Shop, Told, at, click, range, raw_stream};
use crate::{Asked, Error, Options, Phase, Silent};

#[tokio::test]
async fn two_runs_of_one_view_at_once_are_one_after_the_other() {
    let shop = Shop::of_days(20);
    let (one, other) = tokio::join!(
        shop.materialize_telling(Arc::new(Silent)),
        shop.materialize_telling(Arc::new(Silent)),
    );
    let fences = [one, other].map(|run| run.unwrap().record.fence.unwrap().number());
    assert!(fences == [1, 2] || fences == [2, 1], "{fences:?}");
    assert_eq!(shop.facts().await.len(), 120);
    let runs = shop.offline.list_runs(None, 10).await.unwrap();
    assert!(runs.iter().all(|run| run.status == RunStatus::Ok));
    assert_eq!(runs.len(), 2);
}

#[tokio::test]
async fn a_run_that_waits_says_for_whom_and_gives_up_in_time() {
    let mut shop = Shop::of_days(20);
    shop.materializer = shop.materializer.with_options(Options {
        wait: Duration::from_millis(50),
        ..Options::default()
    });
    let lease = shop.lease().await;
    let told = Told::new();
    let error = shop.materialize_telling(told.clone()).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    let report = fs_core::code::report(&error);
    assert!(report.contains("is being materialized by"), "{report}");
    assert!(
        told.notes()[0].starts_with("waiting for "),
        "{:?}",
        told.notes()
    );
    // It never began: neither the table nor the record of runs knows of it.
    assert_eq!(shop.windows().await, 0);
    assert_eq!(shop.offline.list_runs(None, 10).await.unwrap(), []);
    lease.release().await.unwrap();
    shop.materialize_telling(Arc::new(Silent)).await.unwrap();
}

#[tokio::test]
async fn a_run_that_is_cancelled_keeps_its_chunks_and_is_recorded_as_such() {
    let shop = Shop::of_days(20);
    let lease = Arc::new(shop.lease().await);
    let told = {
        let lease = Arc::clone(&lease);
        Told::at(Phase::Ingest, move |_| lease.ask_to_stop())
    };
    let error = shop.run_leased(&lease, told).await.unwrap_err();
    let cancelled = Stopped::Cancelled;
    assert!(matches!(error, Error::Stopped { why, .. } if why == cancelled));
    let recorded = shop.offline.list_runs(None, 1).await.unwrap().remove(0);
    assert_eq!(recorded.status, RunStatus::Cancelled);
    assert_eq!((shop.windows().await, shop.facts().await.len()), (0, 0));
    assert!(shop.files().is_empty(), "{:?}", shop.files());
}

/// A holder that dies without a word: its process is another one, and it stops renewing.
async fn dead_holder(shop: &Shop, asked: &Asked) -> Fence {
    let clock = Arc::clone(&shop.clock) as Arc<dyn Clock>;
    let short = LeaseOptions::with_ttl(Duration::from_millis(100));
    let other = shop.leases.as_process("other:1", clock).with_options(short);
    let view = "activity".parse().unwrap();
    let lease = other.try_acquire(&view, &asked.to_string()).await.unwrap();
    let lease = lease.unwrap();
    let fence = lease.fence();
    lease.abandon();
    fence
}

#[tokio::test]
async fn whoever_takes_over_records_the_lost_run_and_the_fenced_one_cannot_commit_late() {
    let shop = Shop::of_days(20);
    let asked = Asked::range(range(100, 300)).attempt(3);
    let fence = dead_holder(&shop, &asked).await;
    let run = shop.materialize_telling(Arc::new(Silent)).await.unwrap();
    let runs = shop.offline.list_runs(None, 10).await.unwrap();
    let lost = runs
        .iter()
        .find(|run| run.status == RunStatus::Lost)
        .unwrap();
    assert_eq!((lost.fence, lost.attempt), (Some(fence), 3));
    assert_eq!((lost.range_start, lost.range_end), (Some(at(100)), at(300)));
    assert!(
        lost.message
            .as_ref()
            .unwrap()
            .starts_with("other:1 did not come to its end")
    );
    assert!(run.record.fence > Some(fence));

    let before = shop.facts().await;
    let schema = TableSchema::of(&shop.catalog, &shop.catalog.feature_views["activity"]);
    let rows = raw_stream(&[click(1, 150, 666)]);
    let late = Replacement {
        fence: Some(fence),
        ..Replacement::of(range(0, END), rows)
    };
    let refused = shop
        .offline
        .replace_window(&schema, late)
        .await
        .unwrap_err();
    assert!(
        matches!(refused, fs_offline::Error::Fenced { .. }),
        "{refused}"
    );
    assert_eq!(shop.facts().await, before);
}

#[tokio::test]
async fn a_run_that_was_done_and_recorded_before_it_died_is_not_called_lost() {
    let shop = Shop::of_days(20);
    let lease = shop.lease().await;
    let told = Arc::new(Silent);
    shop.run_leased(&lease, told.clone()).await.unwrap();
    // Dropped, not released.
    drop(lease);
    shop.materialize_telling(told).await.unwrap();
    let runs = shop.offline.list_runs(None, 10).await.unwrap();
    assert!(
        runs.iter().all(|run| run.status == RunStatus::Ok),
        "{runs:?}"
    );
}

#[tokio::test]
async fn a_registry_that_was_made_anew_under_old_tables_gets_ahead_of_their_fences() {
    let mut shop = Shop::of_days(20);
    for _ in 0..3 {
        shop.materialize_telling(Arc::new(Silent)).await.unwrap();
    }
    let clock = Arc::clone(&shop.clock) as Arc<dyn Clock>;
    shop.leases = Leases::in_memory(clock);
    shop.materializer.leases = shop.leases.clone();
    let run = shop.materialize_telling(Arc::new(Silent)).await.unwrap();
    assert_eq!(run.record.fence, Some(Fence::new(4)));
    assert_eq!(shop.stored().await, shop.expected().await);
}
