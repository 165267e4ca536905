//! Rows that need not be kept any more.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fs_online::{OnlineStore, RowWrite, ViewId};
use fs_online_redis::{RedisOptions, RedisStore};
use fs_testkit::redis::TestRedis;

use crate::fixture::{buckets, eventually, key, options, read, row, store, view};

const HOUR: Duration = Duration::from_hours(1);

/// Now as Redis, which forgets by its own clock, has it.
#[expect(
    clippy::disallowed_methods,
    reason = "the server's clock is the wall's"
)]
fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_micros()).unwrap()
}

fn after(time: Duration) -> Option<i64> {
    Some(now() + i64::try_from(time.as_micros()).unwrap())
}

fn ago(time: Duration) -> Option<i64> {
    Some(now() - i64::try_from(time.as_micros()).unwrap())
}

/// Writes rows under `keys` that are kept until then.
async fn write(store: &RedisStore, view: &ViewId, keys: std::ops::Range<i64>, until: Option<i64>) {
    let rows = keys.map(|number| RowWrite::newest(key(number), row(1)).kept_until(until));
    store.write(view, rows.collect()).await.unwrap();
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

fn assert_about(found: i64, expected: Duration) {
    let expected = i64::try_from(expected.as_millis()).unwrap();
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

    write(&store, &view, one(0), after(HOUR)).await;
    assert_about(lasts(&redis, &view, 0), HOUR);
    // Longer, and not shorter again.
    for (at, until) in [(1, 3 * HOUR), (2, HOUR), (3, 2 * HOUR)] {
        write(&store, &view, one(at), after(until)).await;
        assert_about(lasts(&redis, &view, 0), 3 * HOUR);
    }
    // A write that is refused refreshes nothing.
    write(&store, &view, one(0), after(9 * HOUR)).await;
    assert_about(lasts(&redis, &view, 0), 3 * HOUR);
    write(&store, &view, one(4), None).await;
    assert_eq!(lasts(&redis, &view, 0), -1);
    write(&store, &view, one(5), after(HOUR)).await;
    assert_eq!(lasts(&redis, &view, 0), -1);

    // All rows gone, it begins anew.
    let gone = alike[..6].iter().map(|number| {
        let order = fs_online::row::order(&row(1)).unwrap();
        RowWrite::replace(key(*number), None, order)
    });
    let outcome = store.write(&view, gone.collect()).await.unwrap();
    assert_eq!(outcome.deleted, 6);
    write(&store, &view, one(0), after(HOUR)).await;
    assert_about(lasts(&redis, &view, 0), HOUR);
}

#[tokio::test]
async fn rows_past_their_time_go_while_others_are_written() {
    const OLD: i64 = 2_000;
    let redis = TestRedis::shared().unwrap();
    let (store, view) = (store(&redis), view());
    // One row for ever in each bucket, so that no bucket goes as a whole.
    write(&store, &view, 100_000..100_200, None).await;
    write(&store, &view, 0..OLD, ago(HOUR)).await;
    let left = |total: u64| total - 200;
    let before = left(rows_of(&redis, &view));

    let mut number = 200_000;
    eventually(async || {
        write(&store, &view, number..number + 1, after(HOUR)).await;
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
    write(&store, &view, 0..100, ago(HOUR)).await;
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
    write(&store, &view, 0..100, ago(HOUR)).await;
    assert_eq!(rows_of(&redis, &view), 100);
    assert_eq!(lasts(&redis, &view, 7), -1);
}

#[tokio::test]
async fn a_damaged_row_does_not_keep_others_from_being_written() {
    let redis = TestRedis::shared().unwrap();
    let (store, view) = (store(&redis), view());
    write(&store, &view, 0..1, after(HOUR)).await;
    let mut server = redis.connect().unwrap();
    let bucket = buckets().key(&view, buckets().of(&key(0)));
    redis::cmd("HSET")
        .arg(bucket)
        .arg("x")
        .arg("no")
        .exec(&mut server)
        .unwrap();
    write(&store, &view, 0..200, after(HOUR)).await;
    assert_eq!(read(&store, &view, 199).await.unwrap(), Some(row(1)));
}
