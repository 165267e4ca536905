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

    /// How often everything may be cut in halves.
    pub(super) const MOST_CUTS: u32 = 16;

    /// Shards that share out the keys of this one: as many as so many cuts in halves make.
    pub(super) fn cut(self, cuts: u32) -> Vec<Self> {
        let mut shards = vec![self];
        for _ in 0..cuts {
            shards = shards.into_iter().flat_map(Self::halves).collect();
        }
        shards
    }

    const fn halves(self) -> [Self; 2] {
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
        self.mask >= (1 << Self::MOST_CUTS) - 1
    }
}

#[cfg(test)]
mod tests {
    use fs_core::KeyValue;
    use fs_online::key::encode_key;

    use super::*;

    #[test]
    fn every_key_is_in_exactly_one_part() {
        for cuts in 0..5 {
            let shards = Shard::WHOLE.cut(cuts);
            assert_eq!(shards.len(), 1 << cuts);
            for number in 0..1_000 {
                let key = encode_key(&[KeyValue::Int64(number)]);
                let has = |shard: &&Shard| shard.has(&key);
                assert_eq!(shards.iter().filter(has).count(), 1);
            }
        }
    }

    #[test]
    fn parts_of_parts_share_out_the_keys_of_the_part() {
        let part = Shard::WHOLE.cut(2)[1];
        for number in 0..1_000 {
            let key = encode_key(&[KeyValue::Int64(number)]);
            let within = part.cut(3).iter().filter(|shard| shard.has(&key)).count();
            assert_eq!(within, usize::from(part.has(&key)));
        }
    }
}
