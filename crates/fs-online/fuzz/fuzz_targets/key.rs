//! Keys: whatever bytes come, reading them is an answer or an error; and what was read is written
//! as the very same bytes, so that no two spellings of one key exist.

#![no_main]

use arbitrary::Arbitrary;
use fs_core::KeyType;
use fs_online::key::{decode_key, encode_key};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Input<'a> {
    types: Vec<u8>,
    bytes: &'a [u8],
}

const TYPES: [KeyType; 6] = [
    KeyType::Bool,
    KeyType::Int32,
    KeyType::Int64,
    KeyType::String,
    KeyType::Bytes,
    KeyType::Timestamp,
];

fuzz_target!(|input: Input<'_>| {
    let types: Vec<KeyType> = input
        .types
        .iter()
        .map(|number| TYPES[usize::from(*number) % TYPES.len()])
        .collect();
    if let Ok(parts) = decode_key(&types, input.bytes) {
        assert_eq!(encode_key(&parts).as_bytes(), input.bytes, "{parts:?}");
    }
});
