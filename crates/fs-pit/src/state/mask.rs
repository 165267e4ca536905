//! Which of up to 64 events of a block: one bit each, the first event lowest.
//!
//! Written as one byte, 0 for none, 1 for all, or 2 and then the bits, eight to a byte.

use crate::Error;
use crate::aggregate::bytes::{broken, byte};

/// The most events that a mask, and so a block, is of.
pub(super) const MOST: usize = 64;

const NONE: u8 = 0;
const ALL: u8 = 1;
const SOME: u8 = 2;

/// The first `count` events.
pub(super) const fn first(count: usize) -> u64 {
    if count >= MOST {
        u64::MAX
    } else {
        (1 << count) - 1
    }
}

/// Appends a mask of `count` events.
pub(super) fn put(mask: u64, count: usize, out: &mut Vec<u8>) {
    if mask == 0 {
        out.push(NONE);
    } else if mask == first(count) {
        out.push(ALL);
    } else {
        out.push(SOME);
        out.extend_from_slice(&mask.to_le_bytes()[..count.div_ceil(8).min(8)]);
    }
}

/// Takes a mask of `count` events off the front of `bytes`.
pub(super) fn read(bytes: &mut &[u8], count: usize) -> Result<u64, Error> {
    match byte(bytes)? {
        NONE => Ok(0),
        ALL => Ok(first(count)),
        SOME => {
            let width = count.div_ceil(8).min(8);
            let split = bytes.split_at_checked(width);
            let (taken, rest) = split.ok_or(broken("the bits of a block end too early"))?;
            *bytes = rest;
            let mut eight = [0; 8];
            eight[..width].copy_from_slice(taken);
            Ok(u64::from_le_bytes(eight) & first(count))
        }
        _ => Err(broken("the bits of a block are of no known form")),
    }
}

/// The positions of the events in a mask, ascending.
pub(super) fn each(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        (mask != 0).then(|| {
            let next = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            next
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_mask_comes_back(bits in any::<u64>(), all in any::<bool>(), count in 1_usize..=64) {
            let mask = if all { first(count) } else { bits & first(count) };
            let mut bytes = Vec::new();
            put(mask, count, &mut bytes);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(read(&mut rest, count).unwrap(), mask);
            prop_assert!(rest.is_empty());
            prop_assert_eq!(each(mask).fold(0_u64, |sum, at| sum | 1 << at), mask);
            let cut = &bytes[..bytes.len() - 1];
            prop_assert!(read(&mut &cut[..], count).is_err());
        }
    }
}
