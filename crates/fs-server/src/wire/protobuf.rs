//! Protobuf by hand: for answers that are written straight from packed rows.

use bytes::BufMut;

/// Bytes that are collected before they go on.
const CHUNK: usize = 4_096;

/// The key of a length-delimited field: `number << 3 | 2`. Ours are all of one byte.
pub(crate) const fn field(number: u8) -> u8 {
    number << 3 | 2
}

/// How many bytes a varint takes.
pub(crate) const fn varint_len(value: u64) -> usize {
    // Seven bits a byte; 9 / 64 is close enough to 1 / 7 for 64 bits.
    (((value | 1).ilog2() * 9 + 73) / 64) as usize
}

/// How many bytes a length-delimited field takes, its key and length included.
pub(crate) const fn delimited_len(bytes: usize) -> usize {
    1 + varint_len(bytes as u64) + bytes
}

/// As [`delimited_len`], of a field that is left out when it is empty.
pub(crate) const fn optional_len(bytes: usize) -> usize {
    if bytes == 0 { 0 } else { delimited_len(bytes) }
}

pub(crate) const fn zigzag32(value: i32) -> u64 {
    ((value << 1) ^ (value >> 31)).cast_unsigned() as u64
}

pub(crate) const fn zigzag64(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// Collects small writes into chunks.
pub(crate) struct Writer<'a, B> {
    out: &'a mut B,
    chunk: Vec<u8>,
}

impl<'a, B: BufMut> Writer<'a, B> {
    pub(crate) fn new(out: &'a mut B, length: usize) -> Self {
        let chunk = Vec::with_capacity(length.min(2 * CHUNK));
        Self { out, chunk }
    }

    pub(crate) fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.chunk.push(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.chunk.push(value.to_le_bytes()[0]);
    }

    /// The key and the length of a field, whose `bytes` bytes follow.
    pub(crate) fn begin(&mut self, number: u8, bytes: usize) {
        self.chunk.push(field(number));
        self.varint(bytes as u64);
    }

    /// A field of bytes.
    pub(crate) fn bytes(&mut self, number: u8, bytes: &[u8]) {
        self.begin(number, bytes.len());
        if bytes.len() >= CHUNK {
            self.flush();
            self.out.put_slice(bytes);
        } else {
            self.chunk.extend_from_slice(bytes);
            self.spill();
        }
    }

    /// A byte of a field.
    pub(crate) fn byte(&mut self, byte: u8) {
        self.chunk.push(byte);
    }

    /// Some bytes of a field, at most a chunk of them, which `fill` writes over zeros.
    pub(crate) fn fill(&mut self, bytes: usize, fill: impl FnOnce(&mut [u8])) {
        let start = self.chunk.len();
        self.chunk.resize(start + bytes, 0);
        if let Some(place) = self.chunk.get_mut(start..) {
            fill(place);
        }
        self.spill();
    }

    /// Sends a full chunk on.
    pub(crate) fn spill(&mut self) {
        if self.chunk.len() >= CHUNK {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.out.put_slice(&self.chunk);
        self.chunk.clear();
    }

    /// Sends on what is left.
    pub(crate) fn finish(mut self) {
        self.flush();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_varint_is_as_long_as_it_is_said_to_be_and_is_prosts(
            value in any::<u64>(),
            shift in 0_u32..64,
        ) {
            let value = value >> shift;
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            let mut writer = Writer::new(&mut ours, 10);
            writer.varint(value);
            writer.finish();
            prost::encoding::encode_varint(value, &mut theirs);
            prop_assert_eq!(varint_len(value), ours.len());
            prop_assert_eq!(ours, theirs);
        }
    }
}
