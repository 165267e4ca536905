use std::time::{Duration, Instant};

use fs_core::code::report;
use fs_core::{Code, Coded};
use fs_online::{Error, OnlineStore};
use fs_online_redis::{RedisOptions, RedisStore};
use fs_testkit::net::free_address;
use fs_testkit::redis::TestRedis;
use tokio::task::JoinSet;

use crate::fixture::{DEADLINE, key, layout, read, row, store, view, write};

/// What an operation may take beyond its deadline on a busy machine.
const SLACK: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_store_whose_server_is_down_opens_and_says_which_address_does_not_answer() {
    let address = free_address().unwrap();
    let url = format!("redis://user:secret@{address}");
    let store = RedisStore::connect(&url, RedisOptions::default()).unwrap();
    let begun = Instant::now();
    let error = store.ping().await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(begun.elapsed() < RedisOptions::default().read_timeout);
    let text = report(&error);
    assert!(text.contains(&address.to_string()), "{text}");
    assert!(text.contains("refused"), "{text}");
    assert!(!text.contains("secret"), "{text}");
    assert!(!format!("{store:?}").contains("secret"), "{store:?}");
}

#[test]
fn a_store_may_be_opened_outside_a_runtime() {
    RedisStore::connect("redis://127.0.0.1", RedisOptions::default()).unwrap();
}

