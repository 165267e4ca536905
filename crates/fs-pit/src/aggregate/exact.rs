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
mod numbers;
mod round;
mod seen;
mod stored;

use std::mem;

pub(super) use big::{Spread, spread, spread_of_integers};
pub(super) use numbers::{halves, join};
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
}

#[cfg(test)]
mod tests;
