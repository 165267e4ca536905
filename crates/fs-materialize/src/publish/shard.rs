//! A part of the keys, chosen by a hash, so that what is kept of them fits into memory.

use std::hash::{DefaultHasher, Hash, Hasher};

use fs_online::EncodedKey;

/// The keys whose hash ends in certain bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shard {
    mask: u64,
    bits: u64,
}

impl Shard {
    /// Every key.
    pub(super) const WHOLE: Self = Self { mask: 0, bits: 0 };

    /// Two shards that share out the keys of this one.
    pub(super) const fn halves(self) -> [Self; 2] {
        let next = self.mask + 1;
        let mask = self.mask | next;
        [
            Self {
                mask,
                bits: self.bits,
            },
            Self {
                mask,
                bits: self.bits | next,
            },
        ]
    }

    /// Whether `key` is one of this shard's. The same in every pass of one run.
    pub(super) fn has(self, key: &EncodedKey) -> bool {
        if self.mask == 0 {
            return true;
        }
        let mut hasher = DefaultHasher::new();
        key.as_bytes().hash(&mut hasher);
        hasher.finish() & self.mask == self.bits
    }

    /// Whether this shard cannot be split in any useful way.
    pub(super) const fn is_smallest(self) -> bool {
        self.mask >= 0xFFFF
    }
}

#[cfg(test)]
mod tests {
    use fs_core::KeyValue;
    use fs_online::key::encode_key;

    use super::*;

    #[test]
    fn every_key_is_in_exactly_one_half() {
        let [first, second] = Shard::WHOLE.halves();
        let quarters: Vec<Shard> = [first, second].iter().flat_map(|s| s.halves()).collect();
        for number in 0..1_000 {
            let key = encode_key(&[KeyValue::Int64(number)]);
            assert!(Shard::WHOLE.has(&key));
            assert!(first.has(&key) != second.has(&key));
            assert_eq!(quarters.iter().filter(|shard| shard.has(&key)).count(), 1);
        }
    }
}
