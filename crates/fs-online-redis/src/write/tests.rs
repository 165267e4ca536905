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

fn calls(rows: Vec<RowWrite>) -> Vec<Vec<Call>> {
    plan(&view(), rows).unwrap()
}

#[test]
fn many_rows_make_bounded_calls_in_bounded_batches() {
    let rows = (0..200_000).map(|n| RowWrite::newest(key(n), packed(1, 100)));
    let batches = calls(rows.collect());
    let mut total = 0;
    for batch in &batches {
        let rows = |call: &Call| call.arguments.len() / 3;
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
        let bytes: usize = arguments.map(Bytes::len).sum();
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
        let of_seven = call.arguments.chunks(3).filter(|write| write[0] == seven);
        let events: Vec<Bytes> = of_seven.map(|write| write[1].clone()).collect();
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
        for write in call.arguments.chunks(3) {
            let key = EncodedKey::from_bytes(write[0].clone());
            assert_eq!(call.key, bucket_key(&view(), bucket(&key)));
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
    assert!(matches!(plan(&view(), rows), Err(Error::CorruptRow { .. })));
}