#[tokio::test]
async fn a_store_recovers_by_itself_when_its_server_is_back() {
    let mut redis = TestRedis::private().unwrap();
    let (store, view) = (store(&redis), view());
    assert_eq!(write(&store, &view, 1, 1).await.unwrap(), 1);

    redis.stop().unwrap();
    for _ in 0..3 {
        let error = read(&store, &view, 0).await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable, "{}", report(&error));
        let error = write(&store, &view, 1, 1).await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable, "{}", report(&error));
    }

    redis.restart_on_same_port().unwrap();
    assert_eq!(read(&store, &view, 0).await.unwrap(), None);
    // The server has forgotten the scripts too.
    assert_eq!(write(&store, &view, 100, 1).await.unwrap(), 100);
    assert_eq!(read(&store, &view, 99).await.unwrap(), Some(row(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_between_two_uses_is_noticed_by_nobody() {
    let mut redis = TestRedis::private().unwrap();
    let (store, view) = (std::sync::Arc::new(store(&redis)), view());
    let all_connections = async || {
        let mut reads = JoinSet::new();
        for number in 0..16 {
            let (store, view) = (std::sync::Arc::clone(&store), view.clone());
            reads.spawn(async move { read(&store, &view, number).await });
        }
        reads.join_all().await
    };
    for outcome in all_connections().await {
        assert_eq!(outcome.unwrap(), None);
    }
    redis.stop().unwrap();
    redis.restart_on_same_port().unwrap();
    for outcome in all_connections().await {
        assert_eq!(outcome.unwrap(), None);
    }
}

#[tokio::test]
async fn a_frozen_server_costs_no_more_than_the_deadline_and_works_once_thawed() {
    let mut redis = TestRedis::private().unwrap();
    let (store, view) = (store(&redis), view());
    write(&store, &view, 1, 1).await.unwrap();

    redis.freeze().unwrap();
    // The first finds an open connection that hangs, the second cannot open another.
    for _ in 0..2 {
        let begun = Instant::now();
        let error = read(&store, &view, 0).await.unwrap_err();
        let codes = [Code::DeadlineExceeded, Code::Unavailable];
        assert!(codes.contains(&error.code()), "{}", report(&error));
        assert!(begun.elapsed() < DEADLINE + SLACK, "{:?}", begun.elapsed());
        assert!(report(&error).contains(&redis.address().unwrap()));
    }

    redis.thaw().unwrap();
    assert_eq!(read(&store, &view, 0).await.unwrap(), Some(row(1)));
}

#[tokio::test]
async fn a_read_that_is_given_up_disturbs_no_other() {
    let mut redis = TestRedis::private().unwrap();
    let (store, view) = (store(&redis), view());
    write(&store, &view, 2, 1).await.unwrap();

    redis.freeze().unwrap();
    for _ in 0..8 {
        let given_up = tokio::time::timeout(Duration::from_millis(5), read(&store, &view, 0));
        assert!(given_up.await.is_err());
    }
    redis.thaw().unwrap();
    assert_eq!(read(&store, &view, 1).await.unwrap(), Some(row(1)));
}

#[tokio::test]
async fn scripts_that_are_flushed_between_two_writes_are_loaded_again() {
    let redis = TestRedis::private().unwrap();
    let (store, view) = (store(&redis), view());
    let mut server = redis.connect().unwrap();
    for event in 1..4 {
        redis::cmd("SCRIPT").arg("FLUSH").exec(&mut server).unwrap();
        assert_eq!(write(&store, &view, 3_000, event).await.unwrap(), 3_000);
        redis::cmd("SCRIPT").arg("FLUSH").exec(&mut server).unwrap();
        let page = store.keys(&view, None, 50).await.unwrap();
        assert!(!page.keys.is_empty());
    }
}

#[tokio::test]
async fn a_full_server_refuses_writes_and_still_answers_reads() {
    let redis = TestRedis::private().unwrap();
    let (store, view) = (store(&redis), view());
    write(&store, &view, 10, 1).await.unwrap();
    let mut server = redis.connect().unwrap();
    redis::cmd("CONFIG")
        .arg(&["SET", "maxmemory", "1"])
        .exec(&mut server)
        .unwrap();
    let error = write(&store, &view, 10, 2).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted, "{}", report(&error));
    assert!(error.to_string().contains("maxmemory"), "{error}");
    let error = store.prepare(&view, &layout()).await.unwrap_err();
    assert_eq!(error.code(), Code::ResourceExhausted, "{}", report(&error));
    assert_eq!(read(&store, &view, 9).await.unwrap(), Some(row(1)));
}

#[tokio::test]
async fn a_wrong_password_is_refused_without_being_shown() {
    let redis = TestRedis::private().unwrap();
    let mut server = redis.connect().unwrap();
    redis::cmd("CONFIG")
        .arg(&["SET", "requirepass", "right"])
        .exec(&mut server)
        .unwrap();
    let address = redis.address().unwrap();
    for (url, works) in [
        (format!("redis://:right@{address}"), true),
        (format!("redis://:secret@{address}"), false),
        (format!("redis://{address}"), false),
    ] {
        let store = RedisStore::connect(&url, RedisOptions::default()).unwrap();
        let outcome = store.ping().await;
        assert_eq!(outcome.is_ok(), works);
        if let Err(error) = outcome {
            assert!(
                matches!(error, Error::CannotOpen { .. }),
                "{}",
                report(&error)
            );
            let text = report(&error);
            assert!(
                text.contains(&address) && text.contains("password"),
                "{text}"
            );
            assert!(!text.contains("secret"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_server_that_became_a_replica_is_left_and_found_again() {
    let redis = TestRedis::private().unwrap();
    let (store, view) = (store(&redis), view());
    write(&store, &view, 1, 1).await.unwrap();
    let mut server = redis.connect().unwrap();
    let mut replicate = |of: [&str; 2]| {
        redis::cmd("REPLICAOF").arg(&of).exec(&mut server).unwrap();
    };
    let nobody = free_address().unwrap().port().to_string();
    replicate(["127.0.0.1", &nobody]);
    let error = write(&store, &view, 1, 2).await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{}", report(&error));
    replicate(["NO", "ONE"]);
    assert_eq!(write(&store, &view, 1, 2).await.unwrap(), 1);
    assert_eq!(store.keys(&view, None, 5).await.unwrap().keys[0].0, key(0));
}
