//! The promises of every online store, kept by Redis.

use std::sync::Arc;

use fs_online::conformance;
use fs_online_redis::{RedisOptions, RedisStore};
use fs_testkit::redis::TestRedis;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_redis_store_keeps_every_promise() {
    let redis = TestRedis::start().unwrap();
    let store = RedisStore::connect(redis.url(), RedisOptions::default()).unwrap();
    let store = Arc::new(store);
    let outcome = conformance::run_all(async || Arc::clone(&store) as _).await;
    assert_eq!(outcome, Ok(()));
}
