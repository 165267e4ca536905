//! Rows that need not be kept any more.

use std::time::{SystemTime, UNIX_EPOCH};

use fs_online::{OnlineStore, RowWrite, ViewId};
use fs_online_redis::{RedisOptions, RedisStore};
use fs_testkit::redis::TestRedis;

use crate::fixture::{buckets, eventually, key, options, read, row, store, view};

const HOUR_MICROS: i64 = 3_600_000_000;
const HOUR_MILLIS: i64 = 3_600_000;

/// Now as Redis, which forgets by its own clock, has it.
#[expect(
    clippy::disallowed_methods,
    reason = "the server's clock is the wall's"
)]
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_micros()).unwrap()
}

/// Hours from now.
fn after(hours: i64) -> i64 {
    now() + hours * HOUR_MICROS
}

/// Writes rows under `keys` that are kept until then.
async fn write(store: &RedisStore, view: &ViewId, keys: std::ops::Range<i64>, until: Option<i64>) {
    let rows = keys.map(|number| RowWrite::newest(key(number), row(1)).kept_until(until));
    store.write(view, rows.collect(), None).await.unwrap();
}

/// How long the bucket of a key lasts, in milliseconds; -1 without an end, -2 if it is not there.
fn lasts(redis: &TestRedis, view: &ViewId, number: i64) -> i64 {
    let mut server = redis.connect().unwrap();
    let bucket = buckets().key(view, buckets().of(&key(number)));
    redis::cmd("PTTL").arg(bucket).query(&mut server).unwrap()
}

fn rows_of(redis: &TestRedis, view: &ViewId) -> u64 {
    let mut server = redis.connect().unwrap();
    let count = |bucket| -> u64 {
        let bucket = buckets().key(view, bucket);
        redis::cmd("HLEN").arg(bucket).query(&mut server).unwrap()
    };
    (0..buckets().count()).map(count).sum()
}

fn assert_about(found: i64, hours: i64) {
    let expected = hours * HOUR_MILLIS;
    // Rounded up to a minute; and the machine may be slow.
    assert!(
        (expected - 30_000..=expected + 60_000).contains(&found),
        "{found}, not {expected}"
    );
}

#[tokio::test]
async fn a_bucket_lasts_as_long_as_its_last_row_and_for_ever_with_one_that_does() {
    let redis = TestRedis::shared().unwrap();
    let (store, view) = (store(&redis), view());
    let alike: Vec<i64> = (0..500)
        .filter(|number| buckets().of(&key(*number)) == buckets().of(&key(0)))
        .collect();
    let one = |at: usize| alike[at]..alike[at] + 1;

    write(&store, &view, one(0), Some(after(1))).await;
    assert_about(lasts(&redis, &view, 0), 1);
    // Longer, and not shorter again.
    for (at, hours) in [(1, 3), (2, 1), (3, 2)] {
        write(&store, &view, one(at), Some(after(hours))).await;
        assert_about(lasts(&redis, &view, 0), 3);
    }
    // A write that is refused refreshes nothing.
    write(&store, &view, one(0), Some(after(9))).await;
    assert_about(lasts(&redis, &view, 0), 3);
    write(&store, &view, one(4), None).await;
    assert_eq!(lasts(&redis, &view, 0), -1);
    write(&store, &view, one(5), Some(after(1))).await;
    assert_eq!(lasts(&redis, &view, 0), -1);

    // All rows gone, it begins anew.
    let gone = alike[..6].iter().map(|number| {
        let order = fs_online::row::order(&row(1)).unwrap();
        RowWrite::replace(key(*number), None, order)
    });
    let outcome = store.write(&view, gone.collect(), None).await.unwrap();
    assert_eq!(outcome.deleted, 6);
    write(&store, &view, one(0), Some(after(1))).await;
    assert_about(lasts(&redis, &view, 0), 1);
}

#[tokio::test]
async fn rows_past_their_time_go_while_others_are_written() {
    const OLD: i64 = 2_000;
    let redis = TestRedis::shared().unwrap();
    let (store, view) = (store(&redis), view());
    // One row for ever in each bucket, so that no bucket goes as a whole.
    write(&store, &view, 100_000..100_200, None).await;
    write(&store, &view, 0..OLD, Some(after(-1))).await;
    let left = |total: u64| total - 200;
    let before = left(rows_of(&redis, &view));

    let mut number = 200_000;
    eventually(async || {
        write(&store, &view, number..number + 1, Some(after(1))).await;
        number += 1;
        let new = u64::try_from(number - 200_000).unwrap();
        left(rows_of(&redis, &view)) - new < before / 10
    })
    .await;
    // Four are looked at for every row that is written, and more where many are past their time.
    let writes = number - 200_000;
    assert!(writes < OLD, "{writes} writes");
    for kept in [100_000, 100_199, 200_000, number - 1] {
        assert_eq!(read(&store, &view, kept).await.unwrap(), Some(row(1)));
    }
}

#[tokio::test]
async fn a_view_that_nobody_writes_any_more_goes_by_itself() {
    let redis = TestRedis::shared().unwrap();
    let (store, view) = (store(&redis), view());
    write(&store, &view, 0..100, Some(after(-1))).await;
    assert_eq!(rows_of(&redis, &view), 0);
    assert_eq!(read(&store, &view, 7).await.unwrap(), None);
}

#[tokio::test]
async fn rows_are_kept_for_ever_where_expiry_is_off() {
    let redis = TestRedis::shared().unwrap();
    let options = RedisOptions {
        expiry: false,
        ..options()
    };
    let store = RedisStore::connect(redis.url(), options).unwrap();
    let view = view();
    write(&store, &view, 0..100, Some(after(-1))).await;
    assert_eq!(rows_of(&redis, &view), 100);
    assert_eq!(lasts(&redis, &view, 7), -1);
}

#[tokio::test]
async fn a_damaged_row_does_not_keep_others_from_being_written() {
    let redis = TestRedis::shared().unwrap();
    let (store, view) = (store(&redis), view());
    write(&store, &view, 0..1, Some(after(1))).await;
    let mut server = redis.connect().unwrap();
    let bucket = buckets().key(&view, buckets().of(&key(0)));
    redis::cmd("HSET")
        .arg(bucket)
        .arg("x")
        .arg("no")
        .exec(&mut server)
        .unwrap();
    write(&store, &view, 0..200, Some(after(1))).await;
    assert_eq!(read(&store, &view, 199).await.unwrap(), Some(row(1)));
}
