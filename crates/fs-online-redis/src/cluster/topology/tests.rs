use super::*;

fn from() -> Place {
    Place::new("10.0.0.9", 7_009)
}

fn range(first: u16, last: u16, host: &str, port: u16) -> String {
    let host = match host {
        "" => "$0\r\n\r\n".to_owned(),
        "null" => "$-1\r\n".to_owned(),
        host => format!("${}\r\n{host}\r\n", host.len()),
    };
    let replica = "*2\r\n$7\r\nreplica\r\n:1\r\n";
    format!("*4\r\n:{first}\r\n:{last}\r\n*3\r\n{host}:{port}\r\n$2\r\nid\r\n{replica}")
}

fn parsed(ranges: &[String]) -> Result<Topology, RedisError> {
    let reply = format!("*{}\r\n{}", ranges.len(), ranges.concat());
    Topology::from_reply(redis::parse_redis_value(reply.as_bytes()).unwrap(), &from())
}

#[test]
fn every_slot_has_the_owner_that_its_range_names() {
    let topology = parsed(&[
        range(0, 99, "10.0.0.1", 1),
        range(100, 100, "", 2),
        range(101, 101, "null", 3),
        range(200, 299, "10.0.0.1", 1),
        range(300, 399, "?", 4),
        range(400, 16_383, "redis-5.example", 5),
    ])
    .unwrap();
    let expected = [
        (0, Some(("10.0.0.1", 1))),
        (99, Some(("10.0.0.1", 1))),
        (100, Some(("10.0.0.9", 2))),
        (101, Some(("10.0.0.9", 3))),
        (102, None),
        (250, Some(("10.0.0.1", 1))),
        (300, None),
        (16_383, Some(("redis-5.example", 5))),
    ];
    for (slot, owner) in expected {
        let owner = owner.map(|(host, port)| Place::new(host, port));
        assert_eq!(topology.owner(slot), owner.as_ref(), "{slot}");
    }
    assert_eq!(topology.places().len(), 4);
}

#[test]
fn a_slot_that_moved_has_another_owner_and_the_others_stay() {
    let topology = parsed(&[range(0, 16_383, "10.0.0.1", 1)]).unwrap();
    let moved = topology.with_owner(7, &Place::new("10.0.0.2", 2));
    assert_eq!(moved.owner(7), Some(&Place::new("10.0.0.2", 2)));
    for slot in [6, 8] {
        assert_eq!(moved.owner(slot), topology.owner(slot));
    }
}

#[test]
fn slots_that_make_no_sense_are_an_error_and_none_is_no_owner() {
    assert!(parsed(&[range(0, 16_384, "10.0.0.1", 1)]).is_err());
    assert!(parsed(&["*1\r\n:1\r\n".to_owned()]).is_err());
    assert!(Topology::from_reply(Value::Okay, &from()).is_err());
    assert_eq!(parsed(&[]).unwrap().owner(0), None);
}

#[test]
fn a_client_to_another_place_keeps_its_user_and_its_encryption() {
    for (url, is_tls) in [
        ("redis://me:secret@10.0.0.1:1", false),
        ("rediss://me:secret@10.0.0.1:1", true),
    ] {
        let model = Client::open(url).unwrap();
        let client = Place::new("10.0.0.2", 2).client_like(&model).unwrap();
        let info = client.get_connection_info();
        assert_eq!(info.addr().to_string(), "10.0.0.2:2");
        assert_eq!(info.redis_settings().password(), Some("secret"));
        assert_eq!(matches!(info.addr(), ConnectionAddr::TcpTls { .. }), is_tls);
    }
}
