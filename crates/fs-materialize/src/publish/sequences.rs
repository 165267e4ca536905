//! Sets of row numbers that take a bit or two bytes for each.
//!
//! ```text
//!   number                  chunk = number >> 16     in the chunk
//!   1 << 32 | 7             1 << 16                  7
//! ```
//! A chunk that holds few numbers lists them; one that holds more has a bit for each of the 65,536 that
//! it could hold. The rows of one ingest are numbered one by one, so a table of which every row is the
//! newest of its key takes a bit for each.

use std::collections::HashMap;

/// A chunk with more numbers than this takes less room as bits.
const FEW: usize = 4_096;
const WORDS: usize = 1 << 10;

/// A set of `_sequence`s.
#[derive(Debug, Default)]
pub(super) struct Sequences {
    chunks: HashMap<i64, Chunk>,
    len: usize,
}

#[derive(Debug)]
enum Chunk {
    /// Ascending.
    Few(Vec<u16>),
    Many(Box<[u64; WORDS]>),
}

impl Sequences {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn insert(&mut self, sequence: i64) {
        let (chunk, low) = split(sequence);
        let chunk = self.chunks.entry(chunk).or_insert(Chunk::Few(Vec::new()));
        self.len += usize::from(chunk.insert(low));
    }

    pub(super) fn contains(&self, sequence: i64) -> bool {
        let (chunk, low) = split(sequence);
        match self.chunks.get(&chunk) {
            None => false,
            Some(Chunk::Few(numbers)) => numbers.binary_search(&low).is_ok(),
            Some(Chunk::Many(words)) => {
                let (word, bit) = place(low);
                words[word] & bit != 0
            }
        }
    }
}

impl Chunk {
    /// Whether it was not there.
    fn insert(&mut self, low: u16) -> bool {
        match self {
            Self::Few(numbers) => {
                let Err(at) = numbers.binary_search(&low) else {
                    return false;
                };
                numbers.insert(at, low);
                if numbers.len() > FEW {
                    let mut words = Box::new([0; WORDS]);
                    for low in numbers {
                        let (word, bit) = place(*low);
                        words[word] |= bit;
                    }
                    *self = Self::Many(words);
                }
                true
            }
            Self::Many(words) => {
                let (word, bit) = place(low);
                let is_new = words[word] & bit == 0;
                words[word] |= bit;
                is_new
            }
        }
    }
}

fn split(sequence: i64) -> (i64, u16) {
    let [low, high, ..] = sequence.to_le_bytes();
    (sequence >> 16, u16::from_le_bytes([low, high]))
}

fn place(low: u16) -> (usize, u64) {
    (usize::from(low >> 6), 1 << (low & 63))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn any_sequence() -> impl Strategy<Value = i64> {
        prop_oneof![
            any::<i64>(),
            (0..3_i64, 0..9_000_i64).prop_map(|(ingest, row)| (ingest << 32) + row),
        ]
    }

    proptest! {
        #[test]
        fn a_set_holds_what_was_put_into_it_and_nothing_else(
            numbers in proptest::collection::vec(any_sequence(), 0..200),
            others in proptest::collection::vec(any_sequence(), 0..200),
        ) {
            let mut set = Sequences::default();
            let expected: BTreeSet<i64> = numbers.iter().copied().collect();
            for number in numbers {
                set.insert(number);
            }
            prop_assert_eq!(set.len(), expected.len());
            for number in expected.iter().chain(&others) {
                prop_assert_eq!(set.contains(*number), expected.contains(number));
            }
        }
    }

    #[test]
    fn a_chunk_that_fills_up_holds_the_same() {
        let mut set = Sequences::default();
        let all = || (0..65_536_i64).rev().filter(|number| number % 3 != 0);
        for _ in 0..2 {
            for number in all() {
                set.insert((7 << 32) + number);
            }
        }
        assert_eq!(set.len(), all().count());
        assert!(matches!(set.chunks.values().next(), Some(Chunk::Many(_))));
        for number in 0..65_536 {
            assert_eq!(set.contains((7 << 32) + number), number % 3 != 0);
        }
        assert!(!set.contains(7) && !set.contains((7 << 32) + 65_537));
    }
}
