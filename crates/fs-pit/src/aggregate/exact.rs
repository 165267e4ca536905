//! [`Exact`]: sums of floating-point numbers and of their squares, without rounding.
//!
//! A sum is an integer times a power of two, so adding is adding integers: exact, and therefore the same in
//! any order. It is rounded once, when it is asked for, to the nearest number, ties to even.
//!
//! ```text
//!   1e100 + 1 - 1e100 = 1         0.1 + 0.2 + 0.3 = 0.6, and 0.6 in any other order
//! ```
//!
//! Nearly all sums are *near*: 128 bits, at first with the lowest bit worth 2^-80, hold numbers from
//! 2^-28 on, all of whose 53 bits count, up to a sum of 2^47; the lowest bit moves when a sum needs it
//! elsewhere. A sum that does not fit is *far*: an integer on the heap wide enough for 2^64 numbers of any
//! magnitude. This is what the literature calls a superaccumulator (Kulisch).
//!
//! For squares everything is twice as wide.

mod big;
mod limbs;
mod round;
mod seen;

use std::mem;

use super::bytes;
use crate::Error;

pub(super) use big::{Spread, spread, spread_of_integers};
use round::round;
pub(super) use seen::Seen;

/// A sum of `float64`.
pub(super) type ExactSum = Exact<2, 34>;
/// A sum of squares of `float64`.
pub(super) type ExactSquares = Exact<4, 68>;

/// An exact sum: an integer in two's complement, in limbs of 64 bits, the lowest first, and what its
/// lowest bit is worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::aggregate) enum Exact<const NEAR: usize, const FAR: usize> {
    /// Most sums: where they are.
    Near {
        /// The integer.
        limbs: [u64; NEAR],
        /// Its lowest bit is worth 2 to this power.
        exponent: i16,
    },
    /// Sums that do not fit there: on the heap, the lowest bit worth that of the least number.
    Far(Box<[u64; FAR]>),
}

/// The fraction of a `float64`, without the bit that goes without saying.
const FRACTION: u64 = (1 << 52) - 1;

impl<const NEAR: usize, const FAR: usize> Exact<NEAR, FAR> {
    /// What the lowest bit of a near sum is worth at first: 2^-80, or 2^-160 of squares.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "it is small"
    )]
    const START: i16 = -40 * (NEAR as i16);
    /// What the lowest bit of a far sum is worth: 2^-1074, the least number there is, or its square.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "it is small"
    )]
    const LEAST: i32 = -537 * (NEAR as i32);
    /// The bits of a near sum without the sign.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "it is small"
    )]
    const WIDTH: i32 = 64 * (NEAR as i32) - 1;

    /// The sum of nothing.
    pub(in crate::aggregate) const fn zero() -> Self {
        Self::Near {
            limbs: [0; NEAR],
            exponent: Self::START,
        }
    }

    /// Adds another sum.
    #[inline]
    pub(in crate::aggregate) fn merge(&mut self, other: &Self) {
        if let (
            Self::Near { limbs, exponent },
            Self::Near {
                limbs: other,
                exponent: at,
            },
        ) = (&mut *self, other)
            && exponent == at
            && let Some(sum) = limbs::checked_add(limbs, other)
        {
            *limbs = sum;
            return;
        }
        self.merge_slowly(other);
    }

    #[cold]
    fn merge_slowly(&mut self, other: &Self) {
        match other {
            Self::Near { limbs, exponent } => self.add(limbs, i32::from(*exponent)),
            Self::Far(limbs) => self.add_far(limbs.as_slice(), 0),
        }
    }

    /// Adds `other` times 2 to the power of `at`, whatever has to be moved for it.
    #[cold]
    fn add(&mut self, other: &[u64; NEAR], at: i32) {
        let Some((low, high)) = limbs::span(other) else {
            return;
        };
        let (mut least, mut most) = (at + low, at + high);
        if let Self::Near { limbs, exponent } = self {
            let from = i32::from(*exponent);
            if let Some((low, high)) = limbs::span(limbs) {
                (least, most) = (least.min(from + low), most.max(from + high));
            }
            // One more bit for what is carried.
            if let Some(to) = Self::place(least, most + 1) {
                let moved = limbs::shift(limbs, from - to);
                let added = limbs::shift(other, at - to);
                if let (Some(sum), Ok(to)) = (limbs::checked_add(&moved, &added), to.try_into()) {
                    (*limbs, *exponent) = (sum, to);
                    return;
                }
            }
        }
        self.add_far(other, at - Self::LEAST);
    }

    /// What the lowest bit of a near sum should be worth, so that it holds bits from 2^`least` up to
    /// below 2^`most`; `None` if no near sum does.
    fn place(least: i32, most: i32) -> Option<i32> {
        let spare = Self::WIDTH - (most - least);
        let start = i32::from(Self::START);
        if start <= least && most <= start + Self::WIDTH {
            Some(start)
        } else if spare >= 0 {
            // More room above than below, because sums grow.
            Some(least - spare / 3)
        } else {
            None
        }
    }

    /// Adds `limbs`, shifted by so many bits, to the sum as a far one.
    fn add_far(&mut self, limbs: &[u64], by: i32) {
        let mut far = match mem::replace(self, Self::zero()) {
            Self::Far(far) => far,
            Self::Near { limbs, exponent } => {
                let mut far = Box::new([0; FAR]);
                limbs::add_shifted(far.as_mut(), &limbs, i32::from(exponent) - Self::LEAST);
                far
            }
        };
        limbs::add_shifted(far.as_mut(), limbs, by);
        *self = Self::Far(far);
    }

    /// The limbs, and what the lowest bit is worth.
    pub(in crate::aggregate) fn parts(&self) -> (&[u64], i32) {
        match self {
            Self::Near { limbs, exponent } => (limbs, i32::from(*exponent)),
            Self::Far(limbs) => (limbs.as_slice(), Self::LEAST),
        }
    }

    /// Bytes on the heap.
    pub(in crate::aggregate) const fn heap_bytes(&self) -> usize {
        match self {
            Self::Near { .. } => 0,
            Self::Far(_) => 8 * FAR,
        }
    }

    /// Appends the sum: how many bytes the integer has, what its lowest bit is worth, and the integer without the
    /// zeros at its end. Of zero only that it has no bytes.
    pub(in crate::aggregate) fn write(&self, out: &mut Vec<u8>) {
        let (limbs, exponent) = self.parts();
        let Some((low, high)) = limbs::span(limbs) else {
            return bytes::put_count(0, out);
        };
        let length = (high - low) / 8 + 1;
        bytes::put_count(u64::from(length.unsigned_abs()), out);
        bytes::put_signed(i64::from(exponent + low), out);
        for at in 0..length {
            out.push(limbs::window(limbs, low + 8 * at).to_le_bytes()[0]);
        }
    }

    /// Takes a sum off the front of `bytes`.
    pub(in crate::aggregate) fn read(bytes: &mut &[u8]) -> Result<Self, Error> {
        let length = bytes::length(bytes, 1)?;
        let mut sum = Self::zero();
        if length == 0 {
            return Ok(sum);
        }
        let beyond = || bytes::broken("a sum is beyond all numbers");
        let exponent = i32::try_from(bytes::signed(bytes)?).map_err(|_beyond| beyond())?;
        let (integer, rest) = bytes.split_at_checked(length).ok_or_else(beyond)?;
        let far = i64::from(exponent) - i64::from(Self::LEAST);
        if far < 0 || far.unsigned_abs() + 8 * length as u64 > 64 * FAR as u64 {
            return Err(beyond());
        }
        *bytes = rest;
        let negative = integer.last().is_some_and(|last| *last >= 0x80);
        let fill = if negative { 0xff } else { 0 };
        let limb = |at: usize| {
            let byte = |of: usize| integer.get(8 * at + of).copied().unwrap_or(fill);
            u64::from_le_bytes(std::array::from_fn(byte))
        };
        if length <= 8 * NEAR {
            sum.add(&std::array::from_fn(limb), exponent);
        } else {
            sum.add_far(
                &std::array::from_fn::<u64, FAR, _>(limb),
                exponent - Self::LEAST,
            );
        }
        Ok(sum)
    }
}

