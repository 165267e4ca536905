use fs_core::{Code, Coded, Fence};
use fs_online::{Error, OnlineStore, Published, RowWrite};
use fs_online_redis::keyspace::state_key;
use fs_online_redis::{RedisOptions, RedisStore};
use fs_testkit::at;
use fs_testkit::redis::TestRedis;

use crate::fixture::{
    buckets, eventually, key, layout, options, read, row, store, stored, view, write,
};

fn published() -> Published {
    Published {
        table_version: 7,
        as_of: at("2013-01-01"),
        visibility: "event_time".to_owned(),
    }
}

#[tokio::test]
async fn the_keys_are_the_documented_ones_and_hold_the_documented_bytes() {
    let redis = TestRedis::shared().unwrap();
    let (store, view) = (store(&redis), view());
    store.prepare(&view, &layout()).await.unwrap();
    let set = store.set_published(&view, None, published(), None);
    assert!(set.await.unwrap());
    write(&store, &view, 1, 5).await.unwrap();
    store.raise_fence(&view, Fence::new(7)).await.unwrap();

    let mut server = redis.connect().unwrap();
    let project = &view.project;
    let mut state: Vec<(String, String)> = redis::cmd("HGETALL")
        .arg(format!("fs1:{project}:view:meta"))
        .query(&mut server)
        .unwrap();
    state.sort();
    let expected = [
        ("buckets", "16".to_owned()),
        ("fence", "7".to_owned()),
        ("format", "1".to_owned()),
        (&format!("layout:{:08x}", layout().id()), layout().to_json()),
        (
            "published",
            r#"{"table_version":7,"as_of":1356998400000000,"visibility":"event_time"}"#.to_owned(),
        ),
    ]
    .map(|(field, value)| (field.to_owned(), value));
    assert_eq!(state, expected);

    // The bucket 6 of 16, whose tag is 60.
    assert_eq!(buckets().of(&key(0)), 6);
    let bucket = format!("fs1:{{60}}:{project}:view");
    let rows: Vec<(Vec<u8>, Vec<u8>)> = redis::cmd("HGETALL")
        .arg(&bucket)
        .query(&mut server)
        .unwrap();
    assert_eq!(rows, [(key(0).as_bytes().to_vec(), stored(&row(5)))]);
    let fence: (Vec<(String, String)>, i64) = redis::pipe()
        .hgetall(format!("{bucket}:fence"))
        .ttl(format!("{bucket}:fence"))
        .query(&mut server)
        .unwrap();
    assert_eq!(fence, (vec![("fence".to_owned(), "7".to_owned())], -1));

    store.once(&view, "token", b"value").await.unwrap();
    let claim = format!("fs1:{project}:view:once:token");
    let (holder, lasts): (String, u64) = redis::pipe()
        .get(&claim)
        .pttl(&claim)
        .query(&mut server)
        .unwrap();
    assert_eq!(holder, "value");
    assert!((86_400_000..=172_800_000).contains(&lasts), "{lasts}");
}

#[tokio::test]
async fn a_view_of_a_later_format_is_refused_and_left_as_it_is() {
    let redis = TestRedis::shared().unwrap();
    let (store, view) = (store(&redis), view());
    write(&store, &view, 1, 1).await.unwrap();
    let mut server = redis.connect().unwrap();
    redis::cmd("HSET")
        .arg(&(state_key(&view), "format", 2))
        .exec(&mut server)
        .unwrap();
    // What reads this view does not ask for its format again while there are rows …
    assert_eq!(read(&store, &view, 0).await.unwrap(), Some(row(1)));
    // … which a later release takes away.
    let rows = buckets().key(&view, buckets().of(&key(0)));
    redis::cmd("UNLINK").arg(&rows).exec(&mut server).unwrap();
    let mut noticed = None;
    eventually(async || {
        noticed = read(&store, &view, 0).await.err();
        noticed.is_some()
    })
    .await;
    let refused = [
        noticed.unwrap(),
        write(&store, &view, 1, 2).await.unwrap_err(),
        store.prepare(&view, &layout()).await.unwrap_err(),
        store.layouts(&view).await.unwrap_err(),
        store.published(&view).await.unwrap_err(),
        store
            .set_published(&view, None, published(), None)
            .await
            .unwrap_err(),
        store.raise_fence(&view, Fence::new(1)).await.unwrap_err(),
        store.keys(&view, None, 1).await.unwrap_err(),
        store.drop_view(&view).await.unwrap_err(),
    ];
    for error in refused {
        assert!(matches!(
            error,
            Error::NewerFormat {
                found: 2,
                known: 1,
                ..
            }
        ));
        assert_eq!(error.code(), Code::FailedPrecondition);
    }
}

