use super::*;

fn answers(redis: &TestRedis) -> bool {
    let client = ::redis::Client::open(redis.url()).unwrap();
    let Ok(mut connection) = client.get_connection_with_timeout(Duration::from_millis(200)) else {
        return false;
    };
    connection
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    ::redis::cmd("PING").exec(&mut connection).is_ok()
}

#[test]
fn a_server_that_is_asked_for_answers() {
    assert!(answers(&TestRedis::start().unwrap()));
}

#[test]
fn a_private_server_stops_and_comes_back_on_its_port() {
    let mut redis = TestRedis::private().unwrap();
    let url = redis.url().to_owned();
    redis.stop().unwrap();
    assert!(!answers(&redis));
    redis.restart_on_same_port().unwrap();
    assert!(answers(&redis));
    assert_eq!(redis.url(), url);
}

#[test]
fn a_frozen_server_answers_nobody_until_it_is_thawed() {
    let mut redis = TestRedis::private().unwrap();
    redis.freeze().unwrap();
    assert!(!answers(&redis));
    redis.thaw().unwrap();
    assert!(answers(&redis));
}

#[test]
fn a_server_ends_when_its_last_holder_lets_go() {
    let redis = TestRedis::private().unwrap();
    let client = ::redis::Client::open(redis.url()).unwrap();
    drop(redis);
    assert!(
        client
            .get_connection_with_timeout(Duration::from_millis(200))
            .is_err()
    );
}

#[test]
fn tests_that_run_together_share_one_server() {
    let first = TestRedis::shared().unwrap();
    let second = TestRedis::shared().unwrap();
    assert_eq!(first.url(), second.url());
}

#[test]
fn a_cluster_is_whole_and_every_slot_has_its_owner() {
    let cluster = TestRedisCluster::start(3).unwrap();
    let owners = [0, 5_460, 5_461, 10_921, 10_922, 16_383].map(|slot| cluster.owner(slot).unwrap());
    assert_eq!(owners, [0, 0, 1, 1, 2, 2]);
    assert_eq!(cluster.url().split(',').count(), 3);
}

#[test]
fn a_slot_moves_with_its_keys_and_has_another_owner() {
    let cluster = TestRedisCluster::start(2).unwrap();
    let mut node = cluster.connect(0).unwrap();
    ::redis::cmd("SET")
        .arg("{bar}a")
        .arg(1)
        .exec(&mut node)
        .unwrap();
    assert_eq!(cluster.owner(5_061).unwrap(), 0);
    cluster.begin_move(5_061, 1).unwrap();
    assert_eq!(cluster.move_keys(5_061, 1, 10).unwrap(), 1);
    cluster.end_move(5_061, 1).unwrap();
    assert_eq!(cluster.owner(5_061).unwrap(), 1);
    let mut node = cluster.connect(1).unwrap();
    let value: i64 = ::redis::cmd("GET").arg("{bar}a").query(&mut node).unwrap();
    assert_eq!(value, 1);
}
