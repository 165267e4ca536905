//! Pushes to windowed views: many at once, and those that are refused.

use std::sync::Arc;

use fs_core::{Aggregation, Clock, Coded, Function};
use fs_online::OnlineStore;
use futures::future::join_all;

use crate::fixture::{Click, Fact, Shop, click, named, raw_rows, windowed};
use crate::{Error, PushTo, Pusher};

/// A shop with a filter that divides.
fn dividing() -> Shop {
    let filtered = Aggregation {
        filter: Some("10 / clicks > 1".to_owned()),
        ..Aggregation::new(None, Function::Count, &["1m".parse().unwrap()]).unwrap()
    };
    Shop::with(
        |view| windowed(view).aggregation(named(filtered, "few_1m")),
        |source| source,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn events_of_one_key_that_many_push_at_once_are_all_counted() {
    for to in [PushTo::Both, PushTo::Online] {
        let shop = Shop::windowed();
        shop.source(&[click(1, 910, 1)]);
        shop.incremental(1_000).await.unwrap();
        // Two processes, so that turns are not all that keeps them apart.
        let processes = [(); 2].map(|()| {
            Pusher::new(
                Arc::clone(&shop.offline),
                shop.online.clone() as Arc<dyn OnlineStore>,
                Arc::clone(&shop.clock) as Arc<dyn Clock>,
            )
        });
        let view = "activity".parse().unwrap();
        let rows = |n: i64| [click(1, 950 + n, n), click(2 + n % 3, 955 + n, n)];
        let (catalog, view) = (&shop.catalog, &view);
        let pushes = (0..40).map(|n| {
            let pusher = processes[usize::try_from(n % 2).unwrap()].clone();
            async move {
                let rows = raw_rows(&rows(n));
                pusher.push(catalog, view, &rows, to, None).await.unwrap()
            }
        });
        join_all(pushes).await;
        let mut events = shop.events().await;
        if to == PushTo::Online {
            let receipt = shop.clock.now().as_micros();
            let clicks = (0..40).flat_map(rows);
            events.extend(clicks.map(|row| Fact::pushed(row, receipt)));
        }
        assert_eq!(events.len(), 81);
        assert_eq!(shop.must_be_exact(&events).await, 0);
    }
}

#[tokio::test]
async fn what_is_pushed_before_anything_is_published_counts_once_it_is() {
    let shop = Shop::windowed();
    shop.source(&[click(1, 910, 1), click(3, 920, 4)]);
    let rows = [click(1, 950, 2), click(2, 960, 3)];
    shop.push(&rows, PushTo::Both, None).await.unwrap();
    let online = [click(1, 1_000, 8)];
    shop.push(&online, PushTo::Online, None).await.unwrap();
    // The view counts as not published: readers are told nothing.
    assert_eq!(shop.online.published(&shop.id()).await.unwrap(), None);
    shop.incremental(1_000).await.unwrap();
    let mut events = shop.events().await;
    events.push(Fact::pushed(online[0], 1_000_000_000));
    assert_eq!(events.len(), 5);
    assert_eq!(shop.must_be_exact(&events).await, 0);
}

#[tokio::test]
async fn a_push_brings_the_columns_that_aggregations_read_and_no_features() {
    let shop = Shop::windowed();
    let view = "activity".parse().unwrap();
    let rows = raw_rows(&[click(1, 950, 2)]);
    let names = ["user", "event", "created", "count_10s"];
    let columns = names.into_iter().zip(rows.columns().iter().cloned());
    let rows = arrow::array::RecordBatch::try_from_iter(columns).unwrap();
    let refused = shop
        .pusher
        .push(&shop.catalog, &view, &rows, PushTo::Both, None)
        .await
        .unwrap_err()
        .to_string();
    assert!(refused.contains("column `clicks` is missing"), "{refused}");
    assert!(refused.contains("no column `count_10s`"), "{refused}");
    assert!(shop.events().await.is_empty());
}

#[tokio::test]
async fn a_row_of_which_nobody_can_say_whether_it_counts_is_refused_and_changes_nothing() {
    let shop = dividing();
    shop.source(&[click(1, 910, 1)]);
    shop.incremental(1_000).await.unwrap();
    for to in [PushTo::Both, PushTo::Online, PushTo::Offline] {
        let rows = [click(1, 950, 2), click(1, 951, 0)];
        let refused = shop.push(&rows, to, None).await.unwrap_err();
        assert!(matches!(refused, Error::Filter { .. }), "{refused}");
        assert_eq!(refused.code(), fs_core::Code::InvalidArgument);
        let told = fs_core::code::report(&refused);
        assert!(told.contains("`10 / clicks > 1`"), "{told}");
    }
    assert_eq!(shop.events().await.len(), 1);
    assert_eq!(shop.answers().await[&1][1], Some(Some(0)));
    assert_eq!(shop.answers().await[&1][2], Some(Some(1)));
}

#[tokio::test]
async fn an_event_of_the_table_whose_filter_cannot_be_computed_fails_the_run_by_name() {
    let shop = dividing();
    shop.source(&[click(1, 910, 1), click(2, 920, 0)]);
    let Err(Error::Failed { source, .. }) = shop.incremental(1_000).await else {
        panic!("the run should have failed");
    };
    let told = fs_core::code::report(&*source);
    assert!(told.contains("`10 / clicks > 1`"), "{told}");
    assert!(told.contains("activity"), "{told}");
    // What was wrong is made right, and the next run goes through.
    shop.source(&[click(1, 910, 1), click(2, 920, 5)]);
    shop.materialize(0, 1_000).await.unwrap();
    assert_eq!(shop.answers().await[&2].len(), 9);
}

#[tokio::test]
async fn one_push_to_many_keys_counts_in_each() {
    let shop = Shop::windowed();
    let rows: Vec<Click> = (0..1_000).map(|n| click(n % 300, 950, n)).collect();
    for to in [PushTo::Both, PushTo::Online] {
        shop.push(&rows, to, None).await.unwrap();
    }
    let mut events = shop.events().await;
    assert_eq!(events.len(), 1_000);
    events.extend(rows.iter().map(|row| Fact::pushed(*row, 1_000_000_000)));
    assert_eq!(shop.must_be_exact(&events).await, 0);
}
