//! Which Redis key holds what. Frozen: it is where the rows of every earlier release are.

mod slot;

use std::fmt::Write as _;

use fs_online::{EncodedKey, ViewId};

pub use slot::{SLOTS, slot};

/// The format of everything that this release writes, and the newest that it reads.
pub const FORMAT: u32 = 1;

/// The hash that holds what is known about a view besides its rows.
pub fn state_key(view: &ViewId) -> String {
    format!("fs{FORMAT}:{}:{}:meta", view.project, view.view)
}

/// The string that holds who has claimed a token.
pub fn claim_key(view: &ViewId, token: &str) -> String {
    format!("fs{FORMAT}:{}:{}:once:{token}", view.project, view.view)
}

/// How the rows of a view are spread over hashes, its *buckets*.
///
/// A bucket is named after a number, its *tag*, in braces, so that Redis Cluster places it by that
/// number alone. Bucket `b` of `n` lies in the `b`-th of `n` equal parts of the 16,384 slots: its
/// tag is the least number whose digits fall there. So buckets spread evenly over nodes, and all
/// views keep the rows of one entity on the same node.
///
/// ```
/// use fs_online::ViewId;
/// use fs_online_redis::keyspace::{Buckets, slot, state_key};
///
/// let view = ViewId::new("flights".parse()?, "origin_weather".parse()?);
/// assert_eq!(state_key(&view), "fs1:flights:origin_weather:meta");
/// let buckets = Buckets::new(16).unwrap();
/// assert_eq!(buckets.key(&view, 3), "fs1:{43}:flights:origin_weather");
/// assert_eq!(slot(b"fs1:{43}:flights:origin_weather") / 1_024, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buckets {
    tags: Vec<Tag>,
}

/// A number, and the slot that its digits fall into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tag {
    number: u32,
    slot: u16,
}

impl Buckets {
    /// `count` buckets; `None` unless `count` is a power of two and at most [`SLOTS`].
    pub fn new(count: u16) -> Option<Self> {
        if !count.is_power_of_two() || count > SLOTS {
            return None;
        }
        let part = SLOTS / count;
        let mut tags = vec![None; usize::from(count)];
        let mut missing = tags.len();
        let mut digits = String::new();
        for number in 0.. {
            if missing == 0 {
                break;
            }
            digits.clear();
            // Writing to a string cannot fail.
            write!(digits, "{number}").ok();
            let slot = slot(digits.as_bytes());
            let tag = &mut tags[usize::from(slot / part)];
            if tag.is_none() {
                *tag = Some(Tag { number, slot });
                missing -= 1;
            }
        }
        let tags = tags.into_iter().flatten().collect();
        Some(Self { tags })
    }

    /// How many there are.
    pub fn count(&self) -> u16 {
        u16::try_from(self.tags.len()).unwrap_or(SLOTS)
    }

    /// The bucket of an entity key: FNV-1a, 64 bits, its halves folded together, modulo their number.
    pub fn of(&self, key: &EncodedKey) -> u16 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in key.as_bytes() {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let [low, high, ..] = (hash ^ (hash >> 32)).to_le_bytes();
        u16::from_le_bytes([low, high]) & (self.count() - 1)
    }

    /// The slot that holds a bucket, whatever the view.
    pub fn slot(&self, bucket: u16) -> u16 {
        self.tags[usize::from(bucket)].slot
    }

    /// The hash that holds the rows of one bucket.
    pub fn key(&self, view: &ViewId, bucket: u16) -> String {
        let mut key = String::new();
        self.write_key(&mut key, view, bucket);
        key
    }

    /// The hash that holds the greatest fence that a bucket has seen, beside it in the same slot.
    pub fn fence_key(&self, view: &ViewId, bucket: u16) -> String {
        let mut key = self.key(view, bucket);
        key.push_str(":fence");
        key
    }

    /// Makes `key` that name, whatever it was.
    pub(crate) fn write_key(&self, key: &mut String, view: &ViewId, bucket: u16) {
        let tag = self.tags[usize::from(bucket)].number;
        let ViewId { project, view } = view;
        key.clear();
        // Writing to a string cannot fail.
        write!(key, "fs{FORMAT}:{{{tag}}}:{project}:{view}").ok();
    }
}

#[cfg(test)]
mod tests;
