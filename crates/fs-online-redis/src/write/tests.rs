use fs_core::{EventTime, KeyValue};
use fs_online::EncodedKey;
use fs_online::key::encode_key;

use super::*;

fn view() -> ViewId {
    ViewId::new("p".parse().unwrap(), "v".parse().unwrap())
}

fn key(number: i64) -> EncodedKey {
    encode_key(&[KeyValue::Int64(number)])
}

fn order(event: i64) -> RowOrder {
    RowOrder {
        event: EventTime::from_micros(event),
        created: None,
        sequence: 0,
    }
}

/// Bytes that a store takes for a row.
fn packed(event: i64, length: usize) -> Bytes {
    let mut row = vec![1, 0, 0, 0, 0];
    row.extend(order(event).to_bytes());
    row.resize(length.max(row.len()), 0);
    Bytes::from(row)
}

fn buckets() -> Buckets {
    Buckets::new(256).unwrap()
}

fn planned(rows: Vec<RowWrite>, expiry: bool) -> Result<Vec<Vec<Call>>, Error> {
    let target = Target {
        view: &view(),
        buckets: &buckets(),
        expiry,
        fence: None,
    };
    plan(target, rows)
}

fn calls(rows: Vec<RowWrite>) -> Vec<Vec<Call>> {
    planned(rows, true).unwrap()
}

fn bytes(argument: &Argument) -> Bytes {
    match argument {
        Argument::Bytes(bytes) => bytes.clone(),
        Argument::Row(row) => Bytes::from(redis::ToRedisArgs::to_redis_args(row).remove(0)),
    }
}

#[test]
fn many_rows_make_bounded_calls_in_bounded_batches() {
    let rows = (0..200_000).map(|n| RowWrite::newest(key(n), packed(1, 100)));
    let batches = calls(rows.collect());
    let mut total = 0;
    for batch in &batches {
        let rows = |call: &Call| (call.arguments.len() - 2) / 3;
        assert!(batch.iter().all(|call| rows(call) <= ROWS_PER_CALL));
        let in_batch: usize = batch.iter().map(rows).sum();
        assert!(in_batch <= ROWS_PER_BATCH + ROWS_PER_CALL, "{in_batch}");
        total += in_batch;
    }
    assert_eq!(total, 200_000);
}

#[test]
fn large_rows_make_batches_bounded_in_bytes() {
    let rows = (0..64).map(|n| RowWrite::newest(key(n), packed(1, 100_000)));
    for batch in calls(rows.collect()) {
        let arguments = batch.iter().flat_map(|call| &call.arguments);
        let bytes: usize = arguments.map(Argument::len).sum();
        assert!(bytes <= BYTES_PER_BATCH + 2 * BYTES_PER_CALL, "{bytes}");
    }
}

#[test]
fn the_writes_of_one_key_stay_in_one_call_and_in_order() {
    let mut rows = Vec::new();
    for event in 0..300 {
        rows.push(RowWrite::newest(key(7), packed(event, 0)));
        rows.push(RowWrite::newest(key(event + 1_000), packed(event, 0)));
    }
    let seven = key(7).into_bytes();
    let mut found = Vec::new();
    for call in calls(rows).into_iter().flatten() {
        let writes = call.arguments[2..].chunks(3);
        let of_seven = writes.filter(|write| bytes(&write[0]) == seven);
        let events: Vec<Bytes> = of_seven.map(|write| bytes(&write[1]).slice(4..)).collect();
        if !events.is_empty() {
            found.push(events);
        }
    }
    let expected: Vec<Bytes> = (0..300).map(|event| packed(event, 0)).collect();
    assert_eq!(found, [expected]);
}

#[test]
fn every_call_goes_to_the_bucket_of_its_keys() {
    let rows = (0..100).map(|n| RowWrite::replace(key(n), None, order(1)));
    for call in calls(rows.collect()).into_iter().flatten() {
        for write in call.arguments[2..].chunks(3) {
            let key = EncodedKey::from_bytes(bytes(&write[0]));
            let bucket = buckets().of(&key);
            assert_eq!(call.key, buckets().key(&view(), bucket));
            assert_eq!(call.slot, buckets().slot(bucket));
            assert_eq!((write[1].len(), write[2].len()), (0, RowOrder::BYTES));
        }
    }
}

#[test]
fn bytes_that_are_no_row_are_refused_before_anything_is_sent() {
    let rows = vec![
        RowWrite::newest(key(1), packed(1, 0)),
        RowWrite::newest(key(2), Bytes::from_static(b"no row")),
    ];
    let refused = planned(rows, true);
    assert!(matches!(refused, Err(Error::CorruptRow { .. })));
}

#[test]
fn a_row_is_sent_with_the_minute_until_which_it_is_kept_unless_that_is_off() {
    let kept = RowWrite::newest(key(1), packed(1, 0)).kept_until(Some(120_000_000));
    for (expiry, minute) in [(true, [2, 0, 0, 0]), (false, [0, 0, 0, 0])] {
        let calls = planned(vec![kept.clone()], expiry).unwrap();
        let sent = bytes(&calls[0][0].arguments[3]);
        assert_eq!(sent[..4], minute);
        assert_eq!(sent[4..], packed(1, 0));
    }
}
