//! Entity keys as bytes.
//!
//! ```text
//!   key  = 1 (format)  part*
//!   part = tag  value
//!
//!   type        tag   value
//!   bool         1    0 or 1
//!   int32        2    4 bytes, big-endian, sign flipped
//!   int64        3    8 bytes, big-endian, sign flipped
//!   string       4    length (LEB128), then its UTF-8 bytes
//!   bytes        5    length (LEB128), then the bytes
//!   timestamp    6    microseconds UTC as int64
//! ```
//!
//! Strings go in byte for byte, nothing is normalised. Every part says where it ends, so that
//! `("a", "bc")` is not `("ab", "c")`, no key is the beginning of another of the same number of
//! parts, and different values never share bytes. A view without entities has one row; its key is
//! the format byte alone. Frozen: see `golden/keys.json`.

mod columns;

use bytes::{Bytes, BytesMut};
use fs_core::{KeyType, KeyValue};

use crate::{Error, KeyProblem};

pub use columns::encode_columns;

/// The first byte of every key.
pub const FORMAT: u8 = 1;

/// The bytes of an entity key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EncodedKey(Bytes);

impl EncodedKey {
    /// Wraps bytes that came out of a store.
    pub const fn from_bytes(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The same key in bytes of its own, for who keeps it: the keys of a batch share a buffer, which
    /// lives as long as any of them.
    #[must_use]
    pub fn detached(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }

    /// The bytes, shared.
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl AsRef<[u8]> for EncodedKey {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

const fn tag(key_type: KeyType) -> u8 {
    match key_type {
        KeyType::Bool => 1,
        KeyType::Int32 => 2,
        KeyType::Int64 => 3,
        KeyType::String => 4,
        KeyType::Bytes => 5,
        KeyType::Timestamp => 6,
    }
}

/// The bytes of a key, one value for each of the view's join keys.
///
/// ```
/// use fs_core::KeyValue;
/// use fs_online::key::encode_key;
///
/// let key = |a: &str, b: &str| encode_key(&[KeyValue::String(a.into()), KeyValue::String(b.into())]);
/// assert_eq!(key("a", "bc").as_bytes(), b"\x01\x04\x01a\x04\x02bc");
/// assert_ne!(key("a", "bc"), key("ab", "c"));
/// ```
pub fn encode_key(parts: &[KeyValue]) -> EncodedKey {
    let mut out = BytesMut::new();
    start(&mut out);
    for part in parts {
        match part {
            KeyValue::Bool(value) => put_bool(&mut out, *value),
            KeyValue::Int32(value) => put_int32(&mut out, *value),
            KeyValue::Int64(value) => put_int64(&mut out, KeyType::Int64, *value),
            KeyValue::String(value) => put_bytes(&mut out, KeyType::String, value.as_bytes()),
            KeyValue::Bytes(value) => put_bytes(&mut out, KeyType::Bytes, value),
            KeyValue::Timestamp(value) => put_int64(&mut out, KeyType::Timestamp, *value),
        }
    }
    EncodedKey(out.freeze())
}

fn start(out: &mut BytesMut) {
    out.extend_from_slice(&[FORMAT]);
}

fn put_bool(out: &mut BytesMut, value: bool) {
    out.extend_from_slice(&[tag(KeyType::Bool), u8::from(value)]);
}

fn put_int32(out: &mut BytesMut, value: i32) {
    out.extend_from_slice(&[tag(KeyType::Int32)]);
    out.extend_from_slice(&(value.cast_unsigned() ^ (1 << 31)).to_be_bytes());
}

fn put_int64(out: &mut BytesMut, key_type: KeyType, value: i64) {
    out.extend_from_slice(&[tag(key_type)]);
    out.extend_from_slice(&(value.cast_unsigned() ^ (1 << 63)).to_be_bytes());
}

fn put_bytes(out: &mut BytesMut, key_type: KeyType, value: &[u8]) {
    out.extend_from_slice(&[tag(key_type)]);
    let mut length = value.len();
    while length >= 0x80 {
        out.extend_from_slice(&[low_bits(length) | 0x80]);
        length >>= 7;
    }
    out.extend_from_slice(&[low_bits(length)]);
    out.extend_from_slice(value);
}

fn low_bits(number: usize) -> u8 {
    number.to_le_bytes()[0] & 0x7f
}

/// Reads what [`encode_key`] wrote for join keys of these types.
pub fn decode_key(types: &[KeyType], bytes: &[u8]) -> Result<Vec<KeyValue>, Error> {
    let Some((&FORMAT, mut rest)) = bytes.split_first() else {
        let format = bytes.first().copied();
        return Err(KeyProblem::UnknownFormat { format }.into());
    };
    let mut parts = Vec::with_capacity(types.len());
    for (part, expected) in types.iter().copied().enumerate() {
        let value = take_part(expected, &mut rest).ok_or(KeyProblem::BadPart { part, expected })?;
        parts.push(value);
    }
    if !rest.is_empty() {
        let extra = rest.len();
        return Err(KeyProblem::TrailingBytes { extra }.into());
    }
    Ok(parts)
}

fn take_part(key_type: KeyType, rest: &mut &[u8]) -> Option<KeyValue> {
    if *take(rest, 1)?.first()? != tag(key_type) {
        return None;
    }
    match key_type {
        KeyType::Bool => match take(rest, 1)? {
            [0] => Some(KeyValue::Bool(false)),
            [1] => Some(KeyValue::Bool(true)),
            _ => None,
        },
        KeyType::Int32 => {
            let number = u32::from_be_bytes(take(rest, 4)?.try_into().ok()?);
            Some(KeyValue::Int32((number ^ (1 << 31)).cast_signed()))
        }
        KeyType::Int64 => take_int64(rest).map(KeyValue::Int64),
        KeyType::Timestamp => take_int64(rest).map(KeyValue::Timestamp),
        KeyType::String => {
            let bytes = take_bytes(rest)?;
            Some(KeyValue::String(str::from_utf8(bytes).ok()?.to_owned()))
        }
        KeyType::Bytes => Some(KeyValue::Bytes(take_bytes(rest)?.to_vec())),
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

fn take_int64(rest: &mut &[u8]) -> Option<i64> {
    let number = u64::from_be_bytes(take(rest, 8)?.try_into().ok()?);
    Some((number ^ (1 << 63)).cast_signed())
}

fn take_bytes<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let mut length = 0_usize;
    for shift in (0..usize::BITS).step_by(7) {
        let byte = *take(rest, 1)?.first()?;
        let bits = usize::from(byte & 0x7f);
        if (bits << shift) >> shift != bits {
            return None;
        }
        length |= bits << shift;
        if byte & 0x80 == 0 {
            // One length, one spelling: a zero byte at the end would be another.
            return (byte != 0 || shift == 0).then(|| take(rest, length))?;
        }
    }
    None
}

#[cfg(test)]
mod tests;
