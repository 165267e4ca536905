//! Columns of whole numbers, in as few bytes as the spread of the numbers needs.
//!
//! ```text
//!   13:00:00  13:05:00  13:15:00        least 13:00:00, unit 5 min, width 1, then 0 1 3
//!   7  7  7                             least 7, unit 0, width 0
//! ```
//! Written as the least number (signed), the unit in which the others are away from it (a count), the
//! width of these distances in bytes (one byte, 0 to 8), and the distances, little-endian.

use crate::Error;
use crate::aggregate::bytes::{broken, byte, count, put_count, put_signed, signed};

/// A column of numbers, read where it lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packed<'a> {
    least: i64,
    unit: u64,
    width: usize,
    distances: &'a [u8],
}

/// Appends `numbers`; there is at least one.
pub(super) fn put(numbers: &[i64], out: &mut Vec<u8>) {
    let least = numbers.iter().copied().min().unwrap_or_default();
    let distance = |number: &i64| number.wrapping_sub(least).cast_unsigned();
    let unit = numbers.iter().map(distance).fold(0, greatest_divisor);
    let spread = numbers.iter().map(distance).max().unwrap_or_default();
    let steps = spread.checked_div(unit).unwrap_or_default();
    let width = width_of(steps);
    put_signed(least, out);
    put_count(unit, out);
    out.push(u8::try_from(width).unwrap_or(8));
    for number in numbers {
        let steps = distance(number).checked_div(unit).unwrap_or_default();
        out.extend_from_slice(&steps.to_le_bytes()[..width]);
    }
}

/// How many bytes a number takes, zero for none at all.
const fn width_of(number: u64) -> usize {
    (u64::BITS - number.leading_zeros()).div_ceil(8) as usize
}

fn greatest_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl<'a> Packed<'a> {
    /// Takes a column of `length` numbers off the front of `bytes`.
    pub(super) fn read(bytes: &mut &'a [u8], length: usize) -> Result<Self, Error> {
        let least = signed(bytes)?;
        let unit = count(bytes)?;
        let width = usize::from(byte(bytes)?);
        if width > size_of::<u64>() {
            return Err(broken("a column of numbers is wider than 8 bytes"));
        }
        let taken = width.checked_mul(length);
        let split = taken.and_then(|taken| bytes.split_at_checked(taken));
        let (distances, rest) = split.ok_or(broken("a column of numbers ends too early"))?;
        *bytes = rest;
        Ok(Self {
            least,
            unit,
            width,
            distances,
        })
    }

    /// The number at `index`, which is less than the length.
    #[inline]
    pub(super) fn get(&self, index: usize) -> i64 {
        let at = index * self.width;
        let steps = match self.distances.get(at..).and_then(<[u8]>::first_chunk) {
            // Eight bytes at once, of which those of later numbers are cut off.
            Some(eight) if self.width > 0 => {
                u64::from_le_bytes(*eight) & (u64::MAX >> (64 - 8 * self.width))
            }
            _ => self.last_steps(at),
        };
        let distance = self.unit.wrapping_mul(steps);
        self.least.wrapping_add(distance.cast_signed())
    }

    /// As [`get`](Self::get), where fewer than eight bytes are left.
    fn last_steps(&self, at: usize) -> u64 {
        let mut eight = [0; 8];
        if let Some(bytes) = self.distances.get(at..at + self.width) {
            eight[..self.width].copy_from_slice(bytes);
        }
        u64::from_le_bytes(eight)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packed(numbers: &[i64]) -> Vec<u8> {
        let mut bytes = Vec::new();
        put(numbers, &mut bytes);
        bytes
    }

    fn unpacked(mut bytes: &[u8], length: usize) -> Vec<i64> {
        let column = Packed::read(&mut bytes, length).unwrap();
        assert!(bytes.is_empty());
        (0..length).map(|index| column.get(index)).collect()
    }

    #[test]
    fn instants_on_the_same_grid_take_a_byte_each() {
        let minute = 60_000_000;
        let noon = 1_356_998_400_000_000;
        let numbers: Vec<i64> = (0..60).map(|n| noon + n * 5 * minute).collect();
        let bytes = packed(&numbers);
        assert!(bytes.len() < 60 + 16, "{}", bytes.len());
        assert_eq!(unpacked(&bytes, 60), numbers);
    }

    #[test]
    fn numbers_that_are_all_the_same_take_no_bytes_each() {
        assert_eq!(packed(&[7; 50]).len(), 3);
        assert_eq!(unpacked(&packed(&[7; 50]), 50), [7; 50]);
    }

    proptest! {
        #[test]
        fn numbers_come_back(
            numbers in proptest::collection::vec(prop_oneof![any::<i64>(), -300..300_i64], 1..70)
        ) {
            prop_assert_eq!(unpacked(&packed(&numbers), numbers.len()), numbers);
        }

        #[test]
        fn no_bytes_make_a_reader_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..60), length in 0_usize..20
        ) {
            if let Ok(column) = Packed::read(&mut bytes.as_slice(), length) {
                (0..length).for_each(|index| { column.get(index); });
            }
        }
    }
}
