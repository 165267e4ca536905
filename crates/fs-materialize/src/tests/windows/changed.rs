//! Definitions that change, runs that have nothing to do, and coverage that ends.

use fs_core::{Aggregation, Function, PointInTime, Window};
use fs_online::OnlineStore;

use crate::PushTo;
use crate::RowOutcome::Stored;
use crate::fixture::{Shop, at, click, named, windowed};

fn window(text: &str) -> Window {
    text.parse().unwrap()
}

impl Shop {
    /// Adds an aggregation to the view.
    fn add_aggregation(&mut self, aggregation: Aggregation) {
        self.redefine(|view| {
            let windows = view.windows.as_mut().unwrap();
            windows.aggregations.push(aggregation);
            view.schema = windows.schema().unwrap();
        });
    }
}

#[tokio::test]
async fn a_window_that_is_added_answers_after_the_next_run_without_a_backfill() {
    let mut shop = Shop::windowed();
    let rows: Vec<_> = (0..100).map(|n| click(1, n, n)).collect();
    shop.source(&rows);
    shop.incremental(100).await.unwrap();
    let sum = Aggregation::new(
        Some("clicks".parse().unwrap()),
        Function::Sum,
        &[window("5s")],
    );
    shop.add_aggregation(sum.unwrap());
    let filtered = Aggregation {
        filter: Some("clicks > 50".to_owned()),
        ..Aggregation::new(None, Function::Count, &[window("15s")]).unwrap()
    };
    shop.add_aggregation(named(filtered, "many_15s"));
    // What was kept for the windows of before answers as far as it can.
    shop.must_be_exact(&shop.events().await).await;
    let pushed = shop.push(&[click(1, 100, 70)], PushTo::Both, None).await;
    assert_eq!(pushed.unwrap().outcomes, [Stored]);
    shop.must_be_exact(&shop.events().await).await;
    shop.incremental(100).await.unwrap();
    assert_eq!(shop.must_be_exact(&shop.events().await).await, 0);
    let answers = shop.answers().await;
    assert_eq!(answers[&1].last(), Some(&Some(Some(15))));
}

#[tokio::test]
async fn a_view_that_asks_for_another_time_is_published_anew() {
    let mut shop = Shop::windowed();
    shop.source(&[click(1, 91, 60), click(1, 95, 5).known(150)]);
    shop.incremental(100).await.unwrap();
    assert_eq!(shop.answers().await[&1][0], Some(Some(2)));
    shop.redefine(|view| view.point_in_time = PointInTime::KnownAt);
    // Under another rule nothing that was kept is known to be right.
    assert_eq!(shop.answers().await[&1][0], None);
    shop.incremental(100).await.unwrap();
    assert_eq!(shop.answers().await[&1][0], Some(Some(1)));
    for now in [149, 150, 151, 155] {
        shop.clock.set(at(now));
        assert_eq!(shop.must_be_exact(&shop.events().await).await, 0);
    }
}

#[tokio::test]
async fn a_view_gets_windows_and_loses_them_again() {
    let mut shop = Shop::new();
    let plain = shop.catalog.feature_views["activity"].clone();
    shop.source(&[click(1, 91, 60), click(2, 50, 7)]);
    shop.incremental(100).await.unwrap();
    let with_windows = Shop::windowed().catalog.feature_views["activity"].clone();
    shop.redefine(|view| *view = with_windows);
    // One key goes, so that a plain row is left that has no events.
    shop.source(&[click(1, 91, 60), click(1, 99, 3)]);
    shop.materialize(0, 101).await.unwrap();
    assert_eq!(shop.must_be_exact(&shop.events().await).await, 0);
    assert_eq!(shop.answers().await.len(), 1);
    shop.push(&[click(3, 99, 3)], PushTo::Both, None)
        .await
        .unwrap();
    shop.source(&[click(2, 50, 9)]);
    shop.redefine(|view| *view = plain);
    shop.materialize(0, 101).await.unwrap();
    assert_eq!(shop.stored().await, shop.expected().await);
    assert_eq!(shop.served().await, shop.joined().await);
}

#[tokio::test]
async fn a_run_with_nothing_to_do_reads_and_writes_no_state() {
    let shop = Shop::windowed();
    shop.source(&[click(1, 91, 60), click(2, 50, 7)]);
    let first = shop.incremental(100).await.unwrap();
    assert_eq!(first.record.published, 2);
    shop.clock.set(at(200));
    let published = shop.online.published(&shop.id()).await.unwrap().unwrap();
    // Nothing that is stored could be read.
    shop.online.hide_rows(true);
    let run = shop.materialize(10_000, 10_001).await.unwrap();
    shop.online.hide_rows(false);
    assert_eq!(run.record.published, 0);
    let after = shop.online.published(&shop.id()).await.unwrap().unwrap();
    assert_eq!(after.as_of, at(200));
    assert!(after.table_version > published.table_version);
    assert_eq!(shop.must_be_exact(&shop.events().await).await, 0);
}

#[tokio::test]
async fn states_whose_events_are_the_same_stay_while_they_answer_long_enough() {
    let shop = Shop::windowed();
    shop.source(&[click(1, 91, 60), click(2, 50, 7)]);
    shop.incremental(100).await.unwrap();
    shop.source(&[click(1, 91, 60), click(2, 50, 7), click(2, 120, 8)]);
    let run = shop.incremental(200).await.unwrap();
    assert_eq!(run.record.published, 1);
    assert_eq!(shop.must_be_exact(&shop.events().await).await, 0);
}

#[tokio::test]
async fn a_key_with_many_events_answers_until_the_horizon_and_says_so_when_it_does_not() {
    let shop = Shop::with(
        |view| {
            let view = windowed(view).schedule("*/5 * * * *");
            view.aggregate("clicks", Function::Sum, &["2h"])
        },
        |source| source,
    );
    let rows: Vec<_> = (0..500).map(|n| click(1, n * 20, n % 90)).collect();
    shop.source(&rows);
    shop.incremental(10_000).await.unwrap();
    let events = shop.events().await;
    for now in [9_990, 10_000, 10_001, 11_000, 13_600] {
        shop.clock.set(at(now));
        assert_eq!(shop.must_be_exact(&events).await, 0, "at {now}");
    }
    // Before, and after: what all events give, or nothing at all.
    for now in [8_000, 14_000, 16_600] {
        shop.clock.set(at(now));
        assert!(shop.must_be_exact(&events).await > 0, "at {now}");
    }
    // The next run, whose events are the same, has to write it anew.
    let run = shop.incremental(13_000).await.unwrap();
    assert_eq!(run.record.published, 1);
    shop.clock.set(at(16_600));
    assert_eq!(shop.must_be_exact(&events).await, 0);
}
