//! Slots that move from node to node while their rows are used.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use fs_core::Fence;
use fs_core::code::report;
use fs_online::{OnlineStore, RowWrite, ViewKeys, row as packed};
use fs_online_redis::keyspace::Buckets;
use fs_online_redis::{RedisOptions, RedisStore};
use fs_testkit::redis::TestRedisCluster;
use tokio::task::JoinSet;

use crate::fixture::{READS, WRITES, cluster_options, cluster_store, key, row, view, write};

const KEYS: i64 = 60;

fn buckets() -> Buckets {
    Buckets::new(RedisOptions::CLUSTER_BUCKETS).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_that_move_under_load_cost_no_failed_and_no_wrong_answer() {
    let cluster = TestRedisCluster::start(3).unwrap();
    let (store, view) = (Arc::new(cluster_store(&cluster)), view());
    write(&store, &view, KEYS, 1).await.unwrap();

    let done = Arc::new(AtomicBool::new(false));
    // What has been written for certain: nobody may read less.
    let written = Arc::new(AtomicI64::new(1));
    let mut load = JoinSet::new();
    for _ in 0..4 {
        let (store, view) = (Arc::clone(&store), view.clone());
        let (done, written) = (Arc::clone(&done), Arc::clone(&written));
        load.spawn(async move {
            let keys: Vec<_> = (0..KEYS).map(key).collect();
            let mut reads = 0_u64;
            while !done.load(Ordering::Acquire) {
                let least = written.load(Ordering::Acquire);
                let request = ViewKeys {
                    view: &view,
                    keys: &keys,
                };
                let found = store.read(&[request]).await;
                let found = found.unwrap_or_else(|error| panic!("{}", report(&error)));
                for row in &found[0] {
                    let event = packed::order(row.as_ref().unwrap()).unwrap().event;
                    assert!(event.as_micros() >= least, "{event} before {least}");
                }
                reads += 1;
            }
            reads
        });
    }
    // With a fence, whose place is beside the rows: both move, one after the other.
    let fence = Some(Fence::new(1));
    store.raise_fence(&view, Fence::new(1)).await.unwrap();
    let (writer, view_written) = (Arc::clone(&store), view.clone());
    let (done_writing, progress) = (Arc::clone(&done), Arc::clone(&written));
    load.spawn(async move {
        let mut event = 1;
        while !done_writing.load(Ordering::Acquire) {
            event += 1;
            let rows = (0..KEYS).map(|number| RowWrite::newest(key(number), row(event)));
            let outcome = writer.write(&view_written, rows.collect(), fence).await;
            let outcome = outcome.unwrap_or_else(|error| panic!("{}", report(&error)));
            assert_eq!(outcome.written, u64::try_from(KEYS).unwrap());
            progress.store(event, Ordering::Release);
        }
        event.unsigned_abs()
    });

    // Every slot that holds one of the first keys goes to the next node, half-way at first.
    let mut slots: Vec<u16> = (0..8)
        .map(|n| buckets().slot(buckets().of(&key(n))))
        .collect();
    slots.sort_unstable();
    slots.dedup();
    let moves = tokio::task::spawn_blocking(move || {
        for slot in slots {
            let to = (cluster.owner(slot).unwrap() + 1) % 3;
            cluster.begin_move(slot, to).unwrap();
            while cluster.move_keys(slot, to, 1).unwrap() > 0 {}
            cluster.end_move(slot, to).unwrap();
            assert_eq!(cluster.owner(slot).unwrap(), to);
        }
        cluster
    });
    let _cluster = moves.await.unwrap();
    // And some time after.
    let reached = written.load(Ordering::Acquire) + 3;
    crate::fixture::eventually(async || written.load(Ordering::Acquire) >= reached).await;
    done.store(true, Ordering::Release);
    for count in load.join_all().await {
        assert!(count > 3, "{count}");
    }
}

#[tokio::test]
async fn a_slot_that_is_on_its_way_answers_from_both_ends() {
    let cluster = TestRedisCluster::start(3).unwrap();
    for node in 0..3 {
        let mut server = cluster.connect(node).unwrap();
        let rights = format!("{READS} {WRITES} +cluster|slots +asking");
        let mut set = redis::cmd("ACL");
        set.arg(&["SETUSER", "fs", "reset", "on", ">secret", "~fs1:*"]);
        set.arg(rights.split_whitespace().collect::<Vec<_>>());
        set.exec(&mut server).unwrap();
    }
    let url = cluster.url().replace("redis://", "redis://fs:secret@");
    let store = RedisStore::connect(&url, cluster_options()).unwrap();
    let view = view();
    // Two views: the rows of one have moved already, those of the other have not.
    let other = crate::fixture::view();
    for view in [&view, &other] {
        write(&store, view, 1, 1).await.unwrap();
    }
    let slot = buckets().slot(buckets().of(&key(0)));
    let to = (cluster.owner(slot).unwrap() + 1) % 3;
    cluster.begin_move(slot, to).unwrap();
    assert_eq!(cluster.move_keys(slot, to, 1).unwrap(), 1);
    let keys = [key(0), key(0)];
    for event in 2..4 {
        let requests = [&view, &other].map(|view| ViewKeys { view, keys: &keys });
        let found = store.read(&requests).await.unwrap();
        assert!(
            found
                .iter()
                .flatten()
                .all(|found| *found == Some(row(event - 1)))
        );
        // The server of the new end does not know the script yet.
        for view in [&view, &other] {
            assert_eq!(write(&store, view, 1, event).await.unwrap(), 1);
        }
    }
    // A view whose bucket is nowhere yet is written at the new end.
    let third = crate::fixture::view();
    assert_eq!(write(&store, &third, 1, 1).await.unwrap(), 1);
    while cluster.move_keys(slot, to, 1).unwrap() > 0 {}
    cluster.end_move(slot, to).unwrap();
    for (view, event) in [(&view, 3), (&other, 3), (&third, 1)] {
        let found = crate::fixture::read(&store, view, 0).await.unwrap();
        assert_eq!(found, Some(row(event)));
    }
}
