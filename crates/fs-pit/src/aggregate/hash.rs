//! A hash of ours: the same in every release and on every machine, because states keep parts of it.
//!
//! Not for hash tables: whoever chooses the values can make them collide.

/// The hash of a word: a bijection whose every output bit depends on every input bit, by two rounds of
/// multiplication by an odd number and exclusive or with the upper half.
pub(crate) const fn word(word: u64) -> u64 {
    let mixed = (word ^ FIRST).wrapping_mul(SECOND);
    let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(THIRD);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(FIRST);
    mixed ^ (mixed >> 32)
}

/// The hash of bytes: words of eight, the last filled up with zeros, folded in one after the other, and
/// the length.
pub(crate) fn text(bytes: &[u8]) -> u64 {
    let mut hash = (bytes.len() as u64).wrapping_mul(THIRD) ^ SECOND;
    let (words, rest) = bytes.as_chunks::<8>();
    for chunk in words {
        hash = fold(hash, u64::from_le_bytes(*chunk));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    word(fold(hash, u64::from_le_bytes(last)))
}

/// Both halves of a product of 128 bits.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the halves are taken apart"
)]
const fn fold(hash: u64, word: u64) -> u64 {
    let product = (hash ^ FIRST) as u128 * (word ^ SECOND) as u128;
    (product as u64 ^ (product >> 64) as u64)
        .wrapping_add(hash.rotate_left(23))
        .wrapping_add(word)
}

// Odd numbers from the binary digits of the square roots of 2, 3 and 5 after the point.
const FIRST: u64 = 0x6a09_e667_f3bc_c909;
const SECOND: u64 = 0xbb67_ae85_84ca_a73b;
const THIRD: u64 = 0x3c6e_f372_fe94_f82b;
