//! A view, its rows, and a store with short deadlines.

use std::time::{Duration, Instant};

use bytes::Bytes;
use fs_core::{EventTime, KeyValue};
use fs_online::key::encode_key;
use fs_online::{EncodedKey, Error, OnlineStore, RowLayout, RowOrder, RowWrite, ViewId, ViewKeys};
use fs_online_redis::keyspace::Buckets;
use fs_online_redis::{RedisOptions, RedisStore};
use fs_testkit::net::PATIENCE;
use fs_testkit::redis::{TestRedis, TestRedisCluster};
use fs_testkit::unique_project;

/// Long enough for a busy machine, short enough to wait for.
pub(crate) const DEADLINE: Duration = Duration::from_millis(800);

/// What the documentation says that a user needs to read, and to write as well.
pub(crate) const READS: &str = "+ping +hget +hmget +hgetall +get";
pub(crate) const WRITES: &str = "+eval +evalsha +set +exists +pttl +pexpireat +persist +time +unlink +hset \
                      +hsetnx +hdel +hlen +hscan +hrandfield";

/// A few connections and short deadlines.
pub(crate) fn options() -> RedisOptions {
    RedisOptions {
        connections: 2,
        connect_timeout: DEADLINE,
        read_timeout: DEADLINE,
        write_timeout: DEADLINE,
        ..RedisOptions::default()
    }
}

pub(crate) fn store(redis: &TestRedis) -> RedisStore {
    RedisStore::connect(redis.url(), options()).unwrap()
}

/// The same for a cluster.
pub(crate) fn cluster_options() -> RedisOptions {
    RedisOptions {
        cluster: true,
        ..options()
    }
}

pub(crate) fn cluster_store(cluster: &TestRedisCluster) -> RedisStore {
    RedisStore::connect(&cluster.url(), cluster_options()).unwrap()
}

/// The buckets of a view on a single server.
pub(crate) fn buckets() -> Buckets {
    Buckets::new(RedisOptions::BUCKETS).unwrap()
}

/// What Redis holds for a row that is kept for ever.
pub(crate) fn stored(row: &[u8]) -> Vec<u8> {
    [&[0; 4], row].concat()
}

/// Returns once `condition` holds; panics if it does not within a long time.
pub(crate) async fn eventually(mut condition: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !condition().await {
        assert!(Instant::now() < end, "it never happened");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

pub(crate) fn view() -> ViewId {
    ViewId::new(unique_project(), "view".parse().unwrap())
}

pub(crate) fn layout() -> RowLayout {
    let int64 = "int64".parse().unwrap();
    RowLayout::new(vec![("value".parse().unwrap(), int64)])
}

pub(crate) fn key(number: i64) -> EncodedKey {
    encode_key(&[KeyValue::Int64(number)])
}

/// Bytes that a store takes for a row.
pub(crate) fn row(event: i64) -> Bytes {
    let order = RowOrder {
        event: EventTime::from_micros(event),
        created: None,
        sequence: 0,
    };
    let mut row = vec![1, 0, 0, 0, 0];
    row.extend(order.to_bytes());
    Bytes::from(row)
}

/// Writes a row with this event time under the keys `0..count`.
pub(crate) async fn write(
    store: &RedisStore,
    view: &ViewId,
    count: i64,
    event: i64,
) -> Result<u64, Error> {
    let rows = (0..count).map(|number| RowWrite::newest(key(number), row(event)));
    Ok(store.write(view, rows.collect(), None).await?.written)
}

pub(crate) async fn read(
    store: &RedisStore,
    view: &ViewId,
    number: i64,
) -> Result<Option<Bytes>, Error> {
    let keys = [key(number)];
    let request = ViewKeys { view, keys: &keys };
    Ok(store.read(&[request]).await?.remove(0).remove(0))
}
