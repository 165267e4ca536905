//! Many who write the same keys at once, each with connections of its own.

use std::sync::Arc;

use fs_core::EventTime;
use fs_online::{OnlineStore, RowOrder, RowWrite, row as packed};
use fs_testkit::redis::TestRedis;
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::fixture::{key, layout, read, row, store, view};

const WRITERS: i64 = 6;
const ROUNDS: i64 = 25;
const KEYS: i64 = 3;

fn order(event: i64) -> RowOrder {
    RowOrder {
        event: EventTime::from_micros(event),
        created: None,
        sequence: 0,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_newest_of_many_racing_writes_stays_and_nobody_ever_sees_it_go_back() {
    let redis = TestRedis::shared().unwrap();
    let view = view();
    store(&redis).prepare(&view, &layout()).await.unwrap();
    let start = Arc::new(Barrier::new(usize::try_from(WRITERS).unwrap()));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (view, store, start) = (view.clone(), store(&redis), Arc::clone(&start));
        writers.spawn(async move {
            start.wait().await;
            let mut seen = vec![0; usize::try_from(KEYS).unwrap()];
            for round in 0..ROUNDS {
                // Up for half of the writers and down for the others, no event twice.
                let step = if writer % 2 == 0 {
                    round
                } else {
                    ROUNDS - 1 - round
                };
                let event = 1 + step * WRITERS + writer;
                let rows = (0..KEYS).map(|number| RowWrite::newest(key(number), row(event)));
                store.write(&view, rows.collect(), None).await.unwrap();
                for (number, seen) in (0..KEYS).zip(&mut seen) {
                    let found = read(&store, &view, number).await.unwrap().unwrap();
                    let found = packed::order(&found).unwrap().event.as_micros();
                    assert!(
                        found >= event.max(*seen),
                        "{found} after {event} and {seen}"
                    );
                    *seen = found;
                }
            }
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    for number in 0..KEYS {
        let found = read(&store(&redis), &view, number).await.unwrap();
        assert_eq!(found, Some(row(ROUNDS * WRITERS)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_replace_one_row_exactly_one_does() {
    let redis = TestRedis::shared().unwrap();
    let view = view();
    store(&redis).prepare(&view, &layout()).await.unwrap();
    let rows = vec![RowWrite::newest(key(0), row(ROUNDS))];
    store(&redis).write(&view, rows, None).await.unwrap();
    // Always older than what is replaced, so that nothing but the exchange lets a row in.
    for event in (0..ROUNDS).rev() {
        let start = Arc::new(Barrier::new(usize::try_from(WRITERS).unwrap()));
        let mut writers = JoinSet::new();
        for _ in 0..WRITERS {
            let (view, store, start) = (view.clone(), store(&redis), Arc::clone(&start));
            let write = RowWrite::replace(key(0), Some(row(event)), order(event + 1));
            writers.spawn(async move {
                // Connected before the race begins.
                read(&store, &view, 0).await.unwrap();
                start.wait().await;
                store.write(&view, vec![write], None).await.unwrap()
            });
        }
        let outcomes = writers.join_all().await;
        let written: u64 = outcomes.iter().map(|outcome| outcome.written).sum();
        let kept: u64 = outcomes.iter().map(|outcome| outcome.kept).sum();
        let others = WRITERS.unsigned_abs() - 1;
        assert_eq!((written, kept), (1, others), "at event {event}");
        let found = read(&store(&redis), &view, 0).await.unwrap();
        assert_eq!(found, Some(row(event)));
    }
}