#[tokio::test]
async fn a_view_that_came_back_with_other_buckets_is_found_again() {
    let redis = TestRedis::shared().unwrap();
    let (reader, view) = (store(&redis), view());
    write(&reader, &view, 5, 1).await.unwrap();
    assert_eq!(read(&reader, &view, 4).await.unwrap(), Some(row(1)));

    let options = RedisOptions {
        buckets: Some(64),
        ..options()
    };
    let other = RedisStore::connect(redis.url(), options).unwrap();
    other.drop_view(&view).await.unwrap();
    write(&other, &view, 5, 2).await.unwrap();
    eventually(async || read(&reader, &view, 4).await.unwrap() == Some(row(2))).await;
    // And whoever writes sees it at once.
    write(&store(&redis), &view, 5, 3).await.unwrap();
    assert_eq!(read(&other, &view, 4).await.unwrap(), Some(row(3)));
}

#[tokio::test]
async fn a_damaged_row_is_an_error_and_no_reason_to_overwrite_it() {
    let redis = TestRedis::shared().unwrap();
    let (store, view) = (store(&redis), view());
    let mut server = redis.connect().unwrap();
    write(&store, &view, 1, 1).await.unwrap();
    for damaged in [&b"cut off"[..], b"", &[9; 40]] {
        redis::cmd("HSET")
            .arg(buckets().key(&view, buckets().of(&key(0))))
            .arg(key(0).as_bytes())
            .arg(damaged)
            .exec(&mut server)
            .unwrap();
        let error = write(&store, &view, 1, 1).await.unwrap_err();
        assert!(matches!(error, Error::CorruptRow { .. }), "{error}");
        let error = store.keys(&view, None, 1).await.unwrap_err();
        assert!(matches!(error, Error::CorruptRow { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_row_that_redis_holds_under_another_type_is_a_failure_and_not_an_outage() {
    let redis = TestRedis::shared().unwrap();
    let (store, view) = (store(&redis), view());
    let mut server = redis.connect().unwrap();
    store.prepare(&view, &layout()).await.unwrap();
    redis::cmd("SET")
        .arg(&(buckets().key(&view, buckets().of(&key(0))), "a string"))
        .exec(&mut server)
        .unwrap();
    for error in [
        read(&store, &view, 0).await.unwrap_err(),
        write(&store, &view, 1, 1).await.unwrap_err(),
    ] {
        assert_eq!(error.code(), Code::Internal);
        assert!(fs_core::code::report(&error).contains("WRONGTYPE"));
    }
    // The connection is as good as before.
    assert_eq!(read(&store, &view, 1).await.unwrap(), None);
}

#[tokio::test]
async fn large_buckets_are_listed_piece_by_piece() {
    const KEYS: usize = 2_500;
    let redis = TestRedis::shared().unwrap();
    let (store, view) = (store(&redis), view());
    // Keys of one bucket.
    let alike: Vec<_> = (0..)
        .map(key)
        .filter(|candidate| buckets().of(candidate) == 5)
        .take(KEYS)
        .collect();
    let rows = alike
        .iter()
        .map(|key| RowWrite::newest(key.clone(), row(1)));
    store.write(&view, rows.collect(), None).await.unwrap();
    let (mut found, mut from, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = store.keys(&view, from.as_ref(), 10_000).await.unwrap();
        found.extend(page.keys.into_iter().map(|(key, _)| key));
        pages += 1;
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    found.sort();
    let mut expected = alike;
    expected.sort();
    assert!(found == expected && pages >= 3, "{pages} pages");
}

#[tokio::test]
async fn a_dropped_view_leaves_nothing_behind() {
    let redis = TestRedis::private().unwrap();
    let (store, view) = (store(&redis), view());
    store.prepare(&view, &layout()).await.unwrap();
    let set = store.set_published(&view, None, published(), None);
    assert!(set.await.unwrap());
    write(&store, &view, 5_000, 1).await.unwrap();
    store.raise_fence(&view, Fence::new(7)).await.unwrap();
    store.drop_view(&view).await.unwrap();
    let mut server = redis.connect().unwrap();
    let left: u64 = redis::cmd("DBSIZE").query(&mut server).unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_read_of_many_views_is_one_round_trip() {
    let redis = TestRedis::private().unwrap();
    let store = store(&redis);
    let views = [view(), view(), view()];
    for view in &views {
        write(&store, view, 50, 1).await.unwrap();
    }
    let keys: Vec<_> = (0..50).map(key).collect();
    let requests = views
        .each_ref()
        .map(|view| fs_online::ViewKeys { view, keys: &keys });
    let mut server = redis.connect().unwrap();
    // How often the server has found something to read: once for a pipeline that fits its buffer.
    let mut reads = || -> u64 {
        let info: String = redis::cmd("INFO").arg("stats").query(&mut server).unwrap();
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix("total_reads_processed:"));
        line.unwrap().parse().unwrap()
    };
    let before = reads();
    let found = store.read(&requests).await.unwrap();
    // One of them is the question itself; a pipeline may arrive in two pieces.
    let round_trips = reads() - before - 1;
    assert!(round_trips <= 2, "{round_trips} round trips");
    assert!(found.iter().flatten().all(Option::is_some));
}
