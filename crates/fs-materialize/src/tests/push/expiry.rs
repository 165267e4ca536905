//! Until when the online store must keep rows.

use std::sync::Arc;

use fs_core::{Clock, EventTime};
use fs_online::OnlineStore;

use super::*;
use crate::{Materializer, Pusher};

/// A clock that shows the time of the world, which stands at 1,000 seconds.
#[derive(Debug)]
struct World;

impl Clock for World {
    fn now(&self) -> EventTime {
        at(1_000)
    }
}

const DAY: i64 = 86_400;

fn until(seconds: i64) -> Vec<Option<i64>> {
    vec![Some(seconds * 1_000_000)]
}

impl Shop {
    /// The same shop in the time of the world.
    fn in_the_world(mut self) -> Self {
        let engine = fs_engine::Engine::new(fs_engine::EngineOptions {
            base_dir: self.base_dir(),
            ..fs_engine::EngineOptions::default()
        });
        let engine = Arc::new(engine.unwrap());
        let online = || Arc::clone(&self.online) as Arc<dyn OnlineStore>;
        let (offline, clock) = (|| Arc::clone(&self.offline), || Arc::new(World));
        let materializer =
            Materializer::new(engine, offline(), online(), self.leases.clone(), clock());
        let pusher = Pusher::new(offline(), online(), clock());
        (self.materializer, self.pusher) = (materializer, pusher);
        self
    }
}

#[tokio::test]
async fn a_row_of_a_view_with_a_ttl_is_kept_a_day_longer_than_it_may_be_used() {
    let shop = Shop::with(|view| view.ttl("50s"), |source| source).in_the_world();
    for to in [PushTo::Online, PushTo::Both] {
        shop.push(&[click(1, 10, 1)], to, None).await.unwrap();
        assert_eq!(shop.online.kept_until(), until(1_050 + DAY));
    }
    shop.source(&[click(2, 990, 1)]);
    shop.materialize(0, 1_000).await.unwrap();
    assert_eq!(shop.online.kept_until(), until(1_050 + DAY));
}

#[tokio::test]
async fn without_a_ttl_or_in_another_time_rows_are_kept_for_ever() {
    let no_ttl = Shop::new().in_the_world();
    let other_time = Shop::with(|view| view.ttl("50s"), |source| source);
    for shop in [no_ttl, other_time] {
        shop.push(&[click(1, 10, 1)], PushTo::Both, None)
            .await
            .unwrap();
        assert_eq!(shop.online.kept_until(), [None]);
        shop.source(&[click(2, 990, 1)]);
        shop.materialize(0, 1_000).await.unwrap();
        assert_eq!(shop.online.kept_until(), [None]);
    }
}

#[tokio::test]
async fn a_changed_ttl_writes_every_row_again_to_keep_it_by() {
    let mut shop = Shop::with(|view| view.ttl("50s"), |source| source).in_the_world();
    shop.source(&[click(1, 10, 1)]);
    shop.materialize(0, 1_000).await.unwrap();
    assert_eq!(shop.online.kept_until(), until(1_050 + DAY));
    let again = shop.materialize(0, 1).await.unwrap();
    assert_eq!(again.record.published, 0);
    shop.redefine(|view| view.ttl = fs_core::Ttl::new("1h".parse().unwrap()));
    let run = shop.materialize(0, 1).await.unwrap();
    assert_eq!(run.record.published, 1);
    assert_eq!(shop.online.kept_until(), until(4_600 + DAY));
}

#[tokio::test]
async fn a_row_that_is_early_by_a_moment_is_waited_for() {
    let shop = Shop::new().in_the_world();
    let soon = EventTime::from_micros(1_000_000_000 + 20_000);
    let (user, clicks) = ([1_i64], [2_i64]);
    let columns: Vec<(&str, arrow::array::ArrayRef)> = vec![
        (
            "user",
            Arc::new(arrow::array::Int64Array::from_iter_values(user)),
        ),
        (
            "event",
            Arc::new(arrow::array::TimestampMicrosecondArray::from(vec![
                soon.as_micros(),
            ])),
        ),
        (
            "clicks",
            Arc::new(arrow::array::Int64Array::from_iter_values(clicks)),
        ),
    ];
    let rows = arrow::array::RecordBatch::try_from_iter(columns).unwrap();
    let view = "activity".parse().unwrap();
    let pushed = shop
        .pusher
        .push(&shop.catalog, &view, &rows, PushTo::Online, None);
    assert_eq!(pushed.await.unwrap(), counted(&[Stored]));
}
