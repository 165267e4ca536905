//! Rows and requests over several nodes.

use std::sync::Arc;

use fs_core::{Code, Coded, code::report};
use fs_online::{OnlineStore, ViewKeys, conformance};
use fs_online_redis::keyspace::Buckets;
use fs_online_redis::{RedisOptions, RedisStore};
use fs_testkit::redis::{TestRedis, TestRedisCluster};

use crate::fixture::{cluster_store, key, layout, options, read, row, view, write};

/// How many commands of this kind each node has run.
fn calls(cluster: &TestRedisCluster, command: &str) -> Vec<u64> {
    let of_node = |node| {
        let mut server = cluster.connect(node).unwrap();
        let info: String = redis::cmd("INFO")
            .arg("commandstats")
            .query(&mut server)
            .unwrap();
        let prefix = format!("cmdstat_{command}:calls=");
        let line = info.lines().find_map(|line| line.strip_prefix(&prefix));
        let count = line.and_then(|line| line.split(',').next());
        count.map_or(0, |count| count.parse().unwrap())
    };
    (0..3).map(of_node).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_redis_cluster_store_keeps_every_promise() {
    let cluster = TestRedisCluster::start(3).unwrap();
    let options = RedisOptions {
        cluster: true,
        ..RedisOptions::default()
    };
    let store = RedisStore::connect(&cluster.url(), options).unwrap();
    let store = Arc::new(store);
    let outcome = conformance::run_all(async || Arc::clone(&store) as _).await;
    assert_eq!(outcome, Ok(()));
}

#[tokio::test]
async fn rows_are_spread_evenly_and_one_known_node_is_enough_to_find_them() {
    let cluster = TestRedisCluster::start(3).unwrap();
    let url = format!("redis://{}", cluster.address(1).unwrap());
    let options = RedisOptions {
        cluster: true,
        ..options()
    };
    let (store, view) = (RedisStore::connect(&url, options).unwrap(), view());
    assert_eq!(write(&store, &view, 3_000, 1).await.unwrap(), 3_000);
    let buckets = (0..3).map(|node| {
        let mut server = cluster.connect(node).unwrap();
        redis::cmd("DBSIZE").query::<u64>(&mut server).unwrap()
    });
    let buckets: Vec<u64> = buckets.collect();
    assert!(
        buckets.iter().all(|count| (84..=88).contains(count)),
        "{buckets:?}"
    );
    store.drop_view(&view).await.unwrap();
    for node in 0..3 {
        let mut server = cluster.connect(node).unwrap();
        let left: u64 = redis::cmd("DBSIZE").query(&mut server).unwrap();
        assert_eq!(left, 0);
    }
}

#[tokio::test]
async fn a_request_for_one_entity_asks_one_node_however_many_views_it_reads() {
    let cluster = TestRedisCluster::start(3).unwrap();
    let store = cluster_store(&cluster);
    let views = [view(), view(), view(), view(), view()];
    for view in &views {
        write(&store, view, 50, 1).await.unwrap();
    }
    let keys = [key(7)];
    let requests = views.each_ref().map(|view| ViewKeys { view, keys: &keys });
    let before = calls(&cluster, "hmget");
    let found = store.read(&requests).await.unwrap();
    assert!(found.iter().flatten().all(|found| *found == Some(row(1))));
    let after = calls(&cluster, "hmget");
    let mut asked: Vec<u64> = after.iter().zip(before).map(|(a, b)| a - b).collect();
    asked.sort_unstable();
    assert_eq!(asked, [0, 0, 5]);
}

#[tokio::test]
async fn a_request_for_many_entities_is_one_pipeline_to_each_node() {
    let cluster = TestRedisCluster::start(3).unwrap();
    let (store, view) = (cluster_store(&cluster), view());
    write(&store, &view, 100, 1).await.unwrap();
    let keys: Vec<_> = (0..100).map(key).collect();
    let request = [ViewKeys {
        view: &view,
        keys: &keys,
    }];
    let reads = || -> u64 {
        let of_node = |node| {
            let mut server = cluster.connect(node).unwrap();
            let info: String = redis::cmd("INFO")
                .arg("clients")
                .query(&mut server)
                .unwrap();
            let count = info
                .lines()
                .find_map(|line| line.strip_prefix("connected_clients:"));
            count.unwrap().parse::<u64>().unwrap()
        };
        (0..3).map(of_node).sum()
    };
    let found = store.read(&request).await.unwrap();
    assert!(found.iter().flatten().all(|found| *found == Some(row(1))));
    // A connection for reads and one for writes to each node, and the one that asks.
    assert!(reads() <= 3 * (2 * 2 + 1), "{}", reads());
    let before = calls(&cluster, "hmget");
    store.read(&request).await.unwrap();
    let after = calls(&cluster, "hmget");
    let asked: u64 = after.iter().zip(before).map(|(a, b)| a - b).sum();
    let buckets = Buckets::new(RedisOptions::CLUSTER_BUCKETS).unwrap();
    let mut touched: Vec<u16> = keys.iter().map(|key| buckets.of(key)).collect();
    touched.sort_unstable();
    touched.dedup();
    assert_eq!(asked, u64::try_from(touched.len()).unwrap());
}

#[tokio::test]
async fn a_cluster_where_a_server_was_expected_and_the_reverse_say_what_to_change() {
    let cluster = TestRedisCluster::start(3).unwrap();
    let url = format!("redis://{}", cluster.address(0).unwrap());
    let store = RedisStore::connect(&url, options()).unwrap();
    let mut error = None;
    for view in std::iter::repeat_with(view).take(20) {
        error = store.prepare(&view, &layout()).await.err().or(error);
    }
    let error = error.unwrap();
    assert_eq!(error.code(), Code::FailedPrecondition);
    assert!(
        report(&error).contains("set `cluster: true`"),
        "{}",
        report(&error)
    );

    let server = TestRedis::shared().unwrap();
    let options = RedisOptions {
        cluster: true,
        ..options()
    };
    let store = RedisStore::connect(server.url(), options).unwrap();
    let error = read(&store, &view(), 0).await.unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition, "{}", report(&error));
    let text = report(&error);
    assert!(text.contains("leave `cluster: true` out"), "{text}");
}
