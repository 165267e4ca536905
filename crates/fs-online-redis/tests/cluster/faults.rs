//! Nodes that go away, hang, and are replaced.

use std::time::Instant;

use fs_core::code::report;
use fs_core::{Code, Coded};
use fs_online::{Error, OnlineStore};
use fs_online_redis::keyspace::Buckets;
use fs_online_redis::{RedisOptions, RedisStore};
use fs_testkit::redis::TestRedisCluster;

use crate::fixture::{DEADLINE, cluster_store, eventually, key, read, row, view, write};

/// A key whose row lies on a node that owns the slots of this range.
fn key_on(cluster: &TestRedisCluster, node: usize) -> i64 {
    let buckets = Buckets::new(RedisOptions::CLUSTER_BUCKETS).unwrap();
    let owner = |number| {
        cluster
            .owner(buckets.slot(buckets.of(&key(number))))
            .unwrap()
    };
    (0..1_000).find(|number| owner(*number) == node).unwrap()
}

/// A view whose state lies on this node.
fn view_on(cluster: &TestRedisCluster, node: usize) -> fs_online::ViewId {
    use fs_online_redis::keyspace::{slot, state_key};

    let is_there =
        |view: &fs_online::ViewId| cluster.owner(slot(state_key(view).as_bytes())).unwrap() == node;
    std::iter::repeat_with(view).find(is_there).unwrap()
}

fn assert_away(error: &Error) {
    let codes = [Code::Unavailable, Code::DeadlineExceeded];
    assert!(codes.contains(&error.code()), "{}", report(error));
}

#[tokio::test]
async fn a_node_that_is_killed_takes_its_slots_along_and_no_others_until_it_is_back() {
    let mut cluster = TestRedisCluster::start(3).unwrap();
    let (store, view) = (cluster_store(&cluster), view_on(&cluster, 0));
    write(&store, &view, 200, 1).await.unwrap();
    let (here, gone) = (key_on(&cluster, 0), key_on(&cluster, 2));

    cluster.stop(2).unwrap();
    for _ in 0..3 {
        let error = read(&store, &view, gone).await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable, "{}", report(&error));
        let text = report(&error);
        assert!(text.contains(&cluster.address(2).unwrap()), "{text}");
        assert_eq!(read(&store, &view, here).await.unwrap(), Some(row(1)));
        store.ping().await.unwrap();
    }

    cluster.restart(2).unwrap();
    // It has forgotten its rows, and the scripts.
    eventually(async || read(&store, &view, gone).await.is_ok()).await;
    assert_eq!(read(&store, &view, gone).await.unwrap(), None);
    eventually(async || write(&store, &view, 200, 2).await.is_ok()).await;
    assert_eq!(read(&store, &view, gone).await.unwrap(), Some(row(2)));
}

#[tokio::test]
async fn a_node_that_hangs_holds_nobody_up_for_longer_than_the_deadline() {
    let mut cluster = TestRedisCluster::start(3).unwrap();
    let (store, view) = (cluster_store(&cluster), view_on(&cluster, 0));
    write(&store, &view, 200, 1).await.unwrap();
    let (here, hanging) = (key_on(&cluster, 0), key_on(&cluster, 1));

    cluster.freeze(1).unwrap();
    for _ in 0..2 {
        let begun = Instant::now();
        let error = read(&store, &view, hanging).await.unwrap_err();
        assert_away(&error);
        assert!(begun.elapsed() < DEADLINE * 5, "{:?}", begun.elapsed());
        let begun = Instant::now();
        assert_eq!(read(&store, &view, here).await.unwrap(), Some(row(1)));
        assert!(begun.elapsed() < DEADLINE / 2, "{:?}", begun.elapsed());
    }
    cluster.thaw(1).unwrap();
    eventually(async || read(&store, &view, hanging).await.is_ok()).await;
    assert_eq!(read(&store, &view, hanging).await.unwrap(), Some(row(1)));
}

#[tokio::test]
async fn a_replica_that_takes_over_is_found_by_itself() {
    let mut cluster = TestRedisCluster::start(3).unwrap();
    let replica = cluster.add().unwrap();
    cluster.replicate(replica, 1).unwrap();
    let (store, view) = (cluster_store(&cluster), view_on(&cluster, 0));
    write(&store, &view, 200, 1).await.unwrap();
    let moved = key_on(&cluster, 1);
    cluster.wait_until_followed(1).unwrap();

    cluster.stop(1).unwrap();
    eventually(async || match read(&store, &view, moved).await {
        Ok(found) => {
            assert_eq!(found, Some(row(1)));
            true
        }
        Err(error) => {
            assert_away(&error);
            false
        }
    })
    .await;
    eventually(async || write(&store, &view, 200, 2).await.is_ok()).await;
    assert_eq!(read(&store, &view, moved).await.unwrap(), Some(row(2)));
}

#[tokio::test]
async fn a_cluster_that_is_all_down_is_unavailable_at_once_and_found_again() {
    let mut cluster = TestRedisCluster::start(3).unwrap();
    let (store, view) = (cluster_store(&cluster), view());
    write(&store, &view, 10, 1).await.unwrap();
    for node in 0..3 {
        cluster.stop(node).unwrap();
    }
    let begun = Instant::now();
    let error = read(&store, &view, 0).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{}", report(&error));
    assert!(begun.elapsed() < DEADLINE, "{:?}", begun.elapsed());
    assert!(store.ping().await.is_err());
    let new = RedisStore::connect(&cluster.url(), crate::fixture::cluster_options()).unwrap();
    let error = read(&new, &view, 0).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{}", report(&error));
    for node in 0..3 {
        cluster.restart(node).unwrap();
    }
    cluster.wait_until_whole().unwrap();
    for store in [store, new] {
        eventually(async || store.ping().await.is_ok()).await;
        eventually(async || write(&store, &view, 10, 1).await.is_ok()).await;
        assert_eq!(read(&store, &view, 9).await.unwrap(), Some(row(1)));
    }
}