impl ExactSum {
    /// Adds a number that is neither infinite nor NaN.
    #[inline]
    pub(in crate::aggregate) fn add_number(&mut self, number: f64) {
        let (mantissa, exponent) = split(number);
        let mantissa = i128::from(if number < 0.0 { -mantissa } else { mantissa });
        if let Self::Near {
            limbs,
            exponent: at,
        } = self
        {
            let by = (exponent - i32::from(*at)).cast_unsigned();
            // 53 bits, shifted by 73, leave one for the sign and one for what is carried.
            if by <= 73 {
                let (sum, beyond) = join(*limbs).overflowing_add(mantissa << by);
                if !beyond {
                    *limbs = halves(sum);
                    return;
                }
            }
        }
        self.add(&halves(mantissa), exponent);
    }

    /// The sum, rounded once to the nearest number, ties to even.
    pub(in crate::aggregate) fn get(&self) -> f64 {
        match self {
            // Multiplying by a power of two is exact as long as the result is no subnormal.
            Self::Near { limbs, exponent } if exponent.unsigned_abs() < 800 => {
                #[expect(
                    clippy::cast_precision_loss,
                    reason = "it is rounded here, and only here"
                )]
                let integer = join(*limbs) as f64;
                integer * power_of_two(i32::from(*exponent))
            }
            _ => {
                let (limbs, exponent) = self.parts();
                round(limbs, exponent)
            }
        }
    }
}

impl ExactSquares {
    /// Adds the square of a number that is neither infinite nor NaN.
    #[inline]
    pub(in crate::aggregate) fn add_square(&mut self, number: f64) {
        let (mantissa, exponent) = split(number);
        let mantissa = u128::from(mantissa.unsigned_abs());
        let [low, high] = halves((mantissa * mantissa).cast_signed());
        let square = [low, high, 0, 0];
        if let Self::Near {
            limbs,
            exponent: at,
        } = self
        {
            let by = 2 * exponent - i32::from(*at);
            if (0..=146).contains(&by)
                && let Some(sum) = limbs::checked_add(limbs, &limbs::shift(&square, by))
            {
                *limbs = sum;
                return;
            }
        }
        self.add(&square, 2 * exponent);
    }
}

/// A number without its sign as an integer below 2^53 times a power of two. Zero is worth as much as a
/// near sum is at first, so that it takes the quick way.
#[inline]
const fn split(number: f64) -> (i64, i32) {
    let bits = number.to_bits();
    let field = ((bits >> 52) & 0x7ff) as i32;
    let fraction = (bits & FRACTION).cast_signed();
    match (field, fraction) {
        (0, 0) => (0, -80),
        (0, _) => (fraction, -1074),
        _ => (fraction | (1 << 52), field - 1075),
    }
}

/// 2 to a power for which there is a normal number.
const fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023).unsigned_abs() as u64) << 52)
}

#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the halves are taken apart"
)]
pub(super) const fn halves(integer: i128) -> [u64; 2] {
    let bits = integer.cast_unsigned();
    [bits as u64, (bits >> 64) as u64]
}

#[inline]
pub(super) const fn join(halves: [u64; 2]) -> i128 {
    ((halves[1] as i128) << 64) | halves[0] as i128
}

#[cfg(test)]
mod tests;
