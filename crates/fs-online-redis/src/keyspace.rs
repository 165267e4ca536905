//! Which Redis key holds what. Frozen: it is where the rows of every earlier release are.

use fs_online::{EncodedKey, ViewId};

/// The format of everything that this release writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// How many buckets the rows of a view are spread over.
pub const BUCKETS: u16 = 1024;

/// The hash that holds what is known about a view besides its rows.
///
/// ```
/// use fs_online::ViewId;
/// use fs_online_redis::keyspace::{bucket_key, state_key};
///
/// let view = ViewId::new("flights".parse()?, "origin_weather".parse()?);
/// assert_eq!(state_key(&view), "fs1:flights:origin_weather:meta");
/// assert_eq!(bucket_key(&view, 7), "fs1:flights:origin_weather:rows:7");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn state_key(view: &ViewId) -> String {
    format!("fs{FORMAT}:{}:{}:meta", view.project, view.view)
}

/// The hash that holds the rows of one bucket.
pub fn bucket_key(view: &ViewId, bucket: u16) -> String {
    format!("fs{FORMAT}:{}:{}:rows:{bucket}", view.project, view.view)
}

/// The string that holds who has claimed `token`.
pub fn claim_key(view: &ViewId, token: &str) -> String {
    format!("fs{FORMAT}:{}:{}:once:{token}", view.project, view.view)
}

/// The bucket of an entity key: FNV-1a, 64 bits, its halves folded together, modulo [`BUCKETS`].
pub fn bucket(key: &EncodedKey) -> u16 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in key.as_bytes() {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let [low, high, ..] = (hash ^ (hash >> 32)).to_le_bytes();
    u16::from_le_bytes([low, high]) % BUCKETS
}

#[cfg(test)]
mod tests {
    use fs_core::KeyValue;
    use fs_online::key::encode_key;

    use super::*;

    #[test]
    fn the_bucket_of_a_key_is_frozen() {
        let string = |text: &str| encode_key(&[KeyValue::String(text.to_owned())]);
        let buckets = [
            bucket(&encode_key(&[])),
            bucket(&encode_key(&[KeyValue::Int64(0)])),
            bucket(&encode_key(&[KeyValue::Int64(1)])),
            bucket(&string("EWR")),
            bucket(&string("N14228")),
        ];
        assert_eq!(buckets, [608, 166, 17, 990, 581]);
    }

    #[test]
    fn keys_that_differ_little_spread_evenly() {
        let mut counts = vec![0_u32; usize::from(BUCKETS)];
        for number in 0..102_400 {
            let key = encode_key(&[KeyValue::Int64(number)]);
            counts[usize::from(bucket(&key))] += 1;
        }
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(*least >= 50 && *most <= 150, "{least} to {most}, not 100");
    }
}
