//! Long windows, in chunks that commit one by one.

use std::sync::Arc;

use crate::fixture::{END, FILES, Shop, Told, at, day, range};
use crate::{Asked, Error, Phase, Silent, Views};

#[tokio::test]
async fn a_long_window_is_committed_chunk_by_chunk_and_is_what_one_commit_makes() {
    let (chunked, whole) = (Shop::of_days(20), Shop::of_days(1_000_000));
    let told = Told::new();
    let run = chunked.materialize_telling(told.clone()).await.unwrap();
    assert_eq!(run.record.chunks, FILES.unsigned_abs());
    assert_eq!((run.record.rows_read, run.record.rows_written), (120, 120));
    assert_eq!(told.expected.lock().unwrap()[0], (Phase::Ingest, 120));
    let told = told.phases.lock().unwrap().clone();
    let mut ingested = told.iter().filter(|(phase, _)| *phase == Phase::Ingest);
    assert_eq!(ingested.next_back(), Some(&(Phase::Ingest, 120)));
    let run = whole.materialize_telling(Arc::new(Silent)).await.unwrap();
    assert_eq!(run.record.chunks, 1);
    assert_eq!(chunked.facts().await, whole.facts().await);
    assert_eq!(chunked.served().await, whole.served().await);
    assert_eq!(chunked.watermark().await, whole.watermark().await);
    assert_eq!(chunked.stored().await, chunked.expected().await);
}

/// Does what is asked until it reads its fourth file; how many chunks it had committed then.
async fn stopped_in_the_fourth(shop: &Shop, asked: Asked) -> i64 {
    let lease = Arc::new(shop.lease().await);
    let told = {
        let lease = Arc::clone(&lease);
        Told::at(Phase::Ingest, move |report| {
            if report == 3 {
                lease.ask_to_stop();
            }
        })
    };
    let error = shop.run_asked(&lease, &asked, told).await.unwrap_err();
    assert!(matches!(error, Error::Stopped { .. }), "{error}");
    Arc::into_inner(lease).unwrap().release().await.unwrap();
    shop.windows().await
}

fn all() -> Asked {
    Asked::range(range(0, END))
}

#[tokio::test]
async fn a_ranged_run_that_was_stopped_goes_on_at_the_chunk_that_it_was_in() {
    let shop = Shop::of_days(20);
    assert_eq!(stopped_in_the_fourth(&shop, all()).await, 3);
    let told = Told::new();
    let run = shop.materialize_telling(told.clone()).await.unwrap();
    assert_eq!((run.resumed, run.record.chunks), (Some(at(300)), 3));
    assert_eq!(run.record.rows_read, 60);
    assert!(
        told.notes()[0].contains("going on at"),
        "{:?}",
        told.notes()
    );
    let message = run.record.message.unwrap();
    assert!(
        message.contains("went on at 1970-01-01T00:05:00Z"),
        "{message}"
    );
    let undisturbed = Shop::of_days(1_000);
    undisturbed
        .materialize_telling(Arc::new(Silent))
        .await
        .unwrap();
    assert_eq!(shop.facts().await, undisturbed.facts().await);
    assert_eq!(shop.served().await, undisturbed.served().await);
}

#[tokio::test]
async fn a_run_that_came_to_its_end_starts_over_when_it_is_asked_for_again() {
    let shop = Shop::of_days(20);
    shop.materialize_telling(Arc::new(Silent)).await.unwrap();
    let again = shop.materialize_telling(Arc::new(Silent)).await.unwrap();
    assert_eq!((again.resumed, again.record.rows_read), (None, 120));
}

#[tokio::test]
async fn a_run_over_other_files_or_after_another_run_starts_over() {
    let shop = Shop::of_days(20);
    stopped_in_the_fourth(&shop, all()).await;
    let mut rows = day(1);
    rows[0].clicks = Some(-1);
    shop.write_day(1, &rows);
    let run = shop.materialize_telling(Arc::new(Silent)).await.unwrap();
    assert_eq!((run.resumed, run.record.rows_read), (None, 120));
    assert!(
        shop.facts()
            .await
            .iter()
            .any(|(_, _, clicks)| *clicks == Some(-1))
    );

    let shop = Shop::of_days(20);
    stopped_in_the_fourth(&shop, all()).await;
    let other = range(50, 70);
    let other = shop
        .materializer
        .materialize(&shop.catalog, &Views::All, &other, Arc::new(Silent));
    other.await.unwrap();
    let run = shop.materialize_telling(Arc::new(Silent)).await.unwrap();
    assert_eq!(run.resumed, None);
}

#[tokio::test]
async fn an_incremental_run_that_was_stopped_goes_on_at_its_watermark() {
    let shop = Shop::of_days(20);
    stopped_in_the_fourth(&shop, Asked::up_to(at(1_000))).await;
    assert_eq!(shop.watermark().await, Some(at(300)));
    let run = shop.incremental(1_000).await.unwrap();
    assert_eq!(
        (run.record.range_start, run.record.rows_read),
        (Some(at(300)), 60)
    );
    assert_eq!(shop.facts().await.len(), 120);
    assert_eq!(shop.watermark().await, Some(at(1_000)));
}
