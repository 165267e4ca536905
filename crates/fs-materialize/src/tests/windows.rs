//! Windowed views: what is online answers, at any instant, as the events say.

mod changed;
mod parity;
mod pushes;

use crate::PushTo;
use crate::RowOutcome::{Appended, Stored};
use crate::fixture::{Fact, Shop, at, click};

#[tokio::test]
async fn windows_of_published_events_slide_while_nothing_is_published() {
    let shop = Shop::windowed();
    shop.source(&[click(1, 91, 60), click(1, 99, 5), click(2, 50, 7)]);
    shop.incremental(100).await.unwrap();
    assert_eq!(
        shop.answers().await[&1],
        [2, 2, 2, 65, 65, 65, 5, 1].map(|value| Some(Some(value)))
    );
    let events = shop.events().await;
    for now in [100, 101, 109, 110, 111, 150, 151, 160, 161, 4_000, 90_000] {
        shop.clock.set(at(now));
        assert_eq!(shop.must_be_exact(&events).await, 0, "at {now}");
    }
}

#[tokio::test]
async fn pushed_events_count_at_once_and_once() {
    let shop = Shop::windowed();
    shop.source(&[click(1, 91, 60)]);
    shop.incremental(100).await.unwrap();
    let rows = [click(1, 99, 1), click(1, 99, 1), click(2, 100, 2)];
    let report = shop.push(&rows, PushTo::Both, Some("a")).await.unwrap();
    assert_eq!(report.outcomes, [Stored, Stored, Stored]);
    assert_eq!(shop.must_be_exact(&shop.events().await).await, 0);
    assert_eq!(shop.answers().await[&1][0], Some(Some(3)));
    // Sent again, with its key: nothing is counted twice.
    let report = shop.push(&rows, PushTo::Both, Some("a")).await.unwrap();
    assert!(report.repeated);
    assert_eq!(shop.must_be_exact(&shop.events().await).await, 0);
    // And after they were published, also not.
    shop.incremental(101).await.unwrap();
    shop.push(&rows, PushTo::Both, Some("a")).await.unwrap();
    assert_eq!(shop.must_be_exact(&shop.events().await).await, 0);
}

#[tokio::test]
async fn events_pushed_offline_count_from_the_next_run_on() {
    let shop = Shop::windowed();
    shop.source(&[click(1, 91, 60)]);
    shop.incremental(100).await.unwrap();
    let report = shop.push(&[click(1, 95, 7)], PushTo::Offline, None).await;
    assert_eq!(report.unwrap().outcomes, [Appended]);
    assert_eq!(shop.answers().await[&1][0], Some(Some(1)));
    shop.incremental(101).await.unwrap();
    assert_eq!(shop.answers().await[&1][1], Some(Some(2)));
    assert_eq!(shop.must_be_exact(&shop.events().await).await, 0);
}

#[tokio::test]
async fn an_event_pushed_online_only_counts_until_the_source_decides() {
    let shop = Shop::windowed();
    shop.source(&[click(1, 91, 60)]);
    shop.incremental(100).await.unwrap();
    let pushed = click(1, 100, 7);
    let report = shop.push(&[pushed], PushTo::Online, None).await.unwrap();
    assert_eq!(report.outcomes, [Stored]);
    let mut events = shop.events().await;
    events.push(Fact::pushed(pushed, 100_000_000));
    assert_eq!(shop.must_be_exact(&events).await, 0);
    assert_eq!(shop.answers().await[&1][0], Some(Some(2)));
    // The table comes past it, and knows nothing of it.
    shop.incremental(101).await.unwrap();
    assert_eq!(shop.answers().await[&1][1], Some(Some(1)));
    assert_eq!(shop.must_be_exact(&shop.events().await).await, 0);
}

#[tokio::test]
async fn an_event_of_the_future_counts_when_its_time_has_come() {
    let shop = Shop::with(
        |view| crate::fixture::windowed(view.delay("5s")),
        |source| source,
    );
    shop.source(&[click(1, 91, 60)]);
    shop.incremental(100).await.unwrap();
    let rows = [click(1, 103, 7)];
    let both = shop.push(&rows, PushTo::Both, None).await.unwrap();
    assert_eq!(both.outcomes, [Stored]);
    let events = shop.events().await;
    for now in [100, 107, 108, 117, 118, 119] {
        shop.clock.set(at(now));
        assert_eq!(shop.must_be_exact(&events).await, 0, "at {now}");
    }
    let online = shop.push(&[click(1, 130, 8)], PushTo::Online, None).await;
    assert_eq!(online.unwrap().outcomes, [Stored]);
    let before = shop.answers().await[&1][2];
    shop.clock.set(at(135));
    let after = shop.answers().await[&1][2];
    assert_eq!((before, after), (Some(Some(2)), Some(Some(3))));
}

#[tokio::test]
async fn what_goes_from_the_table_goes_from_the_windows_and_its_state_a_day_later() {
    let shop = Shop::windowed();
    shop.source(&[click(1, 91, 60), click(2, 92, 7)]);
    shop.incremental(100).await.unwrap();
    shop.source(&[click(2, 92, 7)]);
    shop.materialize(0, 100).await.unwrap();
    assert_eq!(shop.must_be_exact(&shop.events().await).await, 0);
    let empty = [Some(Some(0)), Some(Some(0)), Some(Some(0)), Some(None)];
    assert_eq!(shop.answers().await[&1][..4], empty);
    // It stays for a day from when the mark was set that comes after it.
    let mut deleted = Vec::new();
    for day in 1..=4 {
        let run = shop.incremental(100 + day * 86_400).await.unwrap();
        deleted.push(run.record.deleted);
        assert_eq!(shop.must_be_exact(&shop.events().await).await, 0);
    }
    assert_eq!(deleted.iter().sum::<u64>(), 1, "{deleted:?}");
    let left: Vec<i64> = shop.answers().await.into_keys().collect();
    assert_eq!(left, [2]);
}
