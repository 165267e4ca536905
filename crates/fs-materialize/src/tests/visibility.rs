//! Rows that may not be seen yet.

use fs_core::PointInTime;

use crate::fixture::{Served, Shop, at, click};

#[tokio::test]
async fn a_delayed_row_is_published_when_its_time_has_come() {
    let shop = Shop::with(|view| view.delay("30s"), |source| source);
    shop.source(&[click(1, 10, 1), click(1, 80, 2), click(2, 90, 3)]);
    shop.incremental(100).await.unwrap();
    assert_eq!(shop.served().await, Served::from([(1, (10, Some(1)))]));
    shop.incremental(109).await.unwrap();
    assert_eq!(shop.served().await, Served::from([(1, (10, Some(1)))]));
    shop.incremental(110).await.unwrap();
    assert_eq!(shop.served().await, Served::from([(1, (80, Some(2)))]));
    shop.incremental(120).await.unwrap();
    assert_eq!(
        shop.served().await,
        Served::from([(1, (80, Some(2))), (2, (90, Some(3)))])
    );
}

#[tokio::test]
async fn a_row_that_is_not_known_yet_is_published_once_it_is() {
    let shop = Shop::with(fs_testkit::catalog::ViewBuilder::known_at, |source| source);
    shop.source(&[
        click(1, 10, 1),
        click(1, 20, 2).known(150),
        click(2, 30, 3).known(40),
    ]);
    shop.incremental(100).await.unwrap();
    assert_eq!(
        shop.served().await,
        Served::from([(1, (10, Some(1))), (2, (30, Some(3)))])
    );
    shop.incremental(149).await.unwrap();
    assert_eq!(shop.served().await[&1], (10, Some(1)));
    shop.incremental(150).await.unwrap();
    assert_eq!(shop.served().await[&1], (20, Some(2)));
}

#[tokio::test]
async fn a_row_becomes_known_also_when_no_run_reads_it_again() {
    let shop = Shop::with(fs_testkit::catalog::ViewBuilder::known_at, |source| source);
    shop.source(&[click(1, 10, 1), click(1, 20, 2).known(1_500)]);
    shop.materialize(0, 100).await.unwrap();
    assert_eq!(shop.served().await[&1], (10, Some(1)));
    for (now, visible) in [(1_499, (10, Some(1))), (1_500, (20, Some(2)))] {
        shop.clock.set(at(now));
        shop.materialize(90, 100).await.unwrap();
        assert_eq!(shop.served().await[&1], visible);
    }
}

#[tokio::test]
async fn a_row_from_the_future_is_not_published() {
    let shop = Shop::new();
    shop.source(&[click(1, 10, 1), click(1, 5_000, 2)]);
    shop.materialize(0, 10_000).await.unwrap();
    assert_eq!(shop.facts().await.len(), 2);
    assert_eq!(shop.served().await, Served::from([(1, (10, Some(1)))]));
    shop.incremental(5_000).await.unwrap();
    assert_eq!(shop.served().await, Served::from([(1, (5_000, Some(2)))]));
}

#[tokio::test]
async fn a_null_in_the_newest_row_is_published_as_a_null() {
    let shop = Shop::new();
    let mut newest = click(1, 20, 0);
    newest.clicks = None;
    shop.source(&[click(1, 10, 1), newest]);
    shop.materialize(0, 100).await.unwrap();
    assert_eq!(shop.served().await, Served::from([(1, (20, None))]));
}

#[tokio::test]
async fn of_rows_that_tie_the_later_created_and_then_the_later_row_wins() {
    let shop = Shop::new();
    shop.source(&[
        click(1, 10, 1).known(12),
        click(1, 10, 2).known(11),
        click(1, 10, 3),
        click(2, 10, 4),
        click(2, 10, 5),
    ]);
    shop.materialize(0, 100).await.unwrap();
    assert_eq!(
        shop.served().await,
        Served::from([(1, (10, Some(1))), (2, (10, Some(5)))])
    );
}

#[tokio::test]
async fn a_delay_that_is_added_takes_back_rows_that_are_not_visible_yet_and_one_removed_returns_them()
 {
    for mut shop in [Shop::new(), Shop::new().cramped()] {
        let all = [
            click(1, 10, 1),
            click(1, 80, 2),
            click(2, 90, 3),
            click(3, 60, 4),
        ];
        shop.source(&all);
        shop.incremental(100).await.unwrap();
        let undelayed = Served::from([(1, (80, Some(2))), (2, (90, Some(3))), (3, (60, Some(4)))]);
        assert_eq!(shop.served().await, undelayed);

        shop.redefine(|view| view.delay = "30s".parse().unwrap());
        shop.incremental(100).await.unwrap();
        let delayed = Served::from([(1, (10, Some(1))), (3, (60, Some(4)))]);
        assert_eq!(shop.served().await, delayed);
        assert_eq!(shop.served().await, shop.joined().await);

        shop.redefine(|view| view.delay = fs_core::Span::ZERO);
        shop.incremental(100).await.unwrap();
        assert_eq!(shop.served().await, undelayed);
    }
}

#[tokio::test]
async fn a_view_that_asks_for_what_was_known_takes_back_rows_that_were_not() {
    let mut shop = Shop::new();
    shop.source(&[
        click(1, 10, 1),
        click(1, 20, 2).known(150),
        click(2, 30, 3).known(150),
    ]);
    shop.incremental(100).await.unwrap();
    let happened = Served::from([(1, (20, Some(2))), (2, (30, Some(3)))]);
    assert_eq!(shop.served().await, happened);
    shop.redefine(|view| view.point_in_time = PointInTime::KnownAt);
    shop.incremental(100).await.unwrap();
    assert_eq!(shop.served().await, Served::from([(1, (10, Some(1)))]));
    shop.redefine(|view| view.point_in_time = PointInTime::EventTime);
    shop.incremental(100).await.unwrap();
    assert_eq!(shop.served().await, happened);
}
