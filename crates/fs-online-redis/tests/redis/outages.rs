//! Servers that go away while many read.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fs_core::code::report;
use fs_core::{Code, Coded};
use fs_online::{OnlineStore, StoreUsage};
use fs_online_redis::RedisStore;
use fs_testkit::redis::TestRedis;
use tokio::task::JoinSet;

use crate::fixture::{DEADLINE, eventually, options, read, row, store, view, write};
use crate::proxy::Proxy;

/// Readers that never stop, and what they meet.
struct Readers {
    tasks: JoinSet<()>,
    done: Arc<AtomicBool>,
    served: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
}

impl Readers {
    fn start(store: &Arc<RedisStore>, view: &fs_online::ViewId) -> Self {
        let mut readers = Self {
            tasks: JoinSet::new(),
            done: Arc::default(),
            served: Arc::default(),
            refused: Arc::default(),
        };
        for number in 0..8 {
            let (store, view) = (Arc::clone(store), view.clone());
            let done = Arc::clone(&readers.done);
            let (served, refused) = (Arc::clone(&readers.served), Arc::clone(&readers.refused));
            readers.tasks.spawn(async move {
                while !done.load(Ordering::Acquire) {
                    let begun = Instant::now();
                    match read(&store, &view, number).await {
                        // Nothing, where the server came back empty.
                        Ok(found) => {
                            assert!([None, Some(row(1))].contains(&found), "{found:?}");
                            served.fetch_add(1, Ordering::AcqRel);
                        }
                        Err(error) => {
                            let codes = [Code::Unavailable, Code::DeadlineExceeded];
                            assert!(codes.contains(&error.code()), "{}", report(&error));
                            refused.fetch_add(1, Ordering::AcqRel);
                        }
                    }
                    // On a machine that is busy with other tests, too.
                    assert!(begun.elapsed() < 4 * DEADLINE, "{:?}", begun.elapsed());
                    tokio::task::yield_now().await;
                }
            });
        }
        readers
    }

    async fn are_served(&self) {
        more(&self.served).await;
    }

    async fn are_refused(&self) {
        more(&self.refused).await;
    }

    async fn stop(mut self) {
        self.done.store(true, Ordering::Release);
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
    }
}

/// Waits until this has grown by a few.
async fn more(count: &AtomicU64) {
    let before = count.load(Ordering::Acquire);
    eventually(async || count.load(Ordering::Acquire) >= before + 16).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_killed_under_load_is_unavailable_and_serves_within_a_second_of_its_return() {
    let mut redis = TestRedis::private().unwrap();
    let (store, view) = (Arc::new(store(&redis)), view());
    write(&store, &view, 8, 1).await.unwrap();
    let readers = Readers::start(&store, &view);
    for _ in 0..2 {
        readers.are_served().await;
        redis.stop().unwrap();
        readers.are_refused().await;
        redis.restart_on_same_port().unwrap();
        let back = Instant::now();
        readers.are_served().await;
        assert!(
            back.elapsed() < Duration::from_secs(1),
            "{:?}",
            back.elapsed()
        );
    }
    readers.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_frozen_under_load_keeps_nobody_waiting_and_serves_once_thawed() {
    let mut redis = TestRedis::private().unwrap();
    let (store, view) = (Arc::new(store(&redis)), view());
    write(&store, &view, 8, 1).await.unwrap();
    let readers = Readers::start(&store, &view);
    for _ in 0..2 {
        readers.are_served().await;
        redis.freeze().unwrap();
        readers.are_refused().await;
        redis.thaw().unwrap();
        let back = Instant::now();
        readers.are_served().await;
        assert!(
            back.elapsed() < DEADLINE + Duration::from_secs(1),
            "{:?}",
            back.elapsed()
        );
    }
    readers.stop().await;
}

#[tokio::test]
async fn requests_that_are_all_given_up_early_still_get_off_a_connection_that_leads_nowhere() {
    let redis = TestRedis::private().unwrap();
    let proxy = Proxy::start(&redis).await;
    let (store, view) = (RedisStore::connect(&proxy.url, options()).unwrap(), view());
    write(&store, &view, 1, 1).await.unwrap();
    assert_eq!(read(&store, &view, 0).await.unwrap(), Some(row(1)));

    // As if a cable was cut: nothing arrives, and nobody says so. New connections go another way.
    proxy.hold();
    let impatient = Duration::from_millis(20);
    eventually(async || {
        let found = tokio::time::timeout(impatient, read(&store, &view, 0)).await;
        found.is_ok_and(|found| found.unwrap() == Some(row(1)))
    })
    .await;
}

#[tokio::test]
async fn an_address_that_moves_to_the_new_primary_is_followed_without_a_failed_write() {
    let (old, new) = (TestRedis::private().unwrap(), TestRedis::private().unwrap());
    let proxy = Proxy::start(&old).await;
    let (store, view) = (RedisStore::connect(&proxy.url, options()).unwrap(), view());
    assert_eq!(write(&store, &view, 10, 1).await.unwrap(), 10);

    replicate(&new, Some(&old));
    eventually(async || is_followed(&old)).await;
    replicate(&new, None);
    replicate(&old, Some(&new));
    proxy.lead_to(&new);
    assert_eq!(write(&store, &view, 10, 2).await.unwrap(), 10);
    assert_eq!(read(&store, &view, 9).await.unwrap(), Some(row(2)));
    assert_eq!(
        read(&crate::fixture::store(&new), &view, 9).await.unwrap(),
        Some(row(2))
    );
}

fn replicate(redis: &TestRedis, of: Option<&TestRedis>) {
    let address = of.map(|of| of.address().unwrap());
    let words = match address
        .as_deref()
        .and_then(|address| address.split_once(':'))
    {
        Some((host, port)) => [host.to_owned(), port.to_owned()],
        None => ["NO".to_owned(), "ONE".to_owned()],
    };
    let mut server = redis.connect().unwrap();
    redis::cmd("REPLICAOF")
        .arg(&words)
        .exec(&mut server)
        .unwrap();
}

/// Whether a replica has all that this primary has.
fn is_followed(redis: &TestRedis) -> bool {
    let mut server = redis.connect().unwrap();
    let info: String = redis::cmd("INFO")
        .arg("replication")
        .query(&mut server)
        .unwrap();
    let number = |after: &str| {
        let (_, rest) = info.split_once(after)?;
        rest.split(|c: char| !c.is_ascii_digit())
            .next()?
            .parse::<u64>()
            .ok()
    };
    let followed = number(",offset=");
    followed > Some(0) && followed >= number("master_repl_offset:")
}

#[tokio::test]
async fn the_connections_that_are_open_and_busy_are_known() {
    let mut redis = TestRedis::private().unwrap();
    let (store, view) = (Arc::new(store(&redis)), view());
    let usage = |open, busy| Some(StoreUsage { open, busy });
    assert_eq!(store.usage(), usage(0, 0));
    write(&store, &view, 1, 1).await.unwrap();
    for _ in 0..4 {
        read(&store, &view, 0).await.unwrap();
    }
    // Two for each kind of work.
    assert_eq!(store.usage(), usage(4, 0));
    redis.freeze().unwrap();
    let waiting = {
        let (store, view) = (Arc::clone(&store), view.clone());
        tokio::spawn(async move { read(&store, &view, 0).await })
    };
    eventually(async || store.usage() == usage(4, 1)).await;
    redis.thaw().unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!(store.usage(), usage(4, 0));
}
