//! The name of a call, for whoever looks for it in logs: `x-request-id`.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// Where clients send an id, and where the answer has it.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Ids of clients that are longer are replaced.
const LONGEST: usize = 128;

/// The client's id, or a new one: 16 hex digits that this process gives out once.
pub(super) fn of(headers: &HeaderMap) -> HeaderValue {
    match headers.get(REQUEST_ID) {
        Some(id) if is_fit(id) => id.clone(),
        _ => new(),
    }
}

/// Whether an id can be written into a line of a log as it is.
fn is_fit(id: &HeaderValue) -> bool {
    let bytes = id.as_bytes();
    (1..=LONGEST).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
}

/// Sees to it that a request has an id that is fit, and returns it.
pub(crate) fn give(headers: &mut HeaderMap) -> HeaderValue {
    if let Some(id) = headers.get(REQUEST_ID)
        && is_fit(id)
    {
        return id.clone();
    }
    let id = new();
    headers.insert(REQUEST_ID, id.clone());
    id
}

fn new() -> HeaderValue {
    /// Where this process starts: elsewhere than others.
    static START: LazyLock<u64> =
        LazyLock::new(|| RandomState::new().hash_one(REQUEST_ID.as_str()));
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = START.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
    let digits = hex(mixed(number));
    HeaderValue::from_bytes(&digits).unwrap_or(HeaderValue::from_static("-"))
}

/// One number for every number, neighbours far apart (the finalizer of `SplitMix64`).
const fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn hex(number: u64) -> [u8; 16] {
    let bytes = number.to_be_bytes();
    std::array::from_fn(|digit| {
        let byte = bytes[digit / 2];
        let nibble = if digit % 2 == 0 { byte >> 4 } else { byte & 15 };
        b"0123456789abcdef"[usize::from(nibble)]
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn with(id: &[u8]) -> HeaderMap {
        let id = HeaderValue::from_bytes(id).unwrap();
        HeaderMap::from_iter([(REQUEST_ID, id)])
    }

    #[test]
    fn the_id_of_the_client_is_kept() {
        assert_eq!(of(&with(b"order-7/a")), "order-7/a");
    }

    #[test]
    fn an_id_that_would_spoil_a_log_is_replaced() {
        let long = [b'x'; LONGEST + 1];
        for id in [&b""[..], b"a b", b"a\tb", "ä".as_bytes(), &long] {
            let given = of(&with(id));
            assert_eq!(given.len(), 16, "{given:?}");
        }
    }

    #[test]
    fn no_two_calls_get_the_same_id() {
        let ids: BTreeSet<_> = (0..1_000).map(|_| new().as_bytes().to_vec()).collect();
        assert_eq!(ids.len(), 1_000);
    }

    #[test]
    fn ids_are_16_hex_digits() {
        assert_eq!(&hex(0x0123_4567_89ab_cdef), b"0123456789abcdef");
    }
}
