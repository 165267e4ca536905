use fs_core::KeyValue;
use fs_online::key::encode_key;

use super::*;

fn buckets(count: u16) -> Buckets {
    Buckets::new(count).unwrap()
}

#[test]
fn the_bucket_of_a_key_is_frozen() {
    let string = |text: &str| encode_key(&[KeyValue::String(text.to_owned())]);
    let keys = [
        encode_key(&[]),
        encode_key(&[KeyValue::Int64(0)]),
        encode_key(&[KeyValue::Int64(1)]),
        string("EWR"),
        string("N14228"),
    ];
    let of = |count: u16| keys.each_ref().map(|key| buckets(count).of(key));
    assert_eq!(of(1), [0, 0, 0, 0, 0]);
    assert_eq!(of(16), [0, 6, 1, 14, 5]);
    assert_eq!(of(256), [96, 166, 17, 222, 69]);
}

#[test]
fn the_names_of_the_buckets_are_frozen() {
    let numbers = |count: u16| -> Vec<u32> {
        let tags = buckets(count).tags;
        tags.iter().map(|tag| tag.number).collect()
    };
    assert_eq!(numbers(1), [0]);
    assert_eq!(
        numbers(16),
        [10, 3, 61, 43, 11, 2, 60, 42, 12, 1, 63, 41, 13, 0, 62, 40]
    );
    let sum: u32 = numbers(256).iter().sum();
    assert_eq!(
        (numbers(256)[0], numbers(256)[255], sum),
        (460, 430, 48_824)
    );
}

#[test]
fn every_bucket_lies_in_its_part_of_the_slots() {
    let view = ViewId::new("p".parse().unwrap(), "v".parse().unwrap());
    for count in [1, 2, 16, 256, 1_024] {
        let buckets = buckets(count);
        for bucket in 0..count {
            let found = slot(buckets.key(&view, bucket).as_bytes());
            assert_eq!(found, buckets.slot(bucket));
            assert_eq!(found / (SLOTS / count), bucket);
        }
    }
}

#[test]
fn three_nodes_get_equal_shares_of_the_buckets() {
    let buckets = buckets(256);
    // As `redis-cli --cluster create` shares slots out.
    let mut shares = [0; 3];
    for bucket in 0..256 {
        let node = match buckets.slot(bucket) {
            0..5_461 => 0,
            5_461..10_923 => 1,
            _ => 2,
        };
        shares[node] += 1;
    }
    assert!(
        shares.iter().all(|share| (84..=87).contains(share)),
        "{shares:?}"
    );
}

#[test]
fn keys_that_differ_little_spread_evenly() {
    for (count, rows) in [(16, 1_600), (256, 25_600)] {
        let buckets = buckets(count);
        let mut counts = vec![0_u32; usize::from(count)];
        for number in 0..rows {
            let key = encode_key(&[KeyValue::Int64(number)]);
            counts[usize::from(buckets.of(&key))] += 1;
        }
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(*least >= 50 && *most <= 150, "{least} to {most}, not 100");
    }
}

#[test]
fn only_powers_of_two_are_numbers_of_buckets() {
    for count in [0, 3, 100, 20_000, 32_768] {
        assert_eq!(Buckets::new(count), None);
    }
}
